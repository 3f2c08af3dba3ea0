//! The protocol over native memory. Invariants that the unsafe blocks rest on:
//!
//! 1. At most one thread at a time acts as the producer and at most one as the consumer; whoever takes a side over
//!    sees all that the one before did with it.
//! 2. `tail - head` is 0 ..= capacity (wrapping). The slots from `head` up to `tail` hold values, the others none.
//! 3. A slot becomes the consumer's by the release store of `tail` and the producer's by the release store of `head`.

use std::hint::black_box;
use std::mem::MaybeUninit;

use crate::sync::{AtomicBool, AtomicUsize, Ordering, Padded, UnsafeCell};

/// The slots and the cursors of a ring.
#[derive(Debug)]
pub(crate) struct Core<T> {
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    /// Capacity - 1; the capacity is a power of two.
    mask: usize,
    /// How many values were pushed, wrapping. The producer's.
    tail: Padded<AtomicUsize>,
    /// How many values were popped, wrapping. The consumer's.
    head: Padded<AtomicUsize>,
    pub(crate) producer_gone: AtomicBool,
    pub(crate) consumer_gone: AtomicBool,
}

// SAFETY: a value is reached by one thread at a time (invariants 1 and 3) and moves between threads, so it must be Send.
unsafe impl<T: Send> Send for Core<T> {}
// SAFETY: as above; no reference to a value is ever handed out.
unsafe impl<T: Send> Sync for Core<T> {}

/// What a side keeps for itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cursor {
    /// The side's own position.
    at: usize,
    /// The other side's, as last seen.
    far: usize,
}

impl<T> Core<T> {
    /// `capacity` must be a power of two.
    pub(crate) fn new(capacity: usize) -> Self {
        debug_assert!(capacity.is_power_of_two());
        Self {
            // Written once, so that the first records don't wait for pages; hidden, or the writes would be left out.
            slots: (0..capacity).map(|_| UnsafeCell::new(black_box(MaybeUninit::zeroed()))).collect(),
            mask: capacity - 1,
            tail: Padded(AtomicUsize::new(0)),
            head: Padded(AtomicUsize::new(0)),
            producer_gone: AtomicBool::new(false),
            consumer_gone: AtomicBool::new(false),
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.mask + 1
    }

    /// How many values wait: exact for a side that sees no other at work, else a moment's view, 0 ..= capacity.
    pub(crate) fn len(&self) -> usize {
        // `head` first: it can only have grown since, so the difference is never negative. Acquire: pairs with the
        // consumer's release, which followed its own sight of the `tail` that is read next.
        let head = self.head.0.load(Ordering::Acquire);
        let tail = self.tail.0.load(Ordering::Acquire);
        tail.wrapping_sub(head).min(self.capacity())
    }

    /// # Safety
    /// The caller is the producer, and `cursor` the producer's.
    #[inline]
    pub(crate) unsafe fn push(&self, cursor: &mut Cursor, value: T) -> Result<(), T> {
        // SAFETY: handed on.
        if unsafe { self.room(cursor, 1) } == 0 {
            return Err(value);
        }
        // SAFETY: there was room, so by invariant 2 the slot holds no value, and by 1 and 3 it is the producer's.
        self.slots[cursor.at & self.mask].with_mut(|slot| unsafe { (*slot).write(value) });
        // SAFETY: handed on.
        unsafe { self.publish(cursor, 1) };
        Ok(())
    }

    /// How many values fit, looking at the consumer only when fewer than `wanted` are known to.
    ///
    /// # Safety
    /// As [`push`](Self::push).
    #[inline]
    pub(crate) unsafe fn room(&self, cursor: &mut Cursor, wanted: usize) -> usize {
        let known = self.capacity() - cursor.at.wrapping_sub(cursor.far);
        if known >= wanted {
            return known;
        }
        // Acquire: pairs with the consumer's release in `pop`, after which it no longer touches the slot.
        cursor.far = self.head.0.load(Ordering::Acquire);
        self.capacity() - cursor.at.wrapping_sub(cursor.far)
    }

    /// # Safety
    /// As [`push`](Self::push).
    #[inline]
    pub(crate) unsafe fn push_slice(&self, cursor: &mut Cursor, values: &[T]) -> usize
    where
        T: Copy,
    {
        // SAFETY: handed on.
        let count = unsafe { self.room(cursor, values.len()) }.min(values.len());
        for (i, value) in values[..count].iter().enumerate() {
            // SAFETY: as in `push`, for each of the `count` slots that have room.
            self.slots[cursor.at.wrapping_add(i) & self.mask].with_mut(|slot| unsafe { (*slot).write(*value) });
        }
        // SAFETY: handed on.
        unsafe { self.publish(cursor, count) };
        count
    }

    /// # Safety
    /// As [`push`](Self::push); the next `count` slots were written.
    #[inline]
    unsafe fn publish(&self, cursor: &mut Cursor, count: usize) {
        cursor.at = cursor.at.wrapping_add(count);
        // Release: pairs with the consumer's acquire in `available`; the values are written before.
        self.tail.0.store(cursor.at, Ordering::Release);
    }

    /// # Safety
    /// The caller is the consumer, and `cursor` the consumer's.
    #[inline]
    pub(crate) unsafe fn pop(&self, cursor: &mut Cursor) -> Option<T> {
        // SAFETY: handed on.
        if unsafe { self.available(cursor, 1) } == 0 {
            return None;
        }
        // SAFETY: the slot lies before `tail`, so by invariant 2 it holds a value; it is moved out once, as `head` passes.
        let value = self.slots[cursor.at & self.mask].with(|slot| unsafe { (*slot).assume_init_read() });
        // SAFETY: handed on.
        unsafe { self.release(cursor, 1) };
        Some(value)
    }

    /// # Safety
    /// As [`pop`](Self::pop).
    #[inline]
    unsafe fn available(&self, cursor: &mut Cursor, wanted: usize) -> usize {
        let known = cursor.far.wrapping_sub(cursor.at);
        if known >= wanted {
            return known;
        }
        // Acquire: pairs with the producer's release in `publish`; the values before `tail` are there.
        cursor.far = self.tail.0.load(Ordering::Acquire);
        cursor.far.wrapping_sub(cursor.at)
    }

    /// # Safety
    /// As [`pop`](Self::pop).
    pub(crate) unsafe fn pop_into(&self, cursor: &mut Cursor, out: &mut Vec<T>, most: usize) -> usize {
        // SAFETY: handed on.
        let count = unsafe { self.available(cursor, most) }.min(most);
        // First, as it may panic: nothing is moved out yet.
        out.reserve(count);
        for i in 0..count {
            // SAFETY: as in `pop`, for each of the `count` values that are available; `push` can't panic after `reserve`.
            out.push(
                self.slots[cursor.at.wrapping_add(i) & self.mask].with(|slot| unsafe { (*slot).assume_init_read() }),
            );
        }
        // SAFETY: handed on.
        unsafe { self.release(cursor, count) };
        count
    }

    /// # Safety
    /// As [`pop`](Self::pop); the next `count` values were moved out.
    #[inline]
    unsafe fn release(&self, cursor: &mut Cursor, count: usize) {
        cursor.at = cursor.at.wrapping_add(count);
        // Release: pairs with the producer's acquire in `room`; the values are read before.
        self.head.0.store(cursor.at, Ordering::Release);
    }
}

impl<T> Drop for Core<T> {
    fn drop(&mut self) {
        // Relaxed: `&mut self` comes after everything that either side did.
        let (head, tail) = (self.head.0.load(Ordering::Relaxed), self.tail.0.load(Ordering::Relaxed));
        for i in 0..tail.wrapping_sub(head) {
            // SAFETY: invariant 2; nobody else is left, so each value is dropped once.
            self.slots[head.wrapping_add(i) & self.mask].with_mut(|slot| unsafe { (*slot).assume_init_drop() });
        }
    }
}
