//! The levels of a book without its threads.

use velox_record::{ASK, BID};

use crate::l2_side::L2Side;
use crate::level::{gather, group};
use crate::{Depth, Level};

#[derive(Debug)]
pub(crate) struct L2Levels {
    /// By `!price`, which turns the order around: the best of both sides is the lowest key.
    bids: L2Side,
    /// By price.
    asks: L2Side,
}

const fn key(side: u8, price: i64) -> i64 {
    price ^ -((side == BID) as i64)
}

impl L2Levels {
    pub(crate) fn new() -> Self {
        Self { bids: L2Side::new(), asks: L2Side::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    /// Sets a level, removes it at 0. `side` is 0 or 1, `qty` 0 or more.
    pub(crate) fn set(&mut self, side: u8, price: i64, qty: i64) {
        let levels = if side == BID { &mut self.bids } else { &mut self.asks };
        levels.set(key(side, price), qty);
    }

    fn side(&self, side: u8) -> &L2Side {
        if side == BID { &self.bids } else { &self.asks }
    }

    pub(crate) fn qty_at(&self, side: u8, price: i64) -> i64 {
        self.side(side).get(key(side, price))
    }

    pub(crate) fn best(&self, side: u8) -> Option<Level> {
        let Level { price, qty } = self.side(side).best()?;
        Some(Level { price: key(side, price), qty })
    }

    fn best_first(&self, side: u8) -> impl Iterator<Item = Level> {
        self.side(side).iter().map(move |level| Level { price: key(side, level.price), ..level })
    }

    pub(crate) fn depth(&self, levels: usize) -> Depth {
        let take = |side| self.best_first(side).take(levels).collect();
        Depth { bids: take(BID), asks: take(ASK) }
    }

    pub(crate) fn depth_grouped(&self, levels: usize, shift: u32) -> Depth {
        let take = |side| {
            let mut groups = Vec::new();
            for Level { price, qty } in self.best_first(side) {
                if !gather(&mut groups, Level { price: group(side, price, shift), qty }, levels) {
                    break;
                }
            }
            groups
        };
        Depth { bids: take(BID), asks: take(ASK) }
    }

    /// The average price of taking `qty` lots from a side, best first.
    pub(crate) fn vwap(&self, side: u8, qty: i64) -> Option<f64> {
        let (mut left, mut cost) = (qty, 0.0);
        for level in self.best_first(side) {
            let taken = level.qty.min(left);
            cost += level.price as f64 * taken as f64;
            left -= taken;
            if left == 0 {
                return (qty > 0).then(|| cost / qty as f64);
            }
        }
        None
    }

    /// (bids - asks) / (bids + asks) over the best levels.
    pub(crate) fn imbalance(&self, levels: usize) -> Option<f64> {
        let sum = |side| self.best_first(side).take(levels).map(|level| level.qty as f64).sum::<f64>();
        let (bids, asks) = (sum(BID), sum(ASK));
        (bids + asks > 0.0).then(|| (bids - asks) / (bids + asks))
    }
}

#[cfg(test)]
#[path = "l2_levels_tests.rs"]
mod tests;
