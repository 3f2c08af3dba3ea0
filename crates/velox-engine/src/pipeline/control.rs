//! What a run's threads are told from outside.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

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
    /// Whether the run goes: threads that are ready wait for all the others.
    gate: Mutex<bool>,
    bell: Condvar,
}

impl Control {
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub(crate) fn abort(&self) {
        self.abort.store(true, Ordering::Relaxed);
        self.open_gate();
        self.wake();
    }

    pub(crate) fn aborted(&self) -> bool {
        self.abort.load(Ordering::Relaxed)
    }

    pub(crate) fn open_gate(&self) {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }

    pub(crate) fn is_open(&self) -> bool {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wait_at_gate(&self) {
        let mut open = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self.bell.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wake(&self) {
        for sleeper in self.sleepers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            sleeper.wake();
        }
    }
}
