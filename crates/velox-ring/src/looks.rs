//! How soon a side looks at the other's cursor again.
//!
//! Each look takes the line of that cursor away from the core that writes it, and two sides that run as fast as each other
//! take it to and fro for every few records. So after a look that found few or nothing, calls for single records keep the
//! next one a little apart, in which the other side gets further. That is less than a record takes there and back between
//! two cores, and who works longer than that between two calls isn't met by it. Batches need none of it.

/// A look that finds fewer is thin, where the ring holds many times as many.
const THIN: usize = 64;

/// Counts of the processor's counter from a thin look to the next one: 120 ns at 2.5 GHz. Measured: with a third of it the
/// sides often stay in step, with twice as much nothing is gained.
#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
const APART_TICKS: u64 = 300;

/// When a side may look again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Looks {
    /// The counter at the last look, where that was a thin one; else 0.
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    thin_at: u64,
}

#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
impl Looks {
    /// Passes the time until the next look, where the last one was thin and not long ago.
    #[inline]
    pub(crate) fn keep_apart(&mut self) {
        if self.thin_at != 0 {
            // A counter that goes backwards counts as long ago.
            while velox_sys::read_counter().wrapping_sub(self.thin_at) < APART_TICKS {
                std::hint::spin_loop();
            }
        }
    }

    /// Notes what a look found.
    #[inline]
    pub(crate) fn found(&mut self, count: usize, capacity: usize) {
        let is_thin = count < THIN && capacity >= 16 * THIN;
        self.thin_at = if is_thin { velox_sys::read_counter() } else { 0 };
    }
}

#[cfg(not(all(target_arch = "x86_64", not(any(loom, miri)))))]
impl Looks {
    #[allow(clippy::unused_self, reason = "there is no counter to go by")]
    pub(crate) fn keep_apart(&mut self) {}

    #[allow(clippy::unused_self, reason = "as above")]
    pub(crate) fn found(&mut self, count: usize, capacity: usize) {
        let _ = (count < THIN, capacity);
    }
}
