//! The word of a node: which of its children hold something, `[version:26 | clearing:6 | mask:32]`.
//!
//! A set bit may lie for a while (the child is empty: the bit is *dead*), a bit that isn't set may not: a level that
//! an operation left above 0 is found from the time that the operation returns. What makes that so:
//!
//! 1. The truth is below: the quantity for a leaf's bit, the child's mask for an inner one. It changes first.
//! 2. Whoever leaves something below, or meets it, [raises](Word::raise) the bit of each level from the bottom up, and is
//!    through with a level when it has seen the bit set and not being cleared.
//! 3. Whoever [lowers](Word::lower) a bit announces it in the word, then looks at the truth, then clears by a
//!    compare-and-swap from that very word. A raise takes the announcement back, which makes that swap fail.
//!
//! So either the raise comes behind the announcement and sees it, or the look at the truth comes behind the change and
//! sees that. This rests on one order of all these accesses (the pattern is "store, then load the other's"), hence
//! sequentially consistent ones throughout, which cost nothing beyond the locked instructions on x86-64.
//!
//! The version makes words of different times different. 26 bits come around after 67 million changes of one word,
//! which would have to happen, to a multiple, while one thread stands between two instructions.

use crate::sync::{AtomicU64, Ordering, load};

const CLEARING: u32 = 32;
const VERSION: u32 = 38;

/// What a word was at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen(u64);

impl Seen {
    pub(super) const fn mask(self) -> u32 {
        self.0 as u32
    }

    const fn has(self, bit: u32) -> bool {
        self.mask() & 1 << bit != 0
    }

    /// The lowest bit that is set.
    pub(super) fn lowest(self) -> Option<u32> {
        (self.mask() != 0).then(|| self.mask().trailing_zeros())
    }

    /// The bit that is about to be cleared; it is set.
    pub(super) fn clearing(self) -> Option<u32> {
        ((self.0 >> CLEARING) as u32 % 64).checked_sub(1)
    }

    fn next(self, mask: u32, clearing: Option<u32>) -> Self {
        let version = (self.0 >> VERSION).wrapping_add(1) << VERSION;
        Self(version | u64::from(clearing.map_or(0, |bit| bit + 1)) << CLEARING | u64::from(mask))
    }
}

/// A line of its own: it changes seldom and is read by every operation below it.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Word(AtomicU64);

impl Word {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline]
    pub(super) fn load(&self) -> Seen {
        Seen(load(&self.0))
    }

    fn replace(&self, seen: Seen, next: Seen) -> bool {
        self.0.compare_exchange(seen.0, next.0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Sets a bit and takes back that it is about to be cleared. Says whether there was anything to do. Each further try
    /// is another thread's success.
    #[inline]
    pub(super) fn raise(&self, bit: u32) -> bool {
        let mut changed = false;
        loop {
            let seen = self.load();
            if seen.has(bit) && seen.clearing() != Some(bit) {
                return changed;
            }
            changed |=
                self.replace(seen, seen.next(seen.mask() | 1 << bit, seen.clearing().filter(|&other| other != bit)));
        }
    }

    /// Clears a bit unless the truth is against it, and settles what others announced on the way. `is_dead` looks at the truth.
    pub(super) fn lower(&self, bit: u32, is_dead: impl Fn(u32) -> bool) {
        loop {
            let seen = self.load();
            let next = match seen.clearing() {
                Some(cleared) if is_dead(cleared) => seen.next(seen.mask() & !(1 << cleared), None),
                Some(_) => seen.next(seen.mask(), None),
                None if seen.has(bit) && is_dead(bit) => seen.next(seen.mask(), Some(bit)),
                None => return,
            };
            self.replace(seen, next);
        }
    }

    /// Whether it is as it was seen.
    #[inline]
    pub(super) fn is_still(&self, seen: Seen) -> bool {
        self.load() == seen
    }
}
