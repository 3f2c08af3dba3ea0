use napi_derive::napi;
use velox_engine::{L2Book, Standing, Top};

use crate::books::{flat, side};
use crate::errors::{Result, Thrown};
use crate::instrument::instrument;
use crate::raw::{Call, Entry, Value};
use crate::slots::{self, Object, of};

pub(crate) static FUNCTIONS: [Entry; 7] = [
    Entry { name: c"l2BookState", run: |call| on(call, |book| Value::Number(standing(book))) },
    Entry { name: c"l2BookCrossed", run: |call| on(call, |book| Value::Bool(book.crossed())) },
    Entry { name: c"l2BookTop", run: |call| on(call, |book| Value::Bool(top(call, book))) },
    Entry {
        name: c"l2BookQtyAt",
        run: |call| on(call, |book| Value::Number(book.qty_at(side(call, 1), call.integer(2)) as f64)),
    },
    Entry { name: c"l2BookVwap", run: |call| on(call, |book| book.vwap(side(call, 1), call.integer(2)).into()) },
    Entry { name: c"l2BookImbalance", run: |call| on(call, |book| book.imbalance(call.index(1)).into()) },
    Entry { name: c"l2BookApply", run: apply },
];

fn on(call: &Call, work: impl FnOnce(&L2Book) -> Value) -> std::result::Result<Value, Thrown> {
    slots::with(call.index(0), of!(L2Book), |book| Ok(work(book)))
}

fn standing(book: &L2Book) -> f64 {
    match book.standing() {
        Standing::Empty => 0.0,
        Standing::Live => 1.0,
        Standing::Stale => 2.0,
    }
}

fn top(call: &Call, book: &L2Book) -> bool {
    let Some(Top { bid, bid_qty, ask, ask_qty, sequence }) = book.top() else { return false };
    call.fill(1, &[bid as f64, bid_qty as f64, ask as f64, ask_qty as f64, sequence as f64]);
    true
}

/// Book, triples of side, price and quantity, sequence (below 0: as it is), whether all levels are replaced.
fn apply(call: &Call) -> std::result::Result<Value, Thrown> {
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
    Ok(slots::with(book as usize, of!(L2Book), |book| Ok(flat(&book.depth(levels as usize))))?)
}
