use std::sync::Arc;

use napi_derive::napi;
use velox_engine::{ASK, BID, Depth, OrderBook};

use crate::errors::Thrown;
use crate::raw::{Call, Entry, Value, exact};
use crate::slots::{self, Object, of};

pub(crate) static FUNCTIONS: [Entry; 4] = [
    Entry { name: c"orderBookUpdate", run: update },
    Entry {
        name: c"orderBookBest",
        run: |call| {
            on(call, |book| Value::integer("price", if side(call, 1) == BID { book.bid() } else { book.ask() }))
        },
    },
    Entry { name: c"orderBookSpread", run: |call| on(call, |book| Value::integer("spread", book.checked_spread())) },
    Entry {
        name: c"orderBookQtyAt",
        run: |call| on(call, |book| Value::integer("qty", Some(book.qty_at(side(call, 1), call.integer(2))))),
    },
];

pub(crate) fn side(call: &Call, i: usize) -> u8 {
    if call.index(i) == 0 { BID } else { ASK }
}

fn on(call: &Call, work: impl FnOnce(&OrderBook) -> Result<Value, Thrown>) -> Result<Value, Thrown> {
    slots::with(call.index(0), of!(OrderBook), |book| work(book))
}

/// Book, kind (0 adds, 1 sets), side, price, quantity, timestamp.
fn update(call: &Call) -> Result<Value, Thrown> {
    let (sets, price, qty, timestamp) = (call.index(1) == 1, call.integer(3), call.integer(4), call.wide(5));
    slots::with(call.index(0), of!(OrderBook), |book| {
        match (sets, side(call, 2)) {
            (false, BID) => book.update_bid(price, qty, timestamp),
            (false, _) => book.update_ask(price, qty, timestamp),
            (true, BID) => book.set_bid(price, qty, timestamp),
            (true, _) => book.set_ask(price, qty, timestamp),
        }?;
        Ok(Value::Undefined)
    })
}

/// How many bids, then price and quantity of each level, bids first.
pub(crate) fn flat(depth: &Depth) -> Result<Vec<f64>, Thrown> {
    let levels = depth.bids.iter().chain(&depth.asks);
    let numbers = levels.flat_map(|level| [price(level.price), exact("qty", level.qty)]);
    std::iter::once(Ok(depth.bids.len() as f64)).chain(numbers).collect()
}

/// A price as a double. A group of ticks that holds a price near the last safe integer is called by its edge, 2^53, which a
/// double holds exactly.
fn price(ticks: i64) -> Result<f64, Thrown> {
    if ticks.unsigned_abs() == 1 << 53 { Ok(ticks as f64) } else { exact("price", ticks) }
}

/// Makes a book of many writers.
#[napi(catch_unwind)]
pub fn order_book_new() -> u32 {
    slots::put(Object::OrderBook(Arc::new(OrderBook::new())))
}

/// The best levels of both sides, in groups of 2^shift ticks.
#[napi(catch_unwind)]
pub fn order_book_depth(book: u32, levels: f64, shift: u32) -> crate::errors::Result<Vec<f64>> {
    Ok(slots::with(book as usize, of!(OrderBook), |book| flat(&book.depth_grouped(levels as usize, shift)))?)
}
