//! How soon a side looks at the other's cursor again.
//!
//! Each look takes the line of that cursor away from the core that writes it, and two sides that run as fast as each other
//! take it to and fro for every few records. So after looks that found few, calls for single records give the other side a
//! moment before the next one, in which it gets further undisturbed. That is less than a record takes there and back
//! between two cores: round trips get shorter by it. Batches need none of it.

/// A look that finds fewer is thin, where the ring holds many times as many.
const THIN: usize = 64;

/// Passes some 70 ns by an empty loop: what `spin_loop` takes differs tenfold between processors.
#[inline]
fn pass() {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(any(loom, miri))))]
    for _ in 0..200 {
        // SAFETY: it does nothing; the compiler only can't leave it out.
        unsafe { std::arch::asm!("nop", options(nomem, nostack, preserves_flags)) };
    }
}

/// Whether a side should take its time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Looks {
    /// Whether the last look that found any was thin.
    is_thin: bool,
}

impl Looks {
    /// Passes a moment before the next look, where the others were thin.
    #[inline]
    pub(crate) fn keep_apart(self) {
        if self.is_thin {
            pass();
        }
    }

    /// Notes what a look found.
    #[inline]
    pub(crate) fn found(&mut self, count: usize, capacity: usize) {
        if count > 0 {
            self.is_thin = count < THIN && capacity >= 16 * THIN;
        }
    }
}
