use std::cell::RefCell;

use napi_derive::napi;
use velox_engine::ring::ForeignWords;
use velox_engine::{L2Book, Standing, Top};

use crate::books::{flat, side};
use crate::errors::{Result, Thrown};
use crate::instrument::instrument;
use crate::raw::{Call, Entry, SlotWork, Value, exact};
use crate::slots::{self, Object, of};

thread_local! {
    /// Where tops are left: making JavaScript values of them would cost more than all the rest of the call.
    static TOP: RefCell<Option<ForeignWords>> = const { RefCell::new(None) };
}

/// The words of a top: its five numbers as doubles, and whether there is one.
const TOP_WORDS: usize = 6;

pub(crate) static FUNCTIONS: [Entry; 8] = [
    Entry { name: c"l2BookState", run: |call| on(call, |book| Ok(Value::Number(standing(book)))) },
    Entry { name: c"l2BookCrossed", run: |call| on(call, |book| Ok(Value::Bool(book.crossed()))) },
    Entry { name: c"l2BookTopCells", run: top_cells },
    Entry { name: c"l2BookBindTop", run: |call| Ok(call.bound::<TopWork>(c"top", call.index(0))) },
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

/// A `Uint8Array` over 48 shared bytes: where this thread's tops are left from here on.
fn top_cells(call: &Call) -> Answer<Value> {
    let cells = Some(call.hold(0, "cells")?.words()).filter(|cells| cells.len() == TOP_WORDS);
    let cells = cells.ok_or_else(|| Thrown::value("cells", "48 bytes", "another number of them"))?;
    TOP.set(Some(cells));
    Ok(Value::Undefined)
}

struct TopWork;

impl SlotWork for TopWork {
    /// Leaves bid, its quantity, ask, its quantity, the sequence and 1 in the cells; only a 0 where there is no top.
    fn work(slot: usize) -> Answer<()> {
        let top = slots::with(slot, of!(L2Book), |book| Ok(book.top()))?;
        let mut words = [0; TOP_WORDS];
        if let Some(Top { bid, bid_qty, ask, ask_qty, sequence }) = top {
            let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
            let numbers =
                [("bid", bid), ("bidQty", bid_qty), ("ask", ask), ("askQty", ask_qty), ("sequence", sequence)];
            for (word, (field, n)) in words.iter_mut().zip(numbers) {
                *word = exact(field, n)?.to_bits();
            }
            words[TOP_WORDS - 1] = 1.0f64.to_bits();
        }
        TOP.with_borrow(|cells| cells.as_ref().map_or((), |cells| cells.fill(0, words.into_iter())));
        Ok(())
    }
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
