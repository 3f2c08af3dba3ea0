//! What each book has to do: apply the day, telling its best bid and ask after each event.

use crate::stream::Stream;

/// A sum over the best prices after each event: the same for books that agree at each.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Bests(u64);

impl Bests {
    #[inline]
    pub fn add(&mut self, bid: i64, ask: i64) {
        self.0 = self.0.wrapping_mul(31).wrapping_add((bid as u64) ^ (ask as u64).rotate_left(32));
    }
}

pub trait Rival {
    const NAME: &'static str;
    /// The stream as the book takes it.
    type Input;

    fn prepare(stream: &Stream) -> Self::Input;
    fn new() -> Self;
    /// Everything that is timed.
    fn run(&mut self, input: &Self::Input) -> Bests;
    /// What stands at each of these, in lots; `None` where it keeps no such price.
    fn quantities(&self, prices: &[(u8, i64)]) -> Vec<Option<i64>>;
}

/// Price and quantity as they come in a message.
pub fn decimal(price: i64, qty: i64) -> (f64, f64) {
    use crate::stream::{LOT, TICK};
    // Divided: 0.1 and 0.001 have no exact double, 10 and 1,000 have.
    (price as f64 / (1.0 / TICK).round(), qty as f64 / (1.0 / LOT).round())
}

pub fn lots(qty: f64) -> i64 {
    (qty / crate::stream::LOT).round() as i64
}
