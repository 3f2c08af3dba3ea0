//! Pieces of a ring in place.

use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use crate::core::{Core, Cursor};

/// Free slots in place: what is committed is pushed, what isn't never was.
///
/// The slots lie in one slice, or in two where they lie around the end of the ring's memory.
pub struct WriteChunk<'a, T, const WAKES: bool = false> {
    pub(crate) core: &'a Core<T, WAKES>,
    pub(crate) cursor: &'a mut Cursor,
    /// So many slots have room: 0 ..= capacity.
    pub(crate) len: usize,
}

/// Waiting values in place: what is committed is popped, what isn't stays.
///
/// The values lie in one slice, or in two where they lie around the end of the ring's memory. Several threads can look at
/// one chunk where they can share the values (`T: Sync`).
///
/// ```
/// fn shared<S: Sync>() {}
/// shared::<velox_ring::ReadChunk<'_, u32>>();
/// fn sent<S: Send>() {}
/// sent::<velox_ring::ReadChunk<'_, std::cell::Cell<u32>>>();
/// ```
///
/// ```compile_fail,E0277
/// fn shared<S: Sync>() {}
/// shared::<velox_ring::ReadChunk<'_, std::cell::Cell<u32>>>();
/// ```
pub struct ReadChunk<'a, T, const WAKES: bool = false> {
    pub(crate) core: &'a Core<T, WAKES>,
    pub(crate) cursor: &'a mut Cursor,
    /// So many values wait: 0 ..= capacity.
    pub(crate) len: usize,
    /// It shows values to whoever sees it; the ring alone shows none.
    pub(crate) values: PhantomData<&'a mut [T]>,
}

impl<T, const WAKES: bool> WriteChunk<'_, T, WAKES> {
    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slots, oldest first, without values.
    #[inline]
    pub fn as_mut_slices(&mut self) -> (&mut [MaybeUninit<T>], &mut [MaybeUninit<T>]) {
        // SAFETY: the producer's call that made the chunk saw room for `len`, and the chunk borrows its side.
        unsafe { self.core.writable(self.cursor, self.len) }
    }

    /// Pushes the first `count` slots, published together; the others stay free.
    ///
    /// # Panics
    /// When there are fewer slots.
    ///
    /// # Safety
    /// The first `count` slots were written.
    ///
    /// ```
    /// let (mut producer, mut consumer) = velox_ring::ring::<u32>(8)?;
    /// let mut chunk = producer.write_chunk(4);
    /// chunk.as_mut_slices().0[0].write(7);
    /// // SAFETY: one slot was written.
    /// unsafe { chunk.commit(1) };
    /// assert_eq!((consumer.pop(), consumer.pop()), (Some(7), None));
    /// # Ok::<(), velox_ring::InvalidCapacity>(())
    /// ```
    #[inline]
    pub unsafe fn commit(self, count: usize) {
        assert!(count <= self.len, "commit: expected at most {} slots, got {count}", self.len);
        if count > 0 {
            // SAFETY: the caller's promise, and room as in `as_mut_slices`.
            unsafe { self.core.publish(self.cursor, count) };
        }
    }

    /// Pushes what `values` gives, as long as it gives any and there are slots; published together. Says how many.
    ///
    /// Where `values` panics, those that it gave before are pushed: none is lost.
    ///
    /// ```
    /// let (mut producer, mut consumer) = velox_ring::ring::<u32>(4)?;
    /// assert_eq!(producer.write_chunk(3).fill(10..), 3);
    /// assert_eq!(consumer.pop(), Some(10));
    /// # Ok::<(), velox_ring::InvalidCapacity>(())
    /// ```
    #[inline]
    pub fn fill(self, values: impl IntoIterator<Item = T>) -> usize {
        // SAFETY: as in `as_mut_slices`.
        unsafe { self.core.fill(self.cursor, self.len, values.into_iter()) }
    }
}

impl<T, const WAKES: bool> ReadChunk<'_, T, WAKES> {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The values, oldest first.
    #[inline]
    pub fn as_slices(&self) -> (&[T], &[T]) {
        // SAFETY: the consumer's call that made the chunk saw `len` values, and the chunk borrows its side.
        unsafe { self.core.readable(self.cursor, self.len) }
    }

    /// Drops the first `count` values and gives their slots back together; the others stay.
    ///
    /// # Panics
    /// When there are fewer values.
    ///
    /// ```
    /// let (mut producer, mut consumer) = velox_ring::ring::<u32>(4)?;
    /// producer.push_slice(&[1, 2, 3]);
    /// let chunk = consumer.read_chunk(4);
    /// assert_eq!(chunk.as_slices().0, [1, 2, 3]);
    /// chunk.commit(2);
    /// assert_eq!(consumer.pop(), Some(3));
    /// # Ok::<(), velox_ring::InvalidCapacity>(())
    /// ```
    #[inline]
    pub fn commit(self, count: usize) {
        assert!(count <= self.len, "commit: expected at most {} values, got {count}", self.len);
        // SAFETY: as in `as_slices`.
        unsafe { self.core.discard(self.cursor, count) };
    }

    /// [`commit`](Self::commit) of all of them.
    #[inline]
    pub fn commit_all(self) {
        let count = self.len;
        self.commit(count);
    }
}

impl<T, const WAKES: bool> fmt::Debug for WriteChunk<'_, T, WAKES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteChunk").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<T, const WAKES: bool> fmt::Debug for ReadChunk<'_, T, WAKES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadChunk").field("len", &self.len).finish_non_exhaustive()
    }
}
