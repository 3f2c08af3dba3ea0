//! The price levels that a record shows, and what changed since another.

use std::cmp::Ordering;

use ::dbn::{BidAskPair, UNDEF_PRICE};
use velox_record::{ASK, BID, EventKind, MarketEvent, flags};

use super::fixed::Fixed;
use crate::error::Fault;

/// The most levels of a side that a record has.
const DEPTH: usize = 10;

/// Both sides, the best first: ticks and lots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Levels {
    sides: [[(i64, i64); DEPTH]; 2],
    counts: [usize; 2],
}

impl Levels {
    pub(super) fn of(pairs: &[BidAskPair], tick: &Fixed, lot: &Fixed) -> Result<Self, Fault> {
        let mut levels = Self::default();
        for pair in pairs.iter().take(DEPTH) {
            let sides = [(BID, pair.bid_px, pair.bid_sz, "bid_px"), (ASK, pair.ask_px, pair.ask_sz, "ask_px")];
            for (side, price, size, field) in sides {
                if price != UNDEF_PRICE && size != 0 {
                    levels.push(side, (tick.count(price, field)?, lot.count(i64::from(size), "size")?))?;
                }
            }
        }
        Ok(levels)
    }

    fn side(&self, side: u8) -> &[(i64, i64)] {
        &self.sides[usize::from(side)][..self.counts[usize::from(side)]]
    }

    fn push(&mut self, side: u8, level: (i64, i64)) -> Result<(), Fault> {
        if let Some(before) = self.side(side).last()
            && order(side, before.0, level.0) != Ordering::Less
        {
            let expected = if side == BID { "bids that fall" } else { "asks that rise" };
            return Err(Fault::new(
                format!("{expected} from level to level"),
                format!("{} behind {}", level.0, before.0),
            ));
        }
        let at = usize::from(side);
        self.sides[at][self.counts[at]] = level;
        self.counts[at] += 1;
        Ok(())
    }

    /// Appends what makes a book of `before` one of these levels, the last flagged LAST; without `before` all of them,
    /// the first flagged SNAPSHOT.
    pub(super) fn append_changes(&self, before: Option<&Self>, stamp: MarketEvent, out: &mut Vec<MarketEvent>) {
        let (start, empty) = (out.len(), Self::default());
        let stamp = MarketEvent { kind: EventKind::LEVEL, ..stamp };
        for side in [BID, ASK] {
            let mut old = before.unwrap_or(&empty).side(side).iter().copied().peekable();
            let mut new = self.side(side).iter().copied().peekable();
            loop {
                let (price, qty) = match (old.peek(), new.peek()) {
                    (None, None) => break,
                    (Some(&(price, _)), None) => {
                        old.next();
                        (price, 0)
                    }
                    (None, Some(&level)) => {
                        new.next();
                        level
                    }
                    (Some(&was), Some(&is)) => match order(side, was.0, is.0) {
                        Ordering::Less => {
                            old.next();
                            (was.0, 0)
                        }
                        Ordering::Greater => {
                            new.next();
                            is
                        }
                        Ordering::Equal => {
                            old.next();
                            new.next();
                            if was.1 == is.1 {
                                continue;
                            }
                            is
                        }
                    },
                };
                out.push(MarketEvent { side, price, qty, ..stamp });
            }
        }
        if before.is_none() {
            if out.len() == start {
                // An empty book too must void the one before it: the removal of a level that isn't there.
                out.push(stamp);
            }
            out[start].flags |= flags::SNAPSHOT;
        }
        if let Some(last) = out[start..].last_mut() {
            last.flags |= flags::LAST;
        }
    }
}

/// Which of two prices of a side is the better: that one is `Less`.
fn order(side: u8, a: i64, b: i64) -> Ordering {
    if side == BID { b.cmp(&a) } else { a.cmp(&b) }
}
