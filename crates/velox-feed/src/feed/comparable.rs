//! Which of the exchange's own quotes a book could be checked against.
//!
//! A `bookTicker` and a depth event with the same `u` speak of the same instant of the book, in whichever order they
//! arrive. Counting these pairs here, without a book, is what a truth check is held to: a book that lost its
//! synchronisation makes fewer checks than there were pairs.

use std::collections::VecDeque;

/// The most tickers held for a depth event to come. Beyond it the oldest are let go, which can only be reached where
/// depth events are missing.
const MOST_HELD: usize = 65_536;

#[derive(Debug, Default)]
pub(crate) struct Comparable {
    count: u64,
    /// Counting began with the first synchronisation.
    begun: bool,
    /// The depth event seen last, once begun.
    last: u64,
    /// `u` of tickers that came before their depth event, ascending.
    held: VecDeque<u64>,
}

impl Comparable {
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// One that counts from the start.
    pub(crate) fn begun() -> Self {
        Self { begun: true, ..Self::default() }
    }

    pub(crate) fn begin(&mut self) {
        self.begun = true;
    }

    /// The depth event seen last was none: numbers may start again below it.
    pub(crate) fn forget(&mut self) {
        self.last = 0;
    }

    pub(crate) fn ticker(&mut self, update: u64) {
        if self.begun && update <= self.last {
            self.count += u64::from(update == self.last);
            return;
        }
        let at = self.held.iter().rposition(|&held| held <= update).map_or(0, |before| before + 1);
        self.held.insert(at, update);
        if self.held.len() > MOST_HELD {
            self.held.pop_front();
        }
    }

    /// A depth event: its `u` is above that of every one before.
    pub(crate) fn depth(&mut self, update: u64) {
        if !self.begun {
            return;
        }
        self.last = update;
        while let Some(&held) = self.held.front()
            && held <= update
        {
            self.held.pop_front();
            self.count += u64::from(held == update);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pair_counts_in_either_order_and_not_before_the_beginning() {
        let mut pairs = Comparable::default();
        pairs.ticker(3);
        pairs.depth(3);
        pairs.ticker(3);
        pairs.ticker(7);
        pairs.begin();
        pairs.depth(7);
        assert_eq!(pairs.count(), 1);
        pairs.depth(9);
        pairs.ticker(9);
        pairs.ticker(7);
        assert_eq!(pairs.count(), 2);
    }

    #[test]
    fn tickers_without_depth_do_not_pile_up() {
        let mut pairs = Comparable::default();
        (0..3 * MOST_HELD as u64).for_each(|update| pairs.ticker(update));
        assert_eq!(pairs.held.len(), MOST_HELD);
    }

    proptest! {
        #[test]
        fn it_counts_what_a_set_of_all_numbers_counts(steps in prop::collection::vec((any::<bool>(), 0u64..40), 0..200)) {
            let mut pairs = Comparable::default();
            pairs.begin();
            let (mut tickers, mut last, mut expected) = (Vec::new(), 0, 0);
            for (is_depth, step) in steps {
                if is_depth {
                    last += 1 + step % 4;
                    pairs.depth(last);
                    expected += tickers.iter().filter(|&&ticker| ticker == last).count() as u64;
                } else {
                    // Around the last depth event: before it, of it, or ahead of it.
                    let update = (last + step).saturating_sub(8);
                    pairs.ticker(update);
                    expected += u64::from(update == last);
                    if update > last {
                        tickers.push(update);
                    }
                }
            }
            prop_assert_eq!(pairs.count(), expected);
        }
    }
}
