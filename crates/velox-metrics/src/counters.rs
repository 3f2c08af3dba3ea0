//! Counters by name, each a word of a map with one writer.
//!
//! All stores are relaxed: a reader wants recent values, and orders nothing by them.

use std::sync::atomic::{AtomicU64, Ordering};

use velox_sys::{Block, WordMap};

use crate::layout::{LINE, book, edge, market, stage, symbol, thread};
use crate::market::{LiveState, SymbolState};

#[inline]
fn set(word: &AtomicU64, value: u64) {
    word.store(value, Ordering::Relaxed);
}

/// The account of one stage, for the thread that runs it.
#[derive(Clone)]
pub struct StageCounters(pub(crate) Block<LINE>);

impl StageCounters {
    /// Tells the whole account: taken, out, consumed, filtered, conflated, errors, held, and the ns that it was at work.
    /// Eight stores to one cache line; once a batch.
    #[inline]
    pub fn publish(&self, account: [u64; 8]) {
        const { assert!(stage::TAKEN == 0 && stage::BUSY == 7) };
        for (word, value) in self.0.iter().zip(account) {
            set(word, value);
        }
    }
}

/// The account of one edge: what its writer tells, and on lines of its own what its reader tells.
#[derive(Clone)]
pub struct EdgeCounters(pub(crate) Block<{ 2 * LINE }>);

impl EdgeCounters {
    /// Records given to it, dropped ones too. By its writer, as the next two.
    #[inline]
    pub fn offered(&self, records: u64) {
        set(&self.0[edge::OFFERED], records);
    }

    /// Those that found no room.
    #[inline]
    pub fn dropped(&self, records: u64) {
        set(&self.0[edge::DROPPED], records);
    }

    /// It held so many: the most that it ever did are kept.
    #[inline]
    pub fn fill(&self, records: u64) {
        let most = &self.0[edge::HIGH_WATER];
        if records > most.load(Ordering::Relaxed) {
            set(most, records);
        }
    }

    /// Records that were taken from it. By its reader, as the next.
    #[inline]
    pub fn popped(&self, records: u64) {
        set(&self.0[edge::POPPED], records);
    }

    /// Those that its reader took off without taking them in.
    #[inline]
    pub fn discarded(&self, records: u64) {
        set(&self.0[edge::DISCARDED], records);
    }

    /// How many its reader has told of, taken in or not. For its writer, which knows how many it gave.
    #[inline]
    pub fn gone(&self) -> u64 {
        let [popped, discarded] = [edge::POPPED, edge::DISCARDED].map(|at| self.0[at].load(Ordering::Relaxed));
        popped.wrapping_add(discarded)
    }
}

/// What one thread is at.
#[derive(Clone)]
pub struct ThreadCounters(pub(crate) Block<LINE>);

impl ThreadCounters {
    /// Its round began then, on the clock; [`u64::MAX`]: it sleeps.
    #[inline]
    pub fn beat(&self, at: u64) {
        set(&self.0[thread::BEAT], at);
    }

    /// It is at work on this stage.
    #[inline]
    pub fn at(&self, stage: usize) {
        set(&self.0[thread::AT], stage as u64);
    }

    /// So many pauses so far, their sum and the longest in ns.
    pub fn stalls(&self, count: u64, total_ns: u64, max_ns: u64) {
        set(&self.0[thread::STALLS], count);
        set(&self.0[thread::STALL_TOTAL], total_ns);
        set(&self.0[thread::STALL_MAX], max_ns);
    }
}

/// How one book stands.
#[derive(Clone)]
pub struct BookCounters(pub(crate) Block<LINE>);

impl BookCounters {
    /// It changed at this time of the clock: its state and sequence now.
    #[inline]
    pub fn changed(&self, state: crate::BookState, sequence: u64, at: u64) {
        set(&self.0[book::STATE], state as u64);
        set(&self.0[book::SEQUENCE], sequence);
        set(&self.0[book::UPDATED], at);
    }
}

/// What one live market has been through, each number for the thread that counts it.
#[derive(Clone)]
pub struct MarketCounters(pub(crate) Block<LINE>);

impl MarketCounters {
    /// Numbers of this process alone. Allocates.
    ///
    /// # Panics
    /// Never: a map of so many words has them; as for [`SymbolCounters`].
    pub fn new() -> Self {
        Self(WordMap::heap(LINE).block(0).expect("a map of so many words has them"))
    }

    /// Adds to a number of [`layout::market`](crate::layout::market): a plain load and store, as it has one writer.
    ///
    /// ```
    /// use velox_metrics::{MarketCounters, layout::market};
    ///
    /// let counters = MarketCounters::new();
    /// counters.add(market::GAPS, 2);
    /// assert_eq!(counters.get(market::GAPS), 2);
    /// ```
    ///
    /// # Panics
    /// There is no such number; as the next two.
    #[inline]
    pub fn add(&self, word: usize, more: u64) {
        set(&self.0[word], self.get(word).wrapping_add(more));
    }

    /// What it is now.
    ///
    /// # Panics
    /// As [`add`](Self::add).
    #[inline]
    pub fn get(&self, word: usize) -> u64 {
        self.0[word].load(Ordering::Relaxed)
    }

    /// How the connection stands now.
    pub fn stands(&self, state: LiveState) {
        set(&self.0[market::STATE], state as u64);
    }

    /// A message of so many bytes was received then, epoch ns.
    #[inline]
    pub fn received(&self, bytes: u64, at: u64) {
        self.add(market::MESSAGES, 1);
        self.add(market::BYTES, bytes);
        set(&self.0[market::LAST_MESSAGE], at);
    }
}

impl Default for MarketCounters {
    fn default() -> Self {
        Self::new()
    }
}

/// How one symbol of a live market stands.
#[derive(Clone)]
pub struct SymbolCounters(pub(crate) Block<LINE>);

impl SymbolCounters {
    /// Of this process alone. Allocates.
    ///
    /// # Panics
    /// As [`MarketCounters::new`].
    pub fn new() -> Self {
        Self(WordMap::heap(LINE).block(0).expect("a map of so many words has them"))
    }

    /// Whether it can be believed now.
    #[inline]
    pub fn stands(&self, state: SymbolState) {
        set(&self.0[symbol::STATE], state as u64);
    }

    /// An event of it was received then, epoch ns.
    #[inline]
    pub fn event(&self, at: u64) {
        set(&self.0[symbol::LAST_EVENT], at);
    }

    /// How it stands, and when its last event was received.
    pub fn get(&self) -> (SymbolState, u64) {
        let word = |at: usize| self.0[at].load(Ordering::Relaxed);
        (SymbolState::of(word(symbol::STATE)), word(symbol::LAST_EVENT))
    }
}

impl Default for SymbolCounters {
    fn default() -> Self {
        Self::new()
    }
}
