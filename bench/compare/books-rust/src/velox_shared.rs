use velox_book::OrderBook;

use crate::shared::Shared;

impl Shared for OrderBook {
    const NAME: &'static str = "velox OrderBook";

    fn new() -> Self {
        Self::new()
    }

    fn set(&self, side: u8, price: i64, qty: i64) {
        let done = if side == 0 { self.set_bid(price, qty, 0) } else { self.set_ask(price, qty, 0) };
        done.expect("a set gets through");
    }

    fn add(&self, side: u8, price: i64, delta: i64) {
        let add = || if side == 0 { self.update_bid(price, delta, 0) } else { self.update_ask(price, delta, 0) };
        while add().is_err() {}
    }

    fn best_bid(&self) -> Option<i64> {
        self.bid()
    }

    fn best_ask(&self) -> Option<i64> {
        self.ask()
    }

    fn qty_at(&self, side: u8, price: i64) -> i64 {
        self.qty_at(side, price)
    }
}
