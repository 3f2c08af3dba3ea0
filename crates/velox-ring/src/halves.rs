//! The two sides of a ring as values.

use std::fmt;

use thiserror::Error;

use crate::core::{Core, Cursor};
use crate::sync::{Arc, Ordering};

/// A capacity that no ring can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("capacity: expected a power of two from 1 to 2^31, got {0}")]
pub struct InvalidCapacity(pub usize);

/// A ring of `capacity` slots, as its two sides. Allocates all slots.
///
/// # Errors
/// [`InvalidCapacity`]: not a power of two from 1 to 2^31.
///
/// ```
/// let (mut producer, mut consumer) = velox_ring::ring::<u32>(8)?;
/// let thread = std::thread::spawn(move || producer.push_slice(&[1, 2, 3]));
/// assert_eq!(thread.join().unwrap(), 3);
/// let mut out = Vec::new();
/// assert_eq!((consumer.pop_into(&mut out, 2), out), (2, vec![1, 2]));
/// assert!(!consumer.is_finished() && consumer.pop() == Some(3) && consumer.is_finished());
/// # Ok::<(), velox_ring::InvalidCapacity>(())
/// ```
pub fn ring<T>(capacity: usize) -> Result<(Producer<T>, Consumer<T>), InvalidCapacity> {
    if !capacity.is_power_of_two() || capacity > 1 << 31 {
        return Err(InvalidCapacity(capacity));
    }
    Ok(Producer::pair(Arc::new(Core::new(capacity)), Cursor::default(), Cursor::default()))
}

/// The side that pushes. One thread at a time has it; nothing is checked.
pub struct Producer<T> {
    core: Arc<Core<T>>,
    cursor: Cursor,
}

/// The side that pops. One thread at a time has it; nothing is checked.
pub struct Consumer<T> {
    core: Arc<Core<T>>,
    cursor: Cursor,
}

impl<T> Producer<T> {
    /// Both sides of a core that nobody else has a side of.
    pub(crate) fn pair(core: Arc<Core<T>>, producer: Cursor, consumer: Cursor) -> (Self, Consumer<T>) {
        (Self { core: Arc::clone(&core), cursor: producer }, Consumer { core, cursor: consumer })
    }

    /// Adds a value. Wait-free, allocates nothing.
    ///
    /// # Errors
    /// The value itself, when the ring is full.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), T> {
        // SAFETY: the only producer of its core, made by `pair`, borrowed mutably.
        unsafe { self.core.push(&mut self.cursor, value) }
    }

    /// Adds as many values as fit, from the first on, and publishes them together; says how many.
    #[inline]
    pub fn push_slice(&mut self, values: &[T]) -> usize
    where
        T: Copy,
    {
        // SAFETY: as in `push`.
        unsafe { self.core.push_slice(&mut self.cursor, values) }
    }

    /// How many values fit. The consumer can only make it more.
    #[inline]
    pub fn room(&mut self) -> usize {
        let capacity = self.core.capacity();
        // SAFETY: as in `push`.
        unsafe { self.core.room(&mut self.cursor, capacity) }
    }

    /// How many values wait.
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the consumer is gone: nobody will take what is pushed.
    pub fn is_abandoned(&self) -> bool {
        // Relaxed: the flag orders nothing.
        self.core.consumer_gone.load(Ordering::Relaxed)
    }
}

impl<T> Consumer<T> {
    /// Takes the oldest value. Wait-free.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        // SAFETY: the only consumer of its core, made by `Producer::pair`, borrowed mutably.
        unsafe { self.core.pop(&mut self.cursor) }
    }

    /// Takes up to `most` values, oldest first, to the end of `out`; says how many. Allocates where `out` has no room.
    pub fn pop_into(&mut self, out: &mut Vec<T>, most: usize) -> usize {
        // SAFETY: as in `pop`.
        unsafe { self.core.pop_into(&mut self.cursor, out, most) }
    }

    /// How many values wait.
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the producer is gone and nothing waits: there will be nothing more.
    pub fn is_finished(&self) -> bool {
        // Acquire: pairs with the release of a producer that goes; what it pushed last is seen by `is_empty`.
        self.core.producer_gone.load(Ordering::Acquire) && self.is_empty()
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        // Release: pairs with the acquire in `is_finished`.
        self.core.producer_gone.store(true, Ordering::Release);
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        // Relaxed: see `is_abandoned`.
        self.core.consumer_gone.store(true, Ordering::Relaxed);
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("len", &self.len()).finish_non_exhaustive()
    }
}
