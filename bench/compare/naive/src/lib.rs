//! The plain ring of two atomics: no cursor is remembered, no line is kept apart, each record is published alone.
//! It is what a careful first attempt looks like, and what the rings of velox-ring are measured against.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `N` slots, a power of two. One thread pushes, one pops: nothing checks that.
pub struct NaiveRing<T, const N: usize> {
    head: AtomicUsize,
    tail: AtomicUsize,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
}

// SAFETY: a slot is one thread's at a time, by the cursors.
unsafe impl<T: Send, const N: usize> Sync for NaiveRing<T, N> {}

impl<T: Copy, const N: usize> NaiveRing<T, N> {
    /// An empty ring.
    pub fn new() -> Self {
        const { assert!(N.is_power_of_two()) };
        let slots = (0..N).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
        Self { head: AtomicUsize::new(0), tail: AtomicUsize::new(0), slots }
    }

    /// `false` when full.
    #[inline]
    pub fn push(&self, value: T) -> bool {
        let tail = self.tail.load(Ordering::Relaxed);
        if tail.wrapping_sub(self.head.load(Ordering::Acquire)) == N {
            return false;
        }
        // SAFETY: the slot is free, and only the one producer writes.
        unsafe { (*self.slots[tail & (N - 1)].get()).write(value) };
        self.tail.store(tail.wrapping_add(1), Ordering::Release);
        true
    }

    /// `None` when empty.
    #[inline]
    pub fn pop(&self) -> Option<T> {
        let head = self.head.load(Ordering::Relaxed);
        if head == self.tail.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: the slot was written, and only the one consumer reads.
        let value = unsafe { (*self.slots[head & (N - 1)].get()).assume_init_read() };
        self.head.store(head.wrapping_add(1), Ordering::Release);
        Some(value)
    }
}

impl<T: Copy, const N: usize> Default for NaiveRing<T, N> {
    fn default() -> Self {
        Self::new()
    }
}
