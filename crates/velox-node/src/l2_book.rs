use napi_derive::napi;
use velox_engine::{L2Book, Standing, Top};

use crate::books::{flat, side};
use crate::errors::{Result, Thrown};
use crate::instrument::instrument;
use crate::raw::{Call, Entry, Value, exact};
use crate::slots::{self, Object, of};

pub(crate) static FUNCTIONS: [Entry; 7] = [
    Entry { name: c"l2BookState", run: |call| on(call, |book| Ok(Value::Number(standing(book)))) },
    Entry { name: c"l2BookCrossed", run: |call| on(call, |book| Ok(Value::Bool(book.crossed()))) },
    Entry { name: c"l2BookTop", run: |call| on(call, |book| Ok(Value::Bool(top(call, book)?))) },
    Entry {
        name: c"l2BookQtyAt",
        run: |call| on(call, |book| Value::integer("qty", Some(book.qty_at(side(call, 1), call.integer(2))))),
    },
    Entry { name: c"l2BookVwap", run: |call| on(call, |book| Ok(book.vwap(side(call, 1), call.integer(2)).into())) },
    Entry { name: c"l2BookImbalance", run: |call| on(call, |book| Ok(book.imbalance(call.index(1)).into())) },
    Entry { name: c"l2BookApply", run: apply },
];

type Answer<T> = std::result::Result<T, Thrown>;

fn on(call: &Call, work: impl FnOnce(&L2Book) -> Answer<Value>) -> Answer<Value> {
    slots::with(call.index(0), of!(L2Book), |book| work(book))
}

fn standing(book: &L2Book) -> f64 {
    match book.standing() {
        Standing::Empty => 0.0,
        Standing::Live => 1.0,
        Standing::Stale => 2.0,
    }
}

fn top(call: &Call, book: &L2Book) -> Answer<bool> {
    let Some(Top { bid, bid_qty, ask, ask_qty, sequence }) = book.top() else { return Ok(false) };
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    let numbers = [("bid", bid), ("bidQty", bid_qty), ("ask", ask), ("askQty", ask_qty), ("sequence", sequence)];
    let mut exactly = [0.0; 5];
    for (out, (field, n)) in exactly.iter_mut().zip(numbers) {
        *out = exact(field, n)?;
    }
    call.fill(1, &exactly);
    Ok(true)
}

/// Book, triples of side, price and quantity, sequence (below 0: as it is), whether all levels are replaced.
fn apply(call: &Call) -> Answer<Value> {
    let flat = call.floats(1);
    let levels: Vec<_> = flat.chunks_exact(3).map(|l| (u8::from(l[0] != 0.0), l[1] as i64, l[2] as i64)).collect();
    slots::with(call.index(0), of!(L2Book), |book| {
        // The script is the writer for this call only, so that a pipeline can have the book next.
        let mut writer = book.claim("the script")?;
        let sequence = u64::try_from(call.integer(2)).unwrap_or_else(|_| writer.sequence());
        if call.bool(3) { writer.snapshot(&levels, sequence) } else { writer.apply(&levels, sequence) }?;
        Ok(Value::Undefined)
    })
}

/// Makes a book of one writer.
#[napi(catch_unwind)]
pub fn l2_book_new(instrument_id: u32) -> Result<u32> {
    Ok(slots::put(Object::L2Book(L2Book::new(instrument(instrument_id)?))))
}

/// The best levels of both sides.
#[napi(catch_unwind)]
pub fn l2_book_depth(book: u32, levels: f64) -> Result<Vec<f64>> {
    Ok(slots::with(book as usize, of!(L2Book), |book| flat(&book.depth(levels as usize)))?)
}
