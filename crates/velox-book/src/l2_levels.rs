//! The levels of a book without its threads: two sorted arrays, the best level last.
//!
//! Most changes are near the best price, so most insertions and removals move a few levels. (Two binary heaps or a tree
//! would move fewer at the far end and cost more where it matters.)

use velox_record::{ASK, BID};

use crate::{Depth, Level};

/// So many levels a side fit without allocating.
const ROOM: usize = 8_192;

#[derive(Debug)]
pub(crate) struct L2Levels {
    /// Ascending.
    bids: Vec<Level>,
    /// Descending.
    asks: Vec<Level>,
}

impl L2Levels {
    pub(crate) fn new() -> Self {
        Self { bids: Vec::with_capacity(ROOM), asks: Vec::with_capacity(ROOM) }
    }

    pub(crate) fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    fn side(&self, side: u8) -> &[Level] {
        if side == BID { &self.bids } else { &self.asks }
    }

    /// Sets a level, removes it at 0. `side` is 0 or 1, `qty` 0 or more.
    pub(crate) fn set(&mut self, side: u8, price: i64, qty: i64) {
        let found = self.find(side, price);
        let levels = if side == BID { &mut self.bids } else { &mut self.asks };
        match (found, qty) {
            (Ok(at), 0) => {
                levels.remove(at);
            }
            (Ok(at), _) => levels[at].qty = qty,
            (Err(_), 0) => {}
            (Err(at), _) => levels.insert(at, Level { price, qty }),
        }
    }

    fn find(&self, side: u8, price: i64) -> Result<usize, usize> {
        match side {
            BID => self.bids.binary_search_by(|level| level.price.cmp(&price)),
            _ => self.asks.binary_search_by(|level| price.cmp(&level.price)),
        }
    }

    pub(crate) fn qty_at(&self, side: u8, price: i64) -> i64 {
        self.find(side, price).map_or(0, |at| self.side(side)[at].qty)
    }

    pub(crate) fn best(&self, side: u8) -> Option<Level> {
        self.side(side).last().copied()
    }

    fn best_first(&self, side: u8) -> impl Iterator<Item = &Level> {
        self.side(side).iter().rev()
    }

    pub(crate) fn depth(&self, levels: usize) -> Depth {
        let take = |side| self.best_first(side).take(levels).copied().collect();
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
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(steps in prop::collection::vec((0u8..2, -20i64..20, 0i64..3), 0..300)) {
            let mut levels = L2Levels::new();
            let mut model = [BTreeMap::new(), BTreeMap::new()];
            for (side, price, qty) in steps {
                levels.set(side, price, qty);
                if qty == 0 { model[usize::from(side)].remove(&price) } else { model[usize::from(side)].insert(price, qty) };
                prop_assert_eq!(levels.qty_at(side, price), qty);
            }
            let level = |(&price, &qty): (&i64, &i64)| Level { price, qty };
            let bids: Vec<Level> = model[0].iter().rev().map(level).collect();
            let asks: Vec<Level> = model[1].iter().map(level).collect();
            prop_assert_eq!(levels.best(BID), bids.first().copied());
            prop_assert_eq!(levels.best(ASK), asks.first().copied());
            prop_assert_eq!(levels.depth(3).bids, &bids[..bids.len().min(3)]);
            prop_assert_eq!(levels.depth(usize::MAX), Depth { bids, asks });
        }
    }

    #[test]
    fn an_average_price_takes_level_after_level() {
        let mut levels = L2Levels::new();
        levels.set(ASK, 100, 2);
        levels.set(ASK, 103, 1);
        assert_eq!(levels.vwap(ASK, 2), Some(100.0));
        assert_eq!(levels.vwap(ASK, 3), Some(101.0));
        assert_eq!((levels.vwap(ASK, 4), levels.vwap(ASK, 0), levels.vwap(BID, 1)), (None, None, None));
    }

    #[test]
    fn imbalance_is_within_one_of_zero() {
        let mut levels = L2Levels::new();
        assert_eq!(levels.imbalance(5), None);
        levels.set(BID, 99, 3);
        assert_eq!(levels.imbalance(5), Some(1.0));
        levels.set(ASK, 100, 1);
        levels.set(ASK, 101, 8);
        assert_eq!((levels.imbalance(1), levels.imbalance(2)), (Some(0.5), Some(-0.5)));
    }
}
