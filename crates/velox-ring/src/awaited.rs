//! The flag between somebody who waits for work and those who leave it.
//!
//! The one who waits raises it and then looks for work once more; the other leaves work and then looks at the flag. A
//! sequentially consistent fence stands between the two steps on both sides, so one of them sees the other (Dekker's
//! rule): telling nobody costs a fence and a load.

use crate::sync::{AtomicBool, Ordering, fence};

/// Whether somebody waits.
///
/// ```
/// let awaited = velox_ring::Awaited::new();
/// assert!(!awaited.is_raised());
/// awaited.raise(); // then: a last look for work
/// assert!(awaited.is_raised() && awaited.lower() && !awaited.lower());
/// ```
#[derive(Debug)]
pub struct Awaited(AtomicBool);

impl Awaited {
    /// Nobody waits.
    pub fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Somebody waits: a last look for work comes after this.
    #[inline]
    pub fn raise(&self) {
        // Relaxed, as the fence orders it before the last look.
        self.0.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Whether somebody waits, for one who has left work before this.
    #[inline]
    pub fn is_raised(&self) -> bool {
        fence(Ordering::SeqCst);
        // Relaxed: the fence orders it behind the work that was left.
        self.0.load(Ordering::Relaxed)
    }

    /// Lowers it; says whether it was raised: of several, one alone is told so.
    #[inline]
    pub fn lower(&self) -> bool {
        // Relaxed: it hands nothing over but itself.
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Default for Awaited {
    fn default() -> Self {
        Self::new()
    }
}
