//! Plain words in memory that a script can reach: the batches that a script's stage reads and writes in place.
//!
//! The rules are those of the shared ring (`foreign.rs`): each word is copied by an atomic of its own, no offset is
//! believed, no reference to data is formed. Between two calls of one thread there is no race; should a script share
//! the memory all the same, it gets other words, and never undefined behaviour.

use std::any::Any;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Words of shared memory, by index.
pub struct ForeignWords {
    /// 8-byte aligned, valid for `words` words while `keep_alive` lives: the maker promised it.
    at: NonNull<u64>,
    words: usize,
    #[expect(dead_code, reason = "held, never looked at")]
    keep_alive: Arc<dyn Any + Send + Sync>,
}

// SAFETY: the promise about `at` holds on any thread, and all access is by atomics.
unsafe impl Send for ForeignWords {}

impl ForeignWords {
    /// Takes hold of words.
    ///
    /// # Safety
    /// `at` is 8-byte aligned and valid for reads and writes of `words` 64-bit words for as long as `keep_alive` lives,
    /// and nothing but atomics or scripts accesses it.
    pub unsafe fn new(at: NonNull<u64>, words: usize, keep_alive: Arc<dyn Any + Send + Sync>) -> Self {
        Self { at, words, keep_alive }
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words == 0
    }

    /// Writes one word behind the other from `from` on.
    ///
    /// # Panics
    /// Beyond the end.
    pub fn fill(&self, from: usize, words: impl ExactSizeIterator<Item = u64>) {
        let count = words.len();
        assert!(count <= self.words && from <= self.words - count, "words beyond the shared memory");
        // `take`: a length that was a lie must not lead beyond the end.
        for (i, word) in words.take(count).enumerate() {
            // SAFETY: the assertion: below `from + count`, so below the end.
            unsafe { self.word(from + i) }.store(word, Ordering::Relaxed);
        }
    }

    /// Reads words from `from` on.
    ///
    /// # Panics
    /// Beyond the end.
    pub fn load(&self, from: usize, words: &mut [u64]) {
        assert!(words.len() <= self.words && from <= self.words - words.len(), "words beyond the shared memory");
        for (i, word) in words.iter_mut().enumerate() {
            // SAFETY: as above.
            *word = unsafe { self.word(from + i) }.load(Ordering::Relaxed);
        }
    }

    /// # Safety
    /// `index` is below `words`.
    unsafe fn word(&self, index: usize) -> &AtomicU64 {
        // SAFETY: the field's promise, and the caller's.
        unsafe { AtomicU64::from_ptr(self.at.as_ptr().add(index)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_written_and_read_within_bounds_only() {
        let memory = Arc::new([const { AtomicU64::new(0) }; 4]);
        let at = NonNull::new(memory.as_ptr().cast_mut().cast::<u64>()).unwrap();
        // SAFETY: four aligned words of atomics, alive as long as their handle.
        let words = unsafe { ForeignWords::new(at, 4, memory) };
        words.fill(1, [7, 8, 9].into_iter());
        let mut read = [0; 2];
        words.load(2, &mut read);
        assert_eq!((read, words.len()), ([8, 9], 4));
        for from in [2, usize::MAX] {
            assert!(
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| words.fill(from, [0; 3].into_iter())))
                    .is_err()
            );
        }
    }
}
