//! A few words that one thread writes and any thread reads, all of one instant or none.
//!
//! Source: Boehm, "Can seqlocks get along with programming language memory models?" (MSPC 2012), section 4.

use crate::sync::{AtomicU64, Ordering, fence};

/// `N` words with a version: odd while they are being written.
/// Up to seven words lie with it in one cache line.
#[derive(Debug)]
#[repr(align(64))]
pub struct Seqlock<const N: usize> {
    version: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> Seqlock<N> {
    /// All words 0.
    #[must_use]
    pub fn new() -> Self {
        Self { version: AtomicU64::new(0), words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Writes all words. One thread at a time; never waits.
    pub fn write(&self, words: [u64; N]) {
        // Relaxed: only the writer changes it.
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        // Release: a reader that sees one of the new words sees the odd version too, behind its acquire fence.
        fence(Ordering::Release);
        for (cell, word) in self.words.iter().zip(words) {
            cell.store(word, Ordering::Relaxed);
        }
        // Release: pairs with the reader's first load; the words are written before.
        self.version.store(version + 2, Ordering::Release);
    }

    /// The words at these places, of one instant; `None` while they are being written.
    #[inline]
    pub fn try_pick<const M: usize>(&self, places: [usize; M]) -> Option<[u64; M]> {
        // Acquire: pairs with the writer's last store.
        let before = self.version.load(Ordering::Acquire);
        let words = places.map(|place| self.words[place].load(Ordering::Relaxed));
        // Acquire: pairs with the writer's fence; whoever saw a new word sees a new version next.
        fence(Ordering::Acquire);
        let after = self.version.load(Ordering::Relaxed);
        (before == after && before.is_multiple_of(2)).then_some(words)
    }

    /// All words of one instant. Tries again while they are being written, which takes a few nanoseconds.
    #[inline]
    pub fn read(&self) -> [u64; N] {
        self.pick(std::array::from_fn(|i| i))
    }

    /// The words at these places, of one instant, as [`read`](Self::read).
    #[inline]
    pub fn pick<const M: usize>(&self, places: [usize; M]) -> [u64; M] {
        loop {
            if let Some(words) = self.try_pick(places) {
                return words;
            }
            std::hint::spin_loop();
        }
    }
}
