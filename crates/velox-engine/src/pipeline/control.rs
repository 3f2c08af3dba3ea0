//! What a run's threads are told from outside.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use velox_ring::Waker;

/// The orders of a run. Flags only: each is read and acted on by itself, so they are relaxed.
#[derive(Default)]
pub(crate) struct Control {
    /// The source ends; what is on the way arrives.
    pub stop: AtomicBool,
    /// Threads end where they are.
    pub abort: AtomicBool,
    /// Threads that may sleep.
    pub sleepers: Mutex<Vec<Waker>>,
}

impl Control {
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub(crate) fn abort(&self) {
        self.abort.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub(crate) fn aborted(&self) -> bool {
        self.abort.load(Ordering::Relaxed)
    }

    fn wake(&self) {
        for sleeper in self.sleepers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            sleeper.wake();
        }
    }
}
