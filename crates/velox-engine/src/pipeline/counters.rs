//! The accounts of a running pipeline: each counter has one writer, its stage's thread; anyone may read.

use std::sync::atomic::{AtomicU64, Ordering};

use super::stage::Tally;

/// A counter that one thread writes. Relaxed: a reader wants a recent value, and orders nothing by it.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// The larger of what is there and `value`; two threads may raise the same high-water mark.
    pub(crate) fn raise(&self, value: u64) {
        if value > self.get() {
            self.0.fetch_max(value, Ordering::Relaxed);
        }
    }
}

/// One stage's account.
#[derive(Debug, Default)]
pub(crate) struct StageCounters {
    pub taken: Counter,
    pub out: Counter,
    pub consumed: Counter,
    pub filtered: Counter,
    pub conflated: Counter,
    pub errors: Counter,
    pub held: Counter,
}

impl StageCounters {
    pub(crate) fn publish(&self, taken: u64, out: u64, tally: &Tally) {
        self.taken.set(taken);
        self.out.set(out);
        self.consumed.set(tally.consumed);
        self.filtered.set(tally.filtered);
        self.conflated.set(tally.conflated);
        self.errors.set(tally.errors);
        self.held.set(tally.held);
    }
}

/// The account of an edge: `offered = pushed + dropped`, where dropped are those that found no room and those that the
/// reader discarded.
#[derive(Debug, Default)]
pub(crate) struct EdgeCounters {
    pub offered: Counter,
    pub dropped: Counter,
    pub discarded: Counter,
    pub popped: Counter,
    pub high_water: Counter,
}
