//! What a book of many writers has to do.

pub trait Shared: Sync {
    const NAME: &'static str;

    fn new() -> Self;
    fn set(&self, side: u8, price: i64, qty: i64);
    fn add(&self, side: u8, price: i64, delta: i64);
    fn best_bid(&self) -> Option<i64>;
    fn best_ask(&self) -> Option<i64>;
    fn qty_at(&self, side: u8, price: i64) -> i64;
}
