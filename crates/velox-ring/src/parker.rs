//! The sleep of a side that has nothing to do, and the wake-up that is never lost, by [`Awaited`].

use std::sync::PoisonError;
use std::time::Duration;

use crate::Awaited;
use crate::sync::{Arc, Condvar, Mutex};

#[derive(Debug)]
struct Bed {
    parked: Awaited,
    lock: Mutex<()>,
    bell: Condvar,
}

/// The side that sleeps.
#[derive(Debug)]
pub struct Parker(Arc<Bed>);

/// The side that wakes; cloned for each that does.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Bed>);

impl Parker {
    /// A sleeper and its waker.
    ///
    /// ```
    /// use std::time::Duration;
    /// let (mut parker, waker) = velox_ring::Parker::new();
    /// let thread = std::thread::spawn(move || parker.park_unless(|| false, Duration::from_secs(60)));
    /// while !thread.is_finished() {
    ///     waker.wake();
    /// }
    /// ```
    pub fn new() -> (Self, Waker) {
        let bed = Arc::new(Bed { parked: Awaited::new(), lock: Mutex::new(()), bell: Condvar::new() });
        (Self(Arc::clone(&bed)), Waker(bed))
    }

    /// One more waker of this sleeper.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.0))
    }

    /// Sleeps until it is woken, `longest` has passed, or at once not at all: `last_look` runs behind the raised flag
    /// and says whether there is work after all.
    pub fn park_unless(&mut self, last_look: impl FnOnce() -> bool, longest: Duration) {
        self.0.parked.raise();
        if last_look() {
            self.0.parked.lower();
            return;
        }
        let held = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        // A waker that lowered the flag before this lock is seen here; one after it rings while this waits.
        if self.0.parked.is_raised() {
            drop(self.0.bell.wait_timeout(held, longest).unwrap_or_else(PoisonError::into_inner));
        }
        self.0.parked.lower();
    }
}

impl Waker {
    /// Wakes the sleeper if it sleeps; what was done before is seen by its last look or after it wakes.
    #[inline]
    pub fn wake(&self) {
        if self.0.parked.is_raised() {
            self.ring();
        }
    }

    #[cold]
    fn ring(&self) {
        let held = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.parked.lower();
        // Before the bell, or the sleeper would wake only to wait for the lock.
        drop(held);
        self.0.bell.notify_one();
    }
}
