//! Counters by name, each a word of a map with one writer.
//!
//! All stores are relaxed: a reader wants recent values, and orders nothing by them.

use std::sync::atomic::{AtomicU64, Ordering};

use velox_sys::Block;

use crate::layout::{LINE, book, edge, stage, thread};

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
