//! The book of many writers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use crate::{BookError, Depth, Level};

/// So often a writer tries.
const ATTEMPTS: u32 = 20;
/// The first tries are this many, with 1, 2, 4 … turns of a spin between them; the later ones sleep 1, 2, 4 … µs.
const SPINS: u32 = 8;

type Side = Mutex<BTreeMap<i64, i64>>;

/// A book whose updates add to what stands at a price; any number of threads update and read it. Exact for any price.
///
/// Each side has a lock that is held for one change (under a microsecond). A writer tries it 20 times, with exponential
/// backoff, some 5 ms in all, then gives up and has applied nothing. Net negative quantities are kept, as other
/// writers' updates may still bring them up, and are never the best.
///
/// ```
/// let book = velox_book::OrderBook::new();
/// book.update_bid(10_000, 5, 1)?;
/// book.update_ask(10_050, 5, 2)?;
/// assert_eq!((book.best_bid(), book.best_ask(), book.spread()), (10_000, 10_050, 50));
/// # Ok::<(), velox_book::BookError>(())
/// ```
#[derive(Debug, Default)]
pub struct OrderBook {
    bids: Side,
    asks: Side,
    last_update: AtomicU64,
}

fn lock(side: &Side) -> MutexGuard<'_, BTreeMap<i64, i64>> {
    side.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lock_within_attempts(side: &Side) -> Result<MutexGuard<'_, BTreeMap<i64, i64>>, BookError> {
    for attempt in 0..ATTEMPTS {
        match side.try_lock() {
            Ok(levels) => return Ok(levels),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if attempt < SPINS => (0..1 << attempt).for_each(|_| std::hint::spin_loop()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_micros(1 << (attempt - SPINS))),
        }
    }
    Err(BookError::Contended { attempts: ATTEMPTS })
}

fn put(levels: &mut BTreeMap<i64, i64>, price: i64, qty: i64) {
    if qty == 0 {
        levels.remove(&price);
    } else {
        levels.insert(price, qty);
    }
}

fn shown((&price, &qty): (&i64, &i64)) -> Option<Level> {
    (qty > 0).then_some(Level { price, qty })
}

impl OrderBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    fn add(&self, side: &Side, price: i64, delta: i64, timestamp: u64) -> Result<(), BookError> {
        let mut levels = lock_within_attempts(side)?;
        let have = levels.get(&price).copied().unwrap_or(0);
        let qty = have.checked_add(delta).ok_or(BookError::Overflow { price, have, delta })?;
        put(&mut levels, price, qty);
        // Relaxed: a number for reports, which orders nothing.
        self.last_update.fetch_max(timestamp, Ordering::Relaxed);
        Ok(())
    }

    fn set(&self, side: &Side, price: i64, qty: i64, timestamp: u64) -> Result<(), BookError> {
        put(&mut *lock_within_attempts(side)?, price, qty);
        self.last_update.fetch_max(timestamp, Ordering::Relaxed);
        Ok(())
    }

    /// Adds `delta` lots (below 0: takes them away) to the bid at `price`.
    ///
    /// # Errors
    /// [`BookError::Contended`], [`BookError::Overflow`]: nothing was applied.
    pub fn update_bid(&self, price: i64, delta: i64, timestamp: u64) -> Result<(), BookError> {
        self.add(&self.bids, price, delta, timestamp)
    }

    /// Adds `delta` lots (below 0: takes them away) to the ask at `price`.
    ///
    /// # Errors
    /// As [`update_bid`](Self::update_bid).
    pub fn update_ask(&self, price: i64, delta: i64, timestamp: u64) -> Result<(), BookError> {
        self.add(&self.asks, price, delta, timestamp)
    }

    /// Sets the bid at `price` to `qty` lots, whatever stood there.
    ///
    /// # Errors
    /// [`BookError::Contended`]: nothing was applied.
    pub fn set_bid(&self, price: i64, qty: i64, timestamp: u64) -> Result<(), BookError> {
        self.set(&self.bids, price, qty, timestamp)
    }

    /// Sets the ask at `price` to `qty` lots, whatever stood there.
    ///
    /// # Errors
    /// [`BookError::Contended`]: nothing was applied.
    pub fn set_ask(&self, price: i64, qty: i64, timestamp: u64) -> Result<(), BookError> {
        self.set(&self.asks, price, qty, timestamp)
    }

    /// The highest bid; `None` for an empty side.
    pub fn bid(&self) -> Option<i64> {
        lock(&self.bids).iter().rev().find_map(shown).map(|level| level.price)
    }

    /// The lowest ask; `None` for an empty side.
    pub fn ask(&self) -> Option<i64> {
        lock(&self.asks).iter().find_map(shown).map(|level| level.price)
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
        let side = if side == velox_record::BID { &self.bids } else { &self.asks };
        lock(side).get(&price).copied().unwrap_or(0)
    }

    /// The best `levels` of each side, one side after the other. Allocates what it gives.
    pub fn depth(&self, levels: usize) -> Depth {
        Depth {
            bids: lock(&self.bids).iter().rev().filter_map(shown).take(levels).collect(),
            asks: lock(&self.asks).iter().filter_map(shown).take(levels).collect(),
        }
    }

    /// The latest timestamp that an update carried.
    pub fn last_update(&self) -> u64 {
        self.last_update.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_gives_up_on_a_book_that_is_held_and_has_applied_nothing() {
        let book = OrderBook::new();
        let held = book.bids.lock().unwrap();
        assert_eq!(book.update_bid(1, 1, 1), Err(BookError::Contended { attempts: ATTEMPTS }));
        assert_eq!(book.update_ask(1, 1, 0), Ok(()), "the other side is free");
        drop(held);
        assert_eq!((book.bid(), book.last_update()), (None, 0));
        assert_eq!(book.update_bid(1, 1, 1), Ok(()));
    }
}
