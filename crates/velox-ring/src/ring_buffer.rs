//! The ring that is shared by reference.

use std::fmt;

use crate::claim::Claim;
use crate::core::{Core, Cursor};
use crate::halves::{Consumer, Producer};
use crate::sync::{Arc, Padded, UnsafeCell};

/// A side's claim and its cursor, which only the claiming thread touches.
#[derive(Debug)]
struct Side {
    claim: Claim,
    cursor: UnsafeCell<Cursor>,
}

impl Side {
    fn new(capacity: usize) -> Padded<Self> {
        Padded(Self { claim: Claim::new(), cursor: UnsafeCell::new(Cursor::first(capacity)) })
    }
}

/// A ring of `N` slots between one producer thread and one consumer thread, shared by reference (`Arc`).
///
/// `N` must be a power of two: anything else doesn't compile. The slots stand on the heap. The first thread that pushes
/// claims the producer's side, the first that pops the consumer's; a second thread on the same side panics with a
/// sentence. A side is handed over by [`release_producer`](Self::release_producer) and
/// [`release_consumer`](Self::release_consumer); [`split`](Self::split) has no claims to check at all.
///
/// ```
/// let ring = velox_ring::RingBuffer::<u32, 4>::new();
/// for n in 0..4 {
///     ring.push(n).unwrap();
/// }
/// assert_eq!(ring.push(4), Err(4), "full: the value comes back");
/// assert_eq!(ring.pop(), Some(0));
/// ```
///
/// ```compile_fail
/// let ring = velox_ring::RingBuffer::<u32, 1000>::new(); // not a power of two
/// ```
pub struct RingBuffer<T, const N: usize> {
    core: Arc<Core<T, false>>,
    producer: Padded<Side>,
    consumer: Padded<Side>,
}

// SAFETY: values move between threads, so they must be Send; the cursors belong to the thread that holds the claim.
unsafe impl<T: Send, const N: usize> Send for RingBuffer<T, N> {}
// SAFETY: every access to a cursor comes after `Claim::hold`, so from one thread at a time; `Core` is Sync.
unsafe impl<T: Send, const N: usize> Sync for RingBuffer<T, N> {}

impl<T, const N: usize> RingBuffer<T, N> {
    /// An empty ring. Allocates all its slots.
    ///
    /// # Panics
    /// Doesn't compile unless `N` is a power of two.
    #[must_use]
    pub fn new() -> Self {
        const { assert!(N.is_power_of_two(), "the capacity of a RingBuffer is a power of two") };
        Self { core: Arc::new(Core::new(N)), producer: Side::new(N), consumer: Side::new(N) }
    }

    /// Adds a value. Wait-free, allocates nothing.
    ///
    /// # Errors
    /// The value itself, when the ring is full.
    ///
    /// # Panics
    /// When another thread is the producer.
    #[inline]
    pub fn push(&self, value: T) -> Result<(), T> {
        self.producer.0.claim.hold("producer");
        // SAFETY: the claim says that this thread is the producer; it came with the sight of what an earlier one did. No
        // other borrow of the cursor exists: nothing in here runs code of `T`.
        self.producer.0.cursor.with_mut(|cursor| unsafe { self.core.push(&mut *cursor, value) })
    }

    /// Takes the oldest value. Wait-free.
    ///
    /// # Panics
    /// When another thread is the consumer.
    #[inline]
    pub fn pop(&self) -> Option<T> {
        self.consumer.0.claim.hold("consumer");
        // SAFETY: as in `push`, for the consumer.
        self.consumer.0.cursor.with_mut(|cursor| unsafe { self.core.pop(&mut *cursor) })
    }

    /// Gives up the producer's side, for another thread to push. Says whether it was this thread's.
    pub fn release_producer(&self) -> bool {
        self.producer.0.claim.let_go()
    }

    /// Gives up the consumer's side, for another thread to pop. Says whether it was this thread's.
    pub fn release_consumer(&self) -> bool {
        self.consumer.0.claim.let_go()
    }

    /// The two sides as values, which the compiler keeps apart; nothing is checked at run time. What waits stays.
    ///
    /// ```
    /// let (mut producer, mut consumer) = velox_ring::RingBuffer::<u32, 4>::new().split();
    /// producer.push(1).unwrap();
    /// assert_eq!(consumer.pop(), Some(1));
    /// ```
    pub fn split(self) -> (Producer<T>, Consumer<T>) {
        // SAFETY: `self` is owned, so no thread is at work on either side any more; the cursors are plain data.
        let cursor = |side: &Side| side.cursor.with(|cursor| unsafe { *cursor });
        Producer::pair(Arc::clone(&self.core), cursor(&self.producer.0), cursor(&self.consumer.0))
    }

    /// How many values wait; a moment's view where the other side is at work. Range: 0 ..= N.
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room.
    pub fn is_full(&self) -> bool {
        self.len() == N
    }

    /// How many values it holds at most: `N`.
    pub const fn capacity(&self) -> usize {
        N
    }
}

impl<T, const N: usize> Default for RingBuffer<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> fmt::Debug for RingBuffer<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingBuffer").field("len", &self.len()).field("capacity", &N).finish_non_exhaustive()
    }
}
