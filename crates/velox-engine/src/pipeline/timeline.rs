//! One origin for all that was recorded.

use std::sync::{Mutex, OnceLock, PoisonError};

use velox_ring::Waker;

/// Where the recorded time of a run's sources lies on the clock: the earliest of their first records is let go when the
/// run begins, and what another source received so much later so much later.
///
/// A source [joins](Self::join) it before the run goes, then says when its own first record was received
/// ([`begin`](Self::begin)), and lets nothing go until there is an [`origin`](Self::origin).
///
/// ```
/// use velox_engine::pipeline::Timeline;
/// let timeline = Timeline::default();
/// let (_, waker) = velox_engine::ring::Parker::new();
/// timeline.join(waker.clone());
/// timeline.join(waker);
/// timeline.begin(Some(5_000), 100);
/// assert_eq!(timeline.origin(), None);
/// timeline.begin(Some(2_000), 130);
/// assert_eq!(timeline.origin(), Some((130, 2_000)));
/// ```
#[derive(Debug, Default)]
pub struct Timeline {
    members: Mutex<Members>,
    origin: OnceLock<(u64, u64)>,
}

#[derive(Debug, Default)]
struct Members {
    /// Of those that have not begun and of those that have: each may sleep until all have.
    wakers: Vec<Waker>,
    begun: usize,
    earliest: Option<u64>,
}

impl Timeline {
    /// One more source, which `waker` wakes when there is an origin. To be called before the run goes.
    pub fn join(&self, waker: Waker) {
        self.members.lock().unwrap_or_else(PoisonError::into_inner).wakers.push(waker);
    }

    /// A source knows at `now`, on the clock, that its first record was received at `first`, or that it has none. Once
    /// for each that joined; the last of them sets the origin. Takes a lock.
    pub fn begin(&self, first: Option<u64>, now: u64) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.begun += 1;
        members.earliest = members.earliest.into_iter().chain(first).min();
        if members.begun == members.wakers.len()
            && let Some(earliest) = members.earliest
        {
            // Each member begins once, so nobody has set it before.
            let _ = self.origin.set((now, earliest));
            members.wakers.iter().for_each(Waker::wake);
        }
    }

    /// The clock at the origin, and its record time; none until all members have begun.
    pub fn origin(&self) -> Option<(u64, u64)> {
        self.origin.get().copied()
    }
}
