//! How a script learns that its end of a ring has work, without looking all the time.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use velox_ring::Awaited;

/// Rung once for each time that the script asked for it, by [`Awaited`]: the script arms it and then looks at its ring
/// once more; the stage moves records and then looks whether it is armed.
pub struct Doorbell {
    armed: Awaited,
    abandoned: AtomicBool,
    bell: Box<dyn Fn() + Send + Sync>,
}

impl Doorbell {
    /// A bell that nobody waits for yet. `bell` must not block.
    pub fn new(bell: impl Fn() + Send + Sync + 'static) -> Self {
        Self { armed: Awaited::new(), abandoned: AtomicBool::new(false), bell: Box::new(bell) }
    }

    /// The script waits: look at the ring once more after this.
    pub fn arm(&self) {
        self.armed.raise();
    }

    /// Records were moved: rings if somebody waits. A fence and a load where nobody does.
    pub fn ring(&self) {
        if self.armed.is_raised() && self.armed.lower() {
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
