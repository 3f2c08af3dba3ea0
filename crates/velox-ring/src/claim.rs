//! Which thread a side belongs to.

use std::sync::atomic::AtomicU64 as StdAtomicU64;

use crate::sync::{AtomicU64, Ordering, thread_local};

/// Numbers for threads. Not modelled: only that no two are the same matters.
static NEXT: StdAtomicU64 = StdAtomicU64::new(1);

thread_local! {
    static TOKEN: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
}

/// A side's owner: 0 nobody, else a thread's number.
#[derive(Debug)]
pub(crate) struct Claim(AtomicU64);

impl Claim {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Makes sure that the side is this thread's, claiming it where it is nobody's.
    ///
    /// # Panics
    /// When it is another thread's.
    #[inline]
    pub(crate) fn hold(&self, side: &'static str) {
        let token = TOKEN.with(|token| *token);
        // Relaxed: a thread that finds its own number wrote it itself.
        if self.0.load(Ordering::Relaxed) != token {
            self.take(token, side);
        }
    }

    #[cold]
    fn take(&self, token: u64, side: &'static str) {
        // Acquire: pairs with the release in `let_go`; what the last owner did with the side is seen.
        let taken = self.0.compare_exchange(0, token, Ordering::Acquire, Ordering::Relaxed);
        assert!(
            taken.is_ok(),
            "this RingBuffer has another thread as its {side}: a ring has one producer and one consumer. \
             That thread can hand its side over with release_{side}(), or use ring.split()"
        );
    }

    /// Gives the side up where it is this thread's; says whether it was.
    pub(crate) fn let_go(&self) -> bool {
        let token = TOKEN.with(|token| *token);
        // Release: pairs with the acquire in `take`.
        self.0.compare_exchange(token, 0, Ordering::Release, Ordering::Relaxed).is_ok()
    }
}
