//! The book of many writers.

mod latest;
mod node;
mod tree;
mod word;

use std::time::Duration;

use velox_record::{ASK, BID};

use self::latest::Latest;
use self::node::KEY;
use self::tree::{Path, Tree};
use crate::level::{gather, group};
use crate::{BookError, Depth, Level};

/// So often a writer tries.
const ATTEMPTS: u32 = if cfg!(loom) { 2 } else { 20 };
/// The first tries are this many, with 1, 2, 4 … turns of a spin between them; the later ones sleep 1, 2, 4 … µs.
const SPINS: u32 = 8;

/// A book whose updates add to what stands at a price; any number of threads update and read it. Exact for any price and
/// any 64-bit quantity.
///
/// Take [`L2Book`](crate::L2Book) where one thread writes, as for an exchange's feed: it is several times as fast, has sequences, and shows
/// an exchange event as one instant. Take this one where several threads write, and each change counts by itself.
///
/// No thread waits for another one's turn: a thread that is held up anywhere holds nobody else up, but for the moments in which
/// a price is used for the first time and memory for its neighbourhood is hung in. Operations on prices,
/// [`qty_at`](Self::qty_at), [`bid`](Self::bid) and [`ask`](Self::ask) are linearizable: each takes effect at one instant between its call and its return,
/// for all threads. An update tries its quantity 20 times against others on the same price, with exponential backoff, some 5 ms in all,
/// then gives up and has applied nothing; once the quantity is in, it is finished. Net negative quantities are kept, as other
/// writers' updates may still bring them up, and are never the best.
///
/// Cost: 15 to 40 ns an update with two writers and a reader on two cores, near the first price of its side; more for
/// prices that differ from that in their 16th or a higher bit, by a step for every 5 bits. Memory: 2 kB at first, then
/// 320 bytes for each 32 ticks in use and 830 for each node above; none is given back before the book goes.
///
/// ```
/// let book = velox_book::OrderBook::new();
/// book.update_bid(10_000, 5, 1)?;
/// book.update_ask(10_050, 5, 2)?;
/// assert_eq!((book.best_bid(), book.best_ask(), book.spread()), (10_000, 10_050, 50));
/// # Ok::<(), velox_book::BookError>(())
/// ```
#[derive(Debug)]
pub struct OrderBook {
    bids: Tree,
    asks: Tree,
    last_update: Latest,
}

impl Default for OrderBook {
    fn default() -> Self {
        Self::new()
    }
}

/// Tries until there is an answer.
fn attempt<T>(mut change: impl FnMut() -> Option<T>) -> Result<T, BookError> {
    for attempt in 0..ATTEMPTS {
        if let Some(answer) = change() {
            return Ok(answer);
        }
        if attempt < SPINS {
            (0..1 << attempt).for_each(|_| std::hint::spin_loop());
        } else {
            std::thread::sleep(Duration::from_micros(1 << (attempt - SPINS)));
        }
    }
    Err(BookError::Contended { attempts: ATTEMPTS })
}

/// The lowest key is the best price.
const fn key(side: u8, price: i64) -> u64 {
    let ascending = if side == BID { !price } else { price };
    (ascending as u64).wrapping_add(1 << (KEY - 1)) & (u64::MAX >> (64 - KEY))
}

const fn price(side: u8, key: u64) -> i64 {
    let ascending = key.wrapping_sub(1 << (KEY - 1)) as i64;
    if side == BID { !ascending } else { ascending }
}

impl OrderBook {
    /// An empty book. Allocates two nodes.
    pub fn new() -> Self {
        Self { bids: Tree::new(), asks: Tree::new(), last_update: Latest::default() }
    }

    fn side(&self, side: u8) -> &Tree {
        if side == BID { &self.bids } else { &self.asks }
    }

    #[inline]
    fn add(&self, side: u8, price: i64, delta: i64, timestamp: u64) -> Result<(), BookError> {
        let change = |path: Path| {
            attempt(|| {
                let have = path.peek();
                match have.checked_add(delta) {
                    Some(qty) => path.replace(have, qty).then_some(Ok(())),
                    None => Some(Err(BookError::Overflow { price, have, delta })),
                }
            })
        };
        self.side(side).at(key(side, price), change)??;
        self.last_update.raise(timestamp);
        Ok(())
    }

    #[inline]
    fn set(&self, side: u8, price: i64, qty: i64, timestamp: u64) {
        let (tree, key) = (self.side(side), key(side, price));
        if qty == 0 {
            tree.at_known(key, |path| path.set(qty));
        } else {
            tree.at(key, |path| path.set(qty));
        }
        self.last_update.raise(timestamp);
    }

    /// Adds `delta` lots (below 0: takes them away) to the bid at `price`.
    ///
    /// # Errors
    /// [`BookError::Contended`], [`BookError::Overflow`]: nothing was applied.
    pub fn update_bid(&self, price: i64, delta: i64, timestamp: u64) -> Result<(), BookError> {
        self.add(BID, price, delta, timestamp)
    }

    /// Adds `delta` lots (below 0: takes them away) to the ask at `price`.
    ///
    /// # Errors
    /// As [`update_bid`](Self::update_bid).
    pub fn update_ask(&self, price: i64, delta: i64, timestamp: u64) -> Result<(), BookError> {
        self.add(ASK, price, delta, timestamp)
    }

    /// Sets the bid at `price` to `qty` lots, whatever stood there.
    ///
    /// # Errors
    /// None: it needs one try, whoever else writes.
    pub fn set_bid(&self, price: i64, qty: i64, timestamp: u64) -> Result<(), BookError> {
        self.set(BID, price, qty, timestamp);
        Ok(())
    }

    /// Sets the ask at `price` to `qty` lots, whatever stood there.
    ///
    /// # Errors
    /// None: it needs one try, whoever else writes.
    pub fn set_ask(&self, price: i64, qty: i64, timestamp: u64) -> Result<(), BookError> {
        self.set(ASK, price, qty, timestamp);
        Ok(())
    }

    /// The highest bid; `None` for an empty side.
    pub fn bid(&self) -> Option<i64> {
        self.bids.best().map(|key| price(BID, key))
    }

    /// The lowest ask; `None` for an empty side.
    pub fn ask(&self) -> Option<i64> {
        self.asks.best().map(|key| price(ASK, key))
    }

    /// [`bid`](Self::bid), 0 for an empty side.
    pub fn best_bid(&self) -> i64 {
        self.bid().unwrap_or(0)
    }

    /// [`ask`](Self::ask), `i64::MAX` for an empty side.
    pub fn best_ask(&self) -> i64 {
        self.ask().unwrap_or(i64::MAX)
    }

    /// [`best_ask`](Self::best_ask) less [`best_bid`](Self::best_bid), saturating: two reads, one after the other. Below 0
    /// while the book is crossed.
    pub fn spread(&self) -> i64 {
        self.best_ask().saturating_sub(self.best_bid())
    }

    /// The spread; `None` while a side is empty.
    pub fn checked_spread(&self) -> Option<i64> {
        Some(self.ask()?.saturating_sub(self.bid()?))
    }

    /// What stands at a price of a side ([`BID`](velox_record::BID) or [`ASK`](velox_record::ASK)): below 0 where more
    /// was taken away than added.
    pub fn qty_at(&self, side: u8, price: i64) -> i64 {
        self.side(side).at_known(key(side, price), |path| path.qty()).unwrap_or(0)
    }

    /// The best `levels` of each side. Each level is as it stood at one time of the call, and one that stood through all of it
    /// is there; for all of one instant, take [`L2Book`](crate::L2Book). Allocates what it gives.
    pub fn depth(&self, levels: usize) -> Depth {
        self.depth_grouped(levels, 0)
    }

    /// [`depth`](Self::depth) in groups of `2^shift` ticks, by the rules of
    /// [`L2Book::depth_grouped`](crate::L2Book::depth_grouped). The best prices stay what they are. Allocates what it gives.
    pub fn depth_grouped(&self, levels: usize, shift: u32) -> Depth {
        Depth { bids: self.best_of(BID, levels, shift), asks: self.best_of(ASK, levels, shift) }
    }

    fn best_of(&self, side: u8, levels: usize, shift: u32) -> Vec<Level> {
        let mut groups = Vec::new();
        self.side(side)
            .each(|key, qty| gather(&mut groups, Level { price: group(side, price(side, key), shift), qty }, levels));
        groups
    }

    /// The latest timestamp that an update carried.
    pub fn last_update(&self) -> u64 {
        self.last_update.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_never_gets_through_is_given_up() {
        let mut tries = 0;
        let refused = attempt(|| -> Option<()> {
            tries += 1;
            None
        });
        assert_eq!((refused, tries), (Err(BookError::Contended { attempts: ATTEMPTS }), ATTEMPTS));
    }

    #[test]
    fn a_key_is_in_the_order_of_a_side_and_comes_back() {
        let prices = [i64::MIN, -1, 0, 1, i64::MAX];
        for pair in prices.windows(2) {
            assert!(key(ASK, pair[0]) < key(ASK, pair[1]) && key(BID, pair[0]) > key(BID, pair[1]));
        }
        for side in [BID, ASK] {
            assert_eq!(prices.map(|at| price(side, key(side, at))), prices);
        }
    }
}
