//! The two sides of a ring as values.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use thiserror::Error;

use crate::chunk::{ReadChunk, WriteChunk};
use crate::core::{Core, Cursor};
use crate::sync::Arc;
use crate::wait::{PopError, PushError, Wait, wait_until};

/// A capacity that no ring can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("capacity: expected a power of two from 1 to 2^31, got {0}")]
pub struct InvalidCapacity(pub usize);

/// The capacity, where a ring can have it.
pub(crate) fn checked(capacity: usize) -> Result<usize, InvalidCapacity> {
    if capacity.is_power_of_two() && capacity <= 1 << 31 { Ok(capacity) } else { Err(InvalidCapacity(capacity)) }
}

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
    Ok(pair(checked(capacity)?))
}

/// A [`ring`] that wakes who sleeps: for [`Block`](crate::Block), and for [`Backoff`](crate::Backoff) without delay. Each
/// publish and each release costs a fence, some 10 ns; batches pay it once.
///
/// # Errors
/// As [`ring`].
///
/// ```
/// use std::time::Duration;
/// use velox_ring::Block;
///
/// let (mut producer, mut consumer) = velox_ring::blocking_ring::<u32>(8)?;
/// let thread = std::thread::spawn(move || consumer.pop_wait(&mut Block, Duration::MAX));
/// producer.push(7).unwrap();
/// assert_eq!(thread.join().unwrap(), Ok(7));
/// # Ok::<(), velox_ring::InvalidCapacity>(())
/// ```
pub fn blocking_ring<T>(capacity: usize) -> Result<(Producer<T, true>, Consumer<T, true>), InvalidCapacity> {
    Ok(pair(checked(capacity)?))
}

fn pair<T, const WAKES: bool>(capacity: usize) -> (Producer<T, WAKES>, Consumer<T, WAKES>) {
    let cursor = Cursor::first(capacity);
    Producer::pair(Arc::new(Core::new(capacity)), cursor, cursor)
}

/// The side that pushes. One thread at a time has it; nothing is checked. Dropping it closes the ring.
///
/// `WAKES` is `true` for a [`blocking_ring`].
pub struct Producer<T, const WAKES: bool = false> {
    core: Arc<Core<T, WAKES>>,
    cursor: Cursor,
}

/// The side that pops. One thread at a time has it; nothing is checked. Dropping it closes the ring.
///
/// `WAKES` is `true` for a [`blocking_ring`].
pub struct Consumer<T, const WAKES: bool = false> {
    core: Arc<Core<T, WAKES>>,
    cursor: Cursor,
}

impl<T, const WAKES: bool> Producer<T, WAKES> {
    /// Both sides of a core that nobody else has a side of.
    pub(crate) fn pair(core: Arc<Core<T, WAKES>>, producer: Cursor, consumer: Cursor) -> (Self, Consumer<T, WAKES>) {
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

    /// Adds a value as soon as there is room, for as long as `timeout` says; `Duration::MAX` for ever.
    ///
    /// # Errors
    /// [`PushError`], with the value: the time is over, or the consumer is gone, which ends the wait at once.
    ///
    /// ```
    /// use std::time::Duration;
    /// use velox_ring::{Backoff, PushError};
    ///
    /// let (mut producer, consumer) = velox_ring::ring::<u8>(1)?;
    /// assert_eq!(producer.push_wait(1, &mut Backoff, Duration::ZERO), Ok(()));
    /// assert_eq!(producer.push_wait(2, &mut Backoff, Duration::from_millis(1)), Err(PushError::TimedOut(2)));
    /// drop(consumer);
    /// assert_eq!(producer.push_wait(3, &mut Backoff, Duration::MAX), Err(PushError::Closed(3)));
    /// # Ok::<(), velox_ring::InvalidCapacity>(())
    /// ```
    pub fn push_wait(
        &mut self,
        value: T,
        wait: &mut (impl Wait + ?Sized),
        timeout: Duration,
    ) -> Result<(), PushError<T>> {
        let Self { core, cursor } = self;
        // SAFETY: as in `push`.
        let look = || core.consumer_gone() || unsafe { core.room(cursor, 1) } > 0;
        wait_until(wait, timeout, &core.ends.0.producer, WAKES, look);
        if self.is_abandoned() {
            return Err(PushError::Closed(value));
        }
        self.push(value).map_err(PushError::TimedOut)
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

    /// Up to `most` free slots, to be written in place.
    #[inline]
    pub fn write_chunk(&mut self, most: usize) -> WriteChunk<'_, T, WAKES> {
        // SAFETY: as in `push`.
        let len = unsafe { self.core.room(&mut self.cursor, most) }.min(most);
        WriteChunk { core: &self.core, cursor: &mut self.cursor, len }
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

    /// How many values the ring holds at most.
    pub fn capacity(&self) -> usize {
        self.core.capacity()
    }

    /// Whether the consumer closed the ring or is gone.
    pub fn is_abandoned(&self) -> bool {
        self.core.consumer_gone()
    }
}

impl<T, const WAKES: bool> Consumer<T, WAKES> {
    /// Takes the oldest value. Wait-free.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        // SAFETY: the only consumer of its core, made by `Producer::pair`, borrowed mutably.
        unsafe { self.core.pop(&mut self.cursor) }
    }

    /// Takes the oldest value as soon as there is one, for as long as `timeout` says; `Duration::MAX` for ever.
    ///
    /// # Errors
    /// [`PopError`]: the time is over, or the ring is closed and empty.
    ///
    /// ```
    /// use std::time::Duration;
    /// use velox_ring::{Backoff, PopError};
    ///
    /// let (mut producer, mut consumer) = velox_ring::ring::<u8>(2)?;
    /// assert_eq!(consumer.pop_wait(&mut Backoff, Duration::from_millis(1)), Err(PopError::TimedOut));
    /// producer.push(1).unwrap();
    /// drop(producer);
    /// assert_eq!(consumer.pop_wait(&mut Backoff, Duration::MAX), Ok(1));
    /// assert_eq!(consumer.pop_wait(&mut Backoff, Duration::MAX), Err(PopError::Closed));
    /// # Ok::<(), velox_ring::InvalidCapacity>(())
    /// ```
    pub fn pop_wait(&mut self, wait: &mut (impl Wait + ?Sized), timeout: Duration) -> Result<T, PopError> {
        if self.wait(wait, timeout) {
            // A producer that went may have pushed just before: so this look comes after that at the flag.
            return self.pop().ok_or(PopError::Closed);
        }
        Err(PopError::TimedOut)
    }

    /// Waits until there is a value or the ring is closed, for as long as `timeout` says; says whether one of them is so.
    /// For batches: then [`drain`](Self::drain) and the like take what is there.
    pub fn wait(&mut self, wait: &mut (impl Wait + ?Sized), timeout: Duration) -> bool {
        let Self { core, cursor } = self;
        // SAFETY: as in `pop`.
        let look = || core.producer_gone() || unsafe { core.available(cursor, 1) } > 0;
        wait_until(wait, timeout, &core.ends.0.consumer, WAKES, look)
    }

    /// Takes up to `most` values, oldest first, to the end of `out`; says how many. Allocates where `out` has no room.
    pub fn pop_into(&mut self, out: &mut Vec<T>, most: usize) -> usize {
        // SAFETY: as in `pop`.
        unsafe { self.core.pop_into(&mut self.cursor, out, most) }
    }

    /// Gives up to `most` values to `take`, oldest first, and their slots back together; says how many.
    ///
    /// Where `take` panics, the value that it was given is its own to lose; those behind it stay.
    ///
    /// ```
    /// let (mut producer, mut consumer) = velox_ring::ring::<u32>(4)?;
    /// producer.push_slice(&[1, 2, 3]);
    /// let mut sum = 0;
    /// assert_eq!(consumer.drain(2, |n| sum += n), 2);
    /// assert_eq!((sum, consumer.len()), (3, 1));
    /// # Ok::<(), velox_ring::InvalidCapacity>(())
    /// ```
    #[inline]
    pub fn drain(&mut self, most: usize, take: impl FnMut(T)) -> usize {
        // SAFETY: as in `pop`.
        unsafe { self.core.drain(&mut self.cursor, most, take) }
    }

    /// Up to `most` values, to be read in place.
    #[inline]
    pub fn read_chunk(&mut self, most: usize) -> ReadChunk<'_, T, WAKES> {
        // SAFETY: as in `pop`.
        let len = unsafe { self.core.available(&mut self.cursor, most) }.min(most);
        ReadChunk { core: &self.core, cursor: &mut self.cursor, len, values: PhantomData }
    }

    /// How many values wait.
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values the ring holds at most.
    pub fn capacity(&self) -> usize {
        self.core.capacity()
    }

    /// Tells the producer that no more is wanted: [`push_wait`](Producer::push_wait) refuses from then on, and
    /// [`is_abandoned`](Producer::is_abandoned) says so. What was pushed before it saw that can still be taken, until
    /// [`is_finished`](Self::is_finished).
    ///
    /// ```
    /// let (mut producer, mut consumer) = velox_ring::ring::<u32>(4)?;
    /// producer.push(1).unwrap();
    /// consumer.close();
    /// assert!(producer.is_abandoned());
    /// drop(producer);
    /// assert_eq!((consumer.pop(), consumer.is_finished()), (Some(1), true));
    /// # Ok::<(), velox_ring::InvalidCapacity>(())
    /// ```
    pub fn close(&mut self) {
        self.core.lose_consumer();
    }

    /// Whether the producer is gone: what waits is all that there will be.
    pub fn is_closed(&self) -> bool {
        self.core.producer_gone()
    }

    /// Whether the producer is gone and nothing waits: there will be nothing more.
    pub fn is_finished(&self) -> bool {
        self.is_closed() && self.is_empty()
    }
}

impl<T, const WAKES: bool> Drop for Producer<T, WAKES> {
    fn drop(&mut self) {
        self.core.lose_producer();
    }
}

impl<T, const WAKES: bool> Drop for Consumer<T, WAKES> {
    fn drop(&mut self) {
        self.core.lose_consumer();
    }
}

impl<T, const WAKES: bool> fmt::Debug for Producer<T, WAKES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T, const WAKES: bool> fmt::Debug for Consumer<T, WAKES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("len", &self.len()).finish_non_exhaustive()
    }
}
