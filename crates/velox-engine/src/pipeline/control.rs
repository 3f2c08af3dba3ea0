//! What a run's threads are told from outside.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use velox_metrics::RunState;
use velox_ring::Waker;

use super::error::EngineError;
use super::timeline::Timeline;

/// The orders of a run. Flags only: each is read and acted on by itself, so they are relaxed.
#[derive(Default)]
pub(crate) struct Control {
    /// The source ends; what is on the way arrives.
    pub stop: AtomicBool,
    /// Sources give nothing for a while.
    pub paused: AtomicBool,
    /// Threads end where they are.
    pub abort: AtomicBool,
    /// Why the run failed first: the stage and the reason.
    pub failure: Mutex<Option<(usize, EngineError)>>,
    /// Where recorded time lies on the clock.
    pub timeline: Arc<Timeline>,
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

    pub(crate) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
        self.wake();
    }

    /// Fails the run for this reason, unless it has one.
    pub(crate) fn fail(&self, stage: usize, error: EngineError) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((stage, error));
        self.abort();
    }

    pub(crate) fn abort(&self) {
        self.abort.store(true, Ordering::Relaxed);
        self.open_gate();
        self.wake();
    }

    /// How a run of which nothing moves any more has ended.
    pub(crate) fn state(&self) -> RunState {
        match &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((stage, _)) => RunState::Failed { stage: *stage },
            None if self.aborted() => RunState::Aborted,
            None => RunState::Done,
        }
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

    pub(crate) fn wake(&self) {
        for sleeper in self.sleepers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            sleeper.wake();
        }
    }
}
