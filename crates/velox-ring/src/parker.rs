//! The sleep of a side that has nothing to do, and the wake-up that is never lost, by [`Awaited`](crate::Awaited).

use std::time::Duration;

use crate::bed::Bed;
use crate::sync::Arc;

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
        let bed = Arc::new(Bed::for_one());
        (Self(Arc::clone(&bed)), Waker(bed))
    }

    /// One more waker of this sleeper.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.0))
    }

    /// Sleeps until it is woken, `longest` has passed, or at once not at all: `last_look` runs behind the raised flag
    /// and says whether there is work after all.
    pub fn park_unless(&mut self, last_look: impl FnOnce() -> bool, longest: Duration) {
        self.0.park_unless(last_look, longest);
    }
}

impl Waker {
    /// Wakes the sleeper if it sleeps; what was done before is seen by its last look or after it wakes.
    #[inline]
    pub fn wake(&self) {
        self.0.wake();
    }
}
