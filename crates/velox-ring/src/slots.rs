//! The memory of a ring's slots. Who may touch which slot is the business of the protocol above.
//!
//! Slots begin on a line of their own, so that records of 16, 32 or 64 bytes never lie across two. Under loom each slot
//! has a witness, a cell that is touched whenever the slot is: loom then knows of every access.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::hint::black_box;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

#[cfg(not(loom))]
use velox_sys::{prefetch_read, prefetch_write};

#[cfg(loom)]
use crate::sync::UnsafeCell;

/// A line, and the one that processors fetch with it.
const LINES: usize = 128;

/// How far ahead of the slot that is written lines are asked for: 16 of them.
const WRITE_AHEAD_BYTES: usize = 1024;

/// How far ahead of the value that is read lines are asked for. Only of values that are known to be there: a line that the
/// producer still writes would be taken away from it.
const READ_AHEAD_BYTES: usize = 2048;

#[cfg(not(loom))]
const LINE: usize = 64;

/// `capacity` slots, each reached by a position that wraps.
///
/// Invariant in `T`, as a cell is: a side whose values live for ever must not pass for one of values that live less long,
/// which the other side would still take for the former.
///
/// ```
/// let (producer, mut consumer) = velox_ring::ring::<&'static str>(1).unwrap();
/// let mut same: velox_ring::Producer<&str> = producer;
/// same.push("for ever").unwrap();
/// assert_eq!(consumer.pop(), Some("for ever"));
/// ```
///
/// ```compile_fail,E0597
/// let (producer, mut consumer) = velox_ring::ring::<&'static str>(1).unwrap();
/// {
///     let brief = String::from("brief");
///     let mut same: velox_ring::Producer<&str> = producer;
///     same.push(&brief).unwrap();
/// }
/// assert_eq!(consumer.pop(), Some("brief"));
/// ```
///
/// ```compile_fail,E0597
/// let ring = velox_ring::RingBuffer::<&'static str, 1>::new();
/// {
///     let brief = String::from("brief");
///     let same: &velox_ring::RingBuffer<&str, 1> = &ring;
///     same.push(&brief).unwrap();
/// }
/// assert_eq!(ring.pop(), Some("brief"));
/// ```
///
/// ```compile_fail,E0597
/// let (producer, mut consumers) = velox_ring::broadcast_ring::<&'static str>(1, 1).unwrap();
/// {
///     let brief = String::from("brief");
///     let mut same: velox_ring::BroadcastProducer<&str> = producer;
///     same.push(&brief).unwrap();
/// }
/// assert_eq!(consumers[0].pop(), Some("brief"));
/// ```
///
/// ```compile_fail,E0597
/// let (producer, mut consumer) = velox_ring::mpsc_ring::<&'static str>(1).unwrap();
/// {
///     let brief = String::from("brief");
///     let mut same: velox_ring::MpscProducer<&str> = producer;
///     same.push(&brief).unwrap();
/// }
/// assert_eq!(consumer.pop(), Some("brief"));
/// ```
#[derive(Debug)]
pub(crate) struct Slots<T> {
    first: NonNull<MaybeUninit<T>>,
    /// Capacity - 1; the capacity is a power of two.
    mask: usize,
    /// Slots from one that is written to the one that is asked for; 0 where the ring is too small for that.
    write_ahead: usize,
    /// Values from one that is read to the one that is asked for; more than there are where the ring is too small.
    read_ahead: usize,
    /// Owned, and invariant.
    values: PhantomData<Cell<T>>,
    #[cfg(loom)]
    witnesses: Vec<UnsafeCell<()>>,
}

impl<T> Slots<T> {
    /// Empty slots. `capacity` must be a power of two.
    ///
    /// # Panics
    /// When that many don't fit the address space.
    pub(crate) fn new(capacity: usize) -> Self {
        debug_assert!(capacity.is_power_of_two());
        let layout = layout::<T>(capacity);
        let first = if layout.size() == 0 {
            NonNull::dangling()
        } else {
            // SAFETY: the size isn't 0.
            let bytes = unsafe { alloc(layout) };
            let first = NonNull::new(bytes.cast()).unwrap_or_else(|| handle_alloc_error(layout));
            // Written once, so that the first records don't wait for pages; hidden, or the writes would be left out.
            // SAFETY: just allocated with this size.
            unsafe { black_box(bytes).write_bytes(0, layout.size()) };
            first
        };
        let (size, bytes) = (size_of::<T>().max(1), capacity * size_of::<T>());
        Self {
            first,
            mask: capacity - 1,
            // The slots ahead should be such that the other side has left, mostly.
            write_ahead: if bytes >= 8 * WRITE_AHEAD_BYTES { WRITE_AHEAD_BYTES / size } else { 0 },
            read_ahead: if bytes >= 8 * READ_AHEAD_BYTES { READ_AHEAD_BYTES / size } else { capacity },
            values: PhantomData,
            #[cfg(loom)]
            witnesses: (0..capacity).map(|_| UnsafeCell::new(())).collect(),
        }
    }

    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.mask + 1
    }

    #[inline]
    fn at(&self, position: usize) -> *mut MaybeUninit<T> {
        // SAFETY: the masked position lies below the capacity, so within the allocation.
        unsafe { self.first.as_ptr().add(position & self.mask) }
    }

    /// Asks for the slot that will be written some time after the one at `position`.
    #[inline]
    pub(crate) fn prefetch_write(&self, position: usize) {
        #[cfg(not(loom))]
        if position.is_multiple_of(Self::line()) {
            prefetch_write(self.at(position.wrapping_add(self.write_ahead)));
        }
        #[cfg(loom)]
        let _ = (position, self.write_ahead);
    }

    /// Asks for the value that will be read some time after the one at `position`, where it is one of the `known` from there
    /// on.
    #[inline]
    pub(crate) fn prefetch_read(&self, position: usize, known: usize) {
        #[cfg(not(loom))]
        if position.is_multiple_of(Self::line()) && known > self.read_ahead {
            prefetch_read(self.at(position.wrapping_add(self.read_ahead)));
        }
        #[cfg(loom)]
        let _ = (position, known, self.read_ahead);
    }

    /// Asks for the first of `count` values that will be read from `position` on.
    #[inline]
    pub(crate) fn prefetch_first(&self, position: usize, count: usize) {
        #[cfg(not(loom))]
        for i in (0..count.min(self.read_ahead)).step_by(Self::line()) {
            prefetch_read(self.at(position.wrapping_add(i)));
        }
        #[cfg(loom)]
        let _ = (position, count);
    }

    /// Values a line: a power of two.
    #[cfg(not(loom))]
    const fn line() -> usize {
        let size = size_of::<T>();
        if size == 0 || size > LINE { 1 } else { 1 << (LINE / size).ilog2() }
    }

    /// # Safety
    /// The slot holds no value and is the caller's alone.
    #[inline]
    pub(crate) unsafe fn write(&self, position: usize, value: T) {
        self.watch_write(position, 1);
        // SAFETY: handed on.
        unsafe { (*self.at(position)).write(value) };
    }

    /// # Safety
    /// The `values.len()` slots from `position` on hold no values and are the caller's alone; there are as many slots.
    #[inline]
    pub(crate) unsafe fn write_all(&self, position: usize, values: &[T])
    where
        T: Copy,
    {
        // SAFETY: handed on.
        let (one, two) = unsafe { self.writable(position, values.len()) };
        let (left, right) = values.split_at(one.len());
        self.copy(left, one);
        self.copy(right, two);
    }

    /// Copies a piece, asking for the lines behind it meanwhile.
    #[inline]
    fn copy(&self, from: &[T], to: &mut [MaybeUninit<T>])
    where
        T: Copy,
    {
        #[cfg(not(loom))]
        let piece = Self::line() * 4;
        #[cfg(loom)]
        let piece = 1;
        for (from, to) in from.chunks(piece).zip(to.chunks_mut(piece)) {
            #[cfg(not(loom))]
            for i in (0..to.len()).step_by(Self::line()) {
                // Beyond the last slot is no harm: it is only asked for.
                prefetch_write(to.as_ptr().wrapping_add(self.write_ahead + i));
            }
            // SAFETY: both have one length, and values of `T` are values of `MaybeUninit<T>`.
            unsafe { std::ptr::copy_nonoverlapping(from.as_ptr().cast(), to.as_mut_ptr(), from.len()) };
        }
    }

    /// # Safety
    /// The slot holds a value, which the caller alone has; it holds none afterwards.
    #[inline]
    pub(crate) unsafe fn take(&self, position: usize) -> T {
        self.watch_read(position, 1);
        // SAFETY: handed on.
        unsafe { (*self.at(position)).assume_init_read() }
    }

    /// # Safety
    /// As [`take`](Self::take).
    #[inline]
    pub(crate) unsafe fn drop_value(&self, position: usize) {
        self.watch_write(position, 1);
        // SAFETY: handed on.
        unsafe { (*self.at(position)).assume_init_drop() };
    }

    /// Slots in place, in two pieces where they lie around the end.
    ///
    /// # Safety
    /// The `count` slots from `position` on are the caller's alone for as long as the slices live, and no more than
    /// there are.
    #[inline]
    #[allow(clippy::mut_from_ref, reason = "each slot is the caller's alone: the caller promises it")]
    pub(crate) unsafe fn writable(
        &self,
        position: usize,
        count: usize,
    ) -> (&mut [MaybeUninit<T>], &mut [MaybeUninit<T>]) {
        self.watch_write(position, count);
        let one = count.min(self.capacity() - (position & self.mask));
        // SAFETY: both pieces lie within the allocation, apart from each other; for the rest see above.
        unsafe {
            (
                std::slice::from_raw_parts_mut(self.at(position), one),
                std::slice::from_raw_parts_mut(self.first.as_ptr(), count - one),
            )
        }
    }

    /// Values in place, in two pieces where they lie around the end.
    ///
    /// # Safety
    /// The `count` slots from `position` on hold values that nobody changes for as long as the slices live, and are no
    /// more than there are.
    #[inline]
    pub(crate) unsafe fn readable(&self, position: usize, count: usize) -> (&[T], &[T]) {
        self.watch_read(position, count);
        let one = count.min(self.capacity() - (position & self.mask));
        // SAFETY: both pieces lie within the allocation and hold values; for the rest see above.
        unsafe {
            (
                std::slice::from_raw_parts(self.at(position).cast(), one),
                std::slice::from_raw_parts(self.first.as_ptr().cast(), count - one),
            )
        }
    }

    #[inline]
    #[cfg_attr(not(loom), allow(clippy::unused_self, reason = "only loom watches"))]
    fn watch_write(&self, position: usize, count: usize) {
        #[cfg(loom)]
        (0..count).for_each(|i| self.witnesses[position.wrapping_add(i) & self.mask].with_mut(|_| ()));
        #[cfg(not(loom))]
        let _ = (position, count);
    }

    #[inline]
    #[cfg_attr(not(loom), allow(clippy::unused_self, reason = "only loom watches"))]
    fn watch_read(&self, position: usize, count: usize) {
        #[cfg(loom)]
        (0..count).for_each(|i| self.witnesses[position.wrapping_add(i) & self.mask].with(|_| ()));
        #[cfg(not(loom))]
        let _ = (position, count);
    }
}

impl<T> Drop for Slots<T> {
    fn drop(&mut self) {
        let layout = layout::<T>(self.capacity());
        if layout.size() > 0 {
            // SAFETY: allocated by `new` with the same layout. The values are the protocol's to drop, before this.
            unsafe { dealloc(self.first.as_ptr().cast(), layout) };
        }
    }
}

fn layout<T>(capacity: usize) -> Layout {
    Layout::array::<T>(capacity)
        .and_then(|layout| layout.align_to(LINES))
        .expect("the slots of a ring fit the address space")
}
