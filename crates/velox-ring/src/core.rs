//! The protocol over native memory.
//!
//! ```text
//!                    who writes it          what it holds
//!  slots ──────────► both, by turns         the values, on lines of their own
//!  ┌─ line pair ───┐
//!  │ first, mask   │ nobody                 the slots' address; capacity - 1: 0 ..= 2^31 - 1
//!  ├─ line pair ───┤
//!  │ tail          │ the producer           how many were pushed, wrapping: head ..= head + capacity
//!  ├─ line pair ───┤
//!  │ head          │ the consumer           how many were popped, wrapping: tail - capacity ..= tail
//!  ├─ line pair ───┤
//!  │ ends          │ seldom anybody         who is gone, who sleeps
//!  └───────────────┘
//!  in each side's own hands: `at`, its cursor, and `far`, the other's as last seen: head and tail above, or behind
//! ```
//!
//! Cursors begin one capacity before they wrap, so that every program meets the wrap and not only one that runs for years.
//!
//! Invariants that the unsafe blocks rest on:
//!
//! 1. At most one thread at a time acts as the producer and at most one as the consumer; whoever takes a side over
//!    sees all that the one before did with it.
//! 2. `tail - head` is 0 ..= capacity (wrapping). The slots from `head` up to `tail` hold values, the others none.
//! 3. A slot becomes the consumer's by the release store of `tail` and the producer's by the release store of `head`.

use std::mem::{MaybeUninit, needs_drop};

use crate::bed::Bed;
use crate::slots::Slots;
use crate::sync::{AtomicBool, AtomicUsize, Ordering, Padded};

/// The slots and the cursors of a ring. `WAKES`: whether a publish wakes who sleeps, which costs a fence.
#[derive(Debug)]
pub(crate) struct Core<T, const WAKES: bool> {
    slots: Slots<T>,
    /// How many values were pushed, wrapping. The producer's.
    tail: Padded<AtomicUsize>,
    /// How many values were popped, wrapping. The consumer's.
    head: Padded<AtomicUsize>,
    pub(crate) ends: Padded<Ends>,
}

/// What is written when a side goes or sleeps.
#[derive(Debug)]
pub(crate) struct Ends {
    producer_gone: AtomicBool,
    consumer_gone: AtomicBool,
    pub(crate) producer: Bed,
    pub(crate) consumer: Bed,
}

// SAFETY: a value is reached by one thread at a time (invariants 1 and 3) and moves between threads, so it must be Send.
unsafe impl<T: Send, const WAKES: bool> Send for Core<T, WAKES> {}
// SAFETY: as above; references to values are handed to the side alone that has them, and whether several threads may hold
// such a one is for `ReadChunk` to say.
unsafe impl<T: Send, const WAKES: bool> Sync for Core<T, WAKES> {}

/// What a side keeps for itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    /// The side's own position, wrapping.
    at: usize,
    /// The other side's, as last seen: for the producer at - capacity ..= at, for the consumer at ..= at + capacity.
    far: usize,
}

impl Cursor {
    /// Where both sides of a new ring stand.
    pub(crate) fn first(capacity: usize) -> Self {
        let at = 0usize.wrapping_sub(capacity);
        Self { at, far: at }
    }
}

impl<T, const WAKES: bool> Core<T, WAKES> {
    /// `capacity` must be a power of two.
    pub(crate) fn new(capacity: usize) -> Self {
        let Cursor { at, .. } = Cursor::first(capacity);
        let (producer_gone, consumer_gone) = (AtomicBool::new(false), AtomicBool::new(false));
        Self {
            slots: Slots::new(capacity),
            tail: Padded(AtomicUsize::new(at)),
            head: Padded(AtomicUsize::new(at)),
            ends: Padded(Ends { producer_gone, consumer_gone, producer: Bed::for_one(), consumer: Bed::for_one() }),
        }
    }

    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// How many values wait: exact for a side that sees no other at work, else a moment's view, 0 ..= capacity.
    pub(crate) fn len(&self) -> usize {
        // `head` first: it can only have grown since, so the difference is never negative. Acquire: pairs with the
        // consumer's release, which followed its own sight of the `tail` that is read next.
        let head = self.head.0.load(Ordering::Acquire);
        let tail = self.tail.0.load(Ordering::Acquire);
        tail.wrapping_sub(head).min(self.capacity())
    }

    pub(crate) fn producer_gone(&self) -> bool {
        // Acquire: pairs with the release in `lose_producer`; what was pushed last is seen by a look after this.
        self.ends.0.producer_gone.load(Ordering::Acquire)
    }

    pub(crate) fn consumer_gone(&self) -> bool {
        // Relaxed: the flag orders nothing.
        self.ends.0.consumer_gone.load(Ordering::Relaxed)
    }

    /// The producer will push no more.
    pub(crate) fn lose_producer(&self) {
        // Release: pairs with the acquire in `producer_gone`.
        self.ends.0.producer_gone.store(true, Ordering::Release);
        self.ends.0.consumer.wake();
    }

    /// The consumer wants no more.
    pub(crate) fn lose_consumer(&self) {
        // Relaxed: see `consumer_gone`.
        self.ends.0.consumer_gone.store(true, Ordering::Relaxed);
        self.ends.0.producer.wake();
    }

    /// # Safety
    /// The caller is the producer, and `cursor` the producer's.
    #[inline]
    pub(crate) unsafe fn push(&self, cursor: &mut Cursor, value: T) -> Result<(), T> {
        if cursor.at.wrapping_sub(cursor.far) == self.capacity() && !self.look_for_room(cursor) {
            return Err(value);
        }
        self.slots.prefetch_write(cursor.at);
        // SAFETY: there was room, so by invariant 2 the slot holds no value, and by 1 and 3 it is the producer's.
        unsafe { self.slots.write(cursor.at, value) };
        // SAFETY: handed on.
        unsafe { self.publish(cursor, 1) };
        Ok(())
    }

    /// Looks at the consumer for room; says whether there is any.
    #[inline]
    fn look_for_room(&self, cursor: &mut Cursor) -> bool {
        // Acquire: as in `room`.
        cursor.far = self.head.0.load(Ordering::Acquire);
        cursor.at.wrapping_sub(cursor.far) < self.capacity()
    }

    /// Looks at the producer for values; says whether there are any.
    #[inline]
    fn look_for_values(&self, cursor: &mut Cursor) -> bool {
        // Acquire: as in `available`.
        cursor.far = self.tail.0.load(Ordering::Acquire);
        cursor.far != cursor.at
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
        // Acquire: pairs with the consumer's release in `release`, after which it no longer touches the slot.
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
        if count > 0 {
            // SAFETY: as in `push`, for each of the `count` slots that have room.
            unsafe { self.slots.write_all(cursor.at, &values[..count]) };
            // SAFETY: handed on.
            unsafe { self.publish(cursor, count) };
        }
        count
    }

    /// Writes what `values` gives, as long as there are any, into up to `most` slots; says how many. Where `values`
    /// panics, those that it gave before are pushed.
    ///
    /// # Safety
    /// As [`push`](Self::push); `most` slots have room.
    #[inline]
    pub(crate) unsafe fn fill(&self, cursor: &mut Cursor, most: usize, mut values: impl Iterator<Item = T>) -> usize {
        struct Written<'a, T, const WAKES: bool> {
            core: &'a Core<T, WAKES>,
            cursor: &'a mut Cursor,
            count: usize,
        }
        impl<T, const WAKES: bool> Drop for Written<'_, T, WAKES> {
            fn drop(&mut self) {
                if self.count > 0 {
                    // SAFETY: `fill` is the producer's, and wrote so many.
                    unsafe { self.core.publish(self.cursor, self.count) };
                }
            }
        }
        let mut written = Written { core: self, cursor, count: 0 };
        while written.count < most
            && let Some(value) = values.next()
        {
            let at = written.cursor.at.wrapping_add(written.count);
            self.slots.prefetch_write(at);
            // SAFETY: as in `push`, for a slot that has room.
            unsafe { self.slots.write(at, value) };
            written.count += 1;
        }
        written.count
    }

    /// The next `count` slots in place.
    ///
    /// # Safety
    /// As [`push`](Self::push), for as long as the slices live; so many have room.
    #[inline]
    #[allow(clippy::mut_from_ref, clippy::type_complexity, reason = "the producer's own slots")]
    pub(crate) unsafe fn writable(
        &self,
        cursor: &Cursor,
        count: usize,
    ) -> (&mut [MaybeUninit<T>], &mut [MaybeUninit<T>]) {
        // SAFETY: as in `push`.
        unsafe { self.slots.writable(cursor.at, count) }
    }

    /// # Safety
    /// As [`push`](Self::push); the next `count` slots were written.
    #[inline]
    pub(crate) unsafe fn publish(&self, cursor: &mut Cursor, count: usize) {
        cursor.at = cursor.at.wrapping_add(count);
        // Release: pairs with the consumer's acquire in `available`; the values are written before.
        self.tail.0.store(cursor.at, Ordering::Release);
        if WAKES {
            self.ends.0.consumer.wake();
        }
    }

    /// # Safety
    /// The caller is the consumer, and `cursor` the consumer's.
    #[inline]
    pub(crate) unsafe fn pop(&self, cursor: &mut Cursor) -> Option<T> {
        if cursor.far == cursor.at && !self.look_for_values(cursor) {
            return None;
        }
        self.slots.prefetch_read(cursor.at, cursor.far.wrapping_sub(cursor.at));
        // SAFETY: the slot lies before `tail`, so by invariant 2 it holds a value; it is moved out once, as `head` passes.
        let value = unsafe { self.slots.take(cursor.at) };
        // SAFETY: handed on.
        unsafe { self.release(cursor, 1) };
        Some(value)
    }

    /// How many values wait, looking at the producer only when fewer than `wanted` are known to.
    ///
    /// # Safety
    /// As [`pop`](Self::pop).
    #[inline]
    pub(crate) unsafe fn available(&self, cursor: &mut Cursor, wanted: usize) -> usize {
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
        self.slots.prefetch_first(cursor.at, count);
        // SAFETY: as in `pop`, for each of the `count` values that are available.
        let (one, two) = unsafe { self.slots.readable(cursor.at, count) };
        for piece in [one, two] {
            // SAFETY: there is room for them after `reserve`; each is moved out once, as `head` passes it below.
            unsafe {
                let end = out.as_mut_ptr().add(out.len());
                std::ptr::copy_nonoverlapping(piece.as_ptr(), end, piece.len());
                out.set_len(out.len() + piece.len());
            }
        }
        if count > 0 {
            // SAFETY: handed on.
            unsafe { self.release(cursor, count) };
        }
        count
    }

    /// Moves up to `most` values into `take`, and releases their slots together; says how many. Where `take` panics, the
    /// value that it was given is gone, and those behind it stay.
    ///
    /// # Safety
    /// As [`pop`](Self::pop).
    #[inline]
    pub(crate) unsafe fn drain(&self, cursor: &mut Cursor, most: usize, mut take: impl FnMut(T)) -> usize {
        // SAFETY: handed on.
        let count = unsafe { self.available(cursor, most) }.min(most);
        self.slots.prefetch_first(cursor.at, count);
        let mut taken = Taken { core: self, cursor, count: 0 };
        while taken.count < count {
            let at = taken.cursor.at.wrapping_add(taken.count);
            self.slots.prefetch_read(at, count - taken.count);
            // SAFETY: as in `pop`, for each of the `count` values that are available.
            let value = unsafe { self.slots.take(at) };
            taken.count += 1;
            take(value);
        }
        count
    }

    /// The next `count` values in place.
    ///
    /// # Safety
    /// As [`pop`](Self::pop), for as long as the slices live; so many are available.
    #[inline]
    pub(crate) unsafe fn readable(&self, cursor: &Cursor, count: usize) -> (&[T], &[T]) {
        self.slots.prefetch_first(cursor.at, count);
        // SAFETY: as in `pop`.
        unsafe { self.slots.readable(cursor.at, count) }
    }

    /// Drops the next `count` values. Where one panics, it is gone, and those behind it stay.
    ///
    /// # Safety
    /// As [`pop`](Self::pop); so many are available.
    #[inline]
    pub(crate) unsafe fn discard(&self, cursor: &mut Cursor, count: usize) {
        let mut taken = Taken { core: self, cursor, count: 0 };
        if !needs_drop::<T>() {
            taken.count = count;
            return;
        }
        while taken.count < count {
            let at = taken.cursor.at.wrapping_add(taken.count);
            taken.count += 1;
            // SAFETY: as in `pop`, for each of the `count` values that are available.
            unsafe { self.slots.drop_value(at) };
        }
    }

    /// # Safety
    /// As [`pop`](Self::pop); the next `count` values were moved out.
    #[inline]
    unsafe fn release(&self, cursor: &mut Cursor, count: usize) {
        cursor.at = cursor.at.wrapping_add(count);
        // Release: pairs with the producer's acquire in `room`; the values are read before.
        self.head.0.store(cursor.at, Ordering::Release);
        if WAKES {
            self.ends.0.producer.wake();
        }
    }
}

/// What the consumer moved out so far; released when it goes, by a panic too.
struct Taken<'a, T, const WAKES: bool> {
    core: &'a Core<T, WAKES>,
    cursor: &'a mut Cursor,
    count: usize,
}

impl<T, const WAKES: bool> Drop for Taken<'_, T, WAKES> {
    #[inline]
    fn drop(&mut self) {
        if self.count > 0 {
            // SAFETY: made by the consumer's calls, which moved so many out.
            unsafe { self.core.release(self.cursor, self.count) };
        }
    }
}

impl<T, const WAKES: bool> Drop for Core<T, WAKES> {
    fn drop(&mut self) {
        // Relaxed: `&mut self` comes after everything that either side did.
        let (head, tail) = (self.head.0.load(Ordering::Relaxed), self.tail.0.load(Ordering::Relaxed));
        for i in 0..tail.wrapping_sub(head) {
            // SAFETY: invariant 2; nobody else is left, so each value is dropped once.
            unsafe { self.slots.drop_value(head.wrapping_add(i)) };
        }
    }
}
