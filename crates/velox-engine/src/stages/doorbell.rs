//! How a script learns that its end of a ring has work, without looking all the time.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// Rung once for each time that the script asked for it.
///
/// The script arms it and then looks at its ring once more; the stage moves records and then looks whether it is armed.
/// A sequentially consistent fence stands between the two steps on both sides, so one of them sees the other, as with
/// [`Parker`](velox_ring::Parker).
pub struct Doorbell {
    armed: AtomicBool,
    abandoned: AtomicBool,
    bell: Box<dyn Fn() + Send + Sync>,
}

impl Doorbell {
    /// A bell that nobody waits for yet. `bell` must not block.
    pub fn new(bell: impl Fn() + Send + Sync + 'static) -> Self {
        Self { armed: AtomicBool::new(false), abandoned: AtomicBool::new(false), bell: Box::new(bell) }
    }

    /// The script waits: look at the ring once more after this.
    pub fn arm(&self) {
        // Relaxed, as the fence orders it.
        self.armed.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Records were moved: rings if somebody waits. A fence and a load where nobody does.
    pub fn ring(&self) {
        fence(Ordering::SeqCst);
        // Relaxed: the fence orders it against the records moved before.
        if self.armed.load(Ordering::Relaxed) && self.armed.swap(false, Ordering::Relaxed) {
            (self.bell)();
        }
    }

    /// Says whether nobody will read what comes: it then counts as dropped instead of holding up the run.
    pub fn abandon(&self, abandoned: bool) {
        // Relaxed: the flag orders nothing.
        self.abandoned.store(abandoned, Ordering::Relaxed);
    }

    /// Whether nobody reads.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Doorbell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doorbell").field("armed", &self.armed).finish_non_exhaustive()
    }
}
