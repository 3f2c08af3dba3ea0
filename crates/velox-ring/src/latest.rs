//! The ring that never refuses: what is pushed writes over the oldest, and a reader is told how many it missed.
//!
//! Each slot is a sequence lock (Lameter's in Linux; the orderings are Boehm's, "Can seqlocks get along with programming
//! language memory models?", MSPC 2012): the writer may come round while a reader copies, so a record is copied word by
//! word with relaxed atomics, and counts only if the slot's stamp is the same afterwards. No word is ever read or written
//! but by an atomic, so a torn copy is other words and never undefined behaviour, and it is thrown away before a record
//! is made of it.
//!
//! ```text
//!                   who writes it       what it holds
//!  ┌─ each slot ──┐
//!  │ stamp        │ the producer        2 × position while it is written, 2 × position + 1 after, wrapping
//!  │ words        │ the producer        the record's words
//!  ├─ line pair ──┤
//!  │ tail         │ the producer        how many were pushed, wrapping
//!  └──────────────┘
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::mem::take;
use std::time::Duration;

use velox_record::Record;

use crate::bed::Bed;
use crate::halves::{InvalidCapacity, checked};
use crate::sync::{Arc, AtomicBool, AtomicU64, AtomicUsize, Ordering, Padded, fence};
use crate::wait::{PopError, Wait, wait_until};

/// A ring of `capacity` slots that keeps the latest records. Allocates all slots.
///
/// The consumer can be cloned: each clone reads all on its own, and none holds up the producer.
///
/// # Errors
/// [`InvalidCapacity`]: not a power of two from 1 to 2^31.
///
/// ```
/// use velox_record::Transaction;
///
/// let (mut producer, mut consumer) = velox_ring::latest_ring::<Transaction>(4)?;
/// for id in 0..10 {
///     producer.push(&Transaction::new(id, 100, 1, 0, 0));
/// }
/// let oldest = consumer.pop().unwrap();
/// assert_eq!((oldest.record.id, oldest.missed), (6, 6));
/// assert_eq!(consumer.pop().map(|next| (next.record.id, next.missed)), Some((7, 0)));
/// # Ok::<(), velox_ring::InvalidCapacity>(())
/// ```
pub fn latest_ring<R: Record>(capacity: usize) -> Result<(LatestProducer<R>, LatestConsumer<R>), InvalidCapacity> {
    Ok(make(checked(capacity)?, false))
}

/// A [`latest_ring`] that wakes who sleeps: see [`blocking_ring`](crate::blocking_ring).
///
/// # Errors
/// As [`latest_ring`].
pub fn blocking_latest_ring<R: Record>(
    capacity: usize,
) -> Result<(LatestProducer<R>, LatestConsumer<R>), InvalidCapacity> {
    Ok(make(checked(capacity)?, true))
}

fn make<R: Record>(capacity: usize, wakes: bool) -> (LatestProducer<R>, LatestConsumer<R>) {
    let at = 0u64.wrapping_sub(capacity as u64);
    let cells = 1 + R::WORDS;
    let cell = |i: usize| {
        // As if it had been written one round earlier.
        let before = at.wrapping_add((i / cells) as u64).wrapping_sub(capacity as u64);
        AtomicU64::new(if i.is_multiple_of(cells) { written(before) } else { 0 })
    };
    let shared = Arc::new(Shared {
        cells: (0..capacity * cells).map(cell).collect(),
        capacity,
        wakes,
        tail: Padded(AtomicU64::new(at)),
        ends: Padded(Ends {
            producer_gone: AtomicBool::new(false),
            consumers: AtomicUsize::new(1),
            sleepers: Bed::for_several(),
        }),
        record: PhantomData,
    });
    let words = || vec![0; R::WORDS];
    (
        LatestProducer { shared: Arc::clone(&shared), at, words: words() },
        LatestConsumer { shared, at, missed: 0, words: words() },
    )
}

/// The stamp of a slot that holds the record of this position.
const fn written(position: u64) -> u64 {
    position.wrapping_mul(2).wrapping_add(1)
}

struct Shared<R> {
    /// Of each slot, the stamp and the words.
    cells: Box<[AtomicU64]>,
    capacity: usize,
    /// Whether a push wakes who sleeps: it costs a fence.
    wakes: bool,
    tail: Padded<AtomicU64>,
    ends: Padded<Ends>,
    record: PhantomData<fn() -> R>,
}

struct Ends {
    producer_gone: AtomicBool,
    consumers: AtomicUsize,
    sleepers: Bed,
}

impl<R: Record> Shared<R> {
    #[inline]
    fn slot(&self, position: u64) -> (&AtomicU64, &[AtomicU64]) {
        let cells = 1 + R::WORDS;
        let slot = position as usize & (self.capacity - 1);
        let (stamp, words) = self.cells[slot * cells..(slot + 1) * cells].split_first().expect("a slot has a stamp");
        (stamp, words)
    }

    /// How far the stamp of a position's slot is from that of its record: 0 where it is there, negative where it is yet to
    /// come, positive where it was written over.
    #[inline]
    fn state(&self, position: u64) -> i64 {
        // Acquire: pairs with the release of the stamp in `push`; the words are written before.
        self.slot(position).0.load(Ordering::Acquire).wrapping_sub(written(position)) as i64
    }
}

/// The side that pushes. Dropping it closes the ring.
pub struct LatestProducer<R: Record> {
    shared: Arc<Shared<R>>,
    /// The next position, wrapping.
    at: u64,
    words: Vec<u64>,
}

/// A side that reads what is still there.
pub struct LatestConsumer<R: Record> {
    shared: Arc<Shared<R>>,
    /// The next position, wrapping.
    at: u64,
    /// What was passed since the last record and not told yet.
    missed: u64,
    words: Vec<u64>,
}

/// A record, and what was lost before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latest<R> {
    /// The record.
    pub record: R,
    /// How many records between the one read before and this one were written over.
    pub missed: u64,
}

impl<R: Record> LatestProducer<R> {
    /// Adds a record, over the oldest where the ring is full. Wait-free, allocates nothing.
    #[inline]
    pub fn push(&mut self, record: &R) {
        record.to_words(&mut self.words);
        let (stamp, words) = self.shared.slot(self.at);
        // Relaxed: the fence orders it before the words.
        stamp.store(written(self.at).wrapping_sub(1), Ordering::Relaxed);
        // Release: pairs with the reader's acquire fence; who read one of the words below sees the stamp above.
        fence(Ordering::Release);
        for (cell, word) in words.iter().zip(&self.words) {
            cell.store(*word, Ordering::Relaxed);
        }
        // Release: pairs with the acquire in `state`.
        stamp.store(written(self.at), Ordering::Release);
        self.at = self.at.wrapping_add(1);
        // Release: pairs with the acquire in `skip`.
        self.shared.tail.0.store(self.at, Ordering::Release);
        if self.shared.wakes {
            self.shared.ends.0.sleepers.wake();
        }
    }

    /// How many records the ring keeps.
    pub fn capacity(&self) -> usize {
        self.shared.capacity
    }

    /// Whether no consumer is left.
    pub fn is_abandoned(&self) -> bool {
        // Relaxed: the count orders nothing.
        self.shared.ends.0.consumers.load(Ordering::Relaxed) == 0
    }
}

impl<R: Record> LatestConsumer<R> {
    /// The next record that is still there. Lock-free: it tries again only where the producer has gone a round on.
    ///
    /// # Panics
    /// Where [`Record::from_words`] refuses what [`Record::to_words`] wrote, so for a broken `R` alone.
    #[inline]
    pub fn pop(&mut self) -> Option<Latest<R>> {
        loop {
            match self.shared.state(self.at) {
                0 if self.copy() => {
                    let record = R::from_words(&self.words).expect("a record's own words form the record");
                    self.at = self.at.wrapping_add(1);
                    return Some(Latest { record, missed: take(&mut self.missed) });
                }
                ..0 => return None,
                _ => self.missed += self.skip(),
            }
        }
    }

    /// The next record as soon as there is one, for as long as `timeout` says; `Duration::MAX` for ever.
    ///
    /// # Errors
    /// [`PopError`]: the time is over, or the producer is gone and all that it left is read.
    pub fn pop_wait(&mut self, wait: &mut (impl Wait + ?Sized), timeout: Duration) -> Result<Latest<R>, PopError> {
        let shared = Arc::clone(&self.shared);
        let (mut latest, mut closed) = (None, false);
        // Pops as it looks: a record that was seen may be written over a moment later.
        let look = || {
            if latest.is_none() {
                // First: what was pushed before the ring was closed is seen by the look after this.
                closed = self.is_closed();
                latest = self.pop();
            }
            latest.is_some() || closed
        };
        wait_until(wait, timeout, &shared.ends.0.sleepers, shared.wakes, look);
        latest.ok_or(if closed { PopError::Closed } else { PopError::TimedOut })
    }

    /// Goes on to the newest record, as if all before it had been written over: [`pop`](Self::pop) counts none of them. Says
    /// how many were passed.
    pub fn skip_to_latest(&mut self) -> u64 {
        // Acquire: as in `skip`.
        let newest = self.shared.tail.0.load(Ordering::Acquire).wrapping_sub(1);
        let passed = newest.wrapping_sub(self.at);
        if (passed as i64) <= 0 {
            return 0;
        }
        self.at = newest;
        passed
    }

    /// Whether the producer is gone.
    pub fn is_closed(&self) -> bool {
        // Acquire: pairs with the release of a producer that goes; what it pushed last is seen by a look after this.
        self.shared.ends.0.producer_gone.load(Ordering::Acquire)
    }

    /// Whether the producer is gone and nothing is left to read.
    pub fn is_finished(&self) -> bool {
        self.is_closed() && self.shared.state(self.at) < 0
    }

    /// Copies the words of the next record; says whether they are its own.
    #[inline]
    fn copy(&mut self) -> bool {
        let (stamp, words) = self.shared.slot(self.at);
        for (word, cell) in self.words.iter_mut().zip(words) {
            *word = cell.load(Ordering::Relaxed);
        }
        // Acquire: pairs with the release fence in `push`: had one of the words been a later one, so would the stamp be.
        fence(Ordering::Acquire);
        // Relaxed: the fence orders it behind the words.
        stamp.load(Ordering::Relaxed) == written(self.at)
    }

    /// Goes on to the oldest record that is still there; says how many that passes.
    #[cold]
    fn skip(&mut self) -> u64 {
        // Acquire: pairs with the release in `push`; the stamps of the records before `tail` are there.
        let tail = self.shared.tail.0.load(Ordering::Acquire);
        let oldest = tail.wrapping_sub(self.shared.capacity as u64);
        let passed = oldest.wrapping_sub(self.at);
        if (passed as i64) <= 0 {
            // The oldest is being written over, by the record that `tail` will count next.
            self.at = self.at.wrapping_add(1);
            return 1;
        }
        self.at = oldest;
        passed
    }
}

impl<R: Record> Clone for LatestConsumer<R> {
    fn clone(&self) -> Self {
        // Relaxed: the count orders nothing.
        self.shared.ends.0.consumers.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::clone(&self.shared), at: self.at, missed: self.missed, words: self.words.clone() }
    }
}

impl<R: Record> Drop for LatestProducer<R> {
    fn drop(&mut self) {
        // Release: pairs with the acquire in `is_closed`.
        self.shared.ends.0.producer_gone.store(true, Ordering::Release);
        self.shared.ends.0.sleepers.wake();
    }
}

impl<R: Record> Drop for LatestConsumer<R> {
    fn drop(&mut self) {
        // Relaxed: the count orders nothing.
        self.shared.ends.0.consumers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<R: Record> fmt::Debug for LatestProducer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatestProducer").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

impl<R: Record> fmt::Debug for LatestConsumer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatestConsumer").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}
