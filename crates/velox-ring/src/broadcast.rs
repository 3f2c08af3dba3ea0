//! The ring from which each of several consumers sees every record.
//!
//! The design is the LMAX Disruptor's (Thompson, Farley, Barker, Gee, Stewart, "Disruptor", 2011): one sequence of the
//! producer, one of each consumer, and the slowest consumer gates the producer.
//!
//! ```text
//!                      who writes it       what it holds
//!  slots ────────────► the producer        values, which stay until they are written over
//!  ┌─ line pair ─────┐
//!  │ first, mask     │ nobody              the slots' address; capacity - 1: 0 ..= 2^31 - 1
//!  ├─ line pair ─────┤
//!  │ tail            │ the producer        how many were pushed, wrapping
//!  ├─ line pair ─────┤
//!  │ ends            │ seldom anybody      how many consumers there are, who is gone, who sleeps
//!  └─────────────────┘
//!  ┌─ line pair each ┐
//!  │ head            │ its consumer        how many it has read, wrapping: tail - capacity ..= tail
//!  └─────────────────┘
//! ```
//!
//! Invariants that the unsafe blocks rest on:
//!
//! 1. There is one producer, borrowed mutably to push; a consumer's head is its own to move.
//! 2. For each consumer that isn't gone, `tail - head` is 0 ..= capacity (wrapping), and the slots from `head` up to
//!    `tail` hold values that nobody changes.
//! 3. The slots of the last `filled` positions before `tail` hold values, the others none; `filled` is 0 ..= capacity.
//! 4. A slot becomes the consumers' by the release store of `tail`, and the producer's again by the release stores of
//!    every `head`, or of `gone`.

use std::fmt;
use std::mem::needs_drop;
use std::time::Duration;

use crate::bed::Bed;
use crate::halves::{InvalidCapacity, checked};
use crate::slots::Slots;
use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering, Padded};
use crate::wait::{PopError, PushError, Wait, wait_until};

/// A ring of `capacity` slots from which each consumer sees every record: the producer, and so many consumers. Allocates
/// all slots. More consumers come by [`BroadcastProducer::subscribe`].
///
/// A record lies in its slot until it is written over, so what it owns lives that long.
///
/// # Errors
/// [`InvalidCapacity`]: not a power of two from 1 to 2^31.
///
/// ```
/// let (mut producer, mut consumers) = velox_ring::broadcast_ring::<u32>(4, 2)?;
/// assert_eq!(producer.push_slice(&[1, 2, 3, 4, 5]), 4);
/// let mut second = consumers.pop().unwrap();
/// let mut first = consumers.pop().unwrap();
/// let mut sum = 0;
/// assert_eq!((first.drain(9, |n| sum += n), sum), (4, 10));
/// assert_eq!(producer.push(5), Err(5), "the slowest gates");
/// assert_eq!(second.pop(), Some(1));
/// assert_eq!(producer.push(5), Ok(()));
/// # Ok::<(), velox_ring::InvalidCapacity>(())
/// ```
pub fn broadcast_ring<T>(
    capacity: usize,
    consumers: usize,
) -> Result<(BroadcastProducer<T>, Vec<BroadcastConsumer<T>>), InvalidCapacity> {
    Ok(make(checked(capacity)?, consumers, false))
}

/// A [`broadcast_ring`] that wakes who sleeps: see [`blocking_ring`](crate::blocking_ring).
///
/// # Errors
/// As [`broadcast_ring`].
pub fn blocking_broadcast_ring<T>(
    capacity: usize,
    consumers: usize,
) -> Result<(BroadcastProducer<T>, Vec<BroadcastConsumer<T>>), InvalidCapacity> {
    Ok(make(checked(capacity)?, consumers, true))
}

fn make<T>(capacity: usize, consumers: usize, wakes: bool) -> (BroadcastProducer<T>, Vec<BroadcastConsumer<T>>) {
    let at = 0usize.wrapping_sub(capacity);
    let ends = Ends {
        consumers: AtomicUsize::new(0),
        filled: AtomicUsize::new(0),
        producer_gone: AtomicBool::new(false),
        producer: Bed::for_one(),
        sleepers: Bed::for_several(),
    };
    let shared = Shared { slots: Slots::new(capacity), wakes, tail: Padded(AtomicUsize::new(at)), ends: Padded(ends) };
    let mut producer = BroadcastProducer { shared: Arc::new(shared), heads: Vec::new(), at, far: at, filled: 0 };
    let consumers = (0..consumers).map(|_| producer.subscribe()).collect();
    (producer, consumers)
}

struct Shared<T> {
    slots: Slots<T>,
    /// Whether a publish wakes who sleeps: it costs a fence.
    wakes: bool,
    tail: Padded<AtomicUsize>,
    ends: Padded<Ends>,
}

struct Ends {
    consumers: AtomicUsize,
    /// Of the producer, for the end: 0 ..= capacity.
    filled: AtomicUsize,
    producer_gone: AtomicBool,
    producer: Bed,
    sleepers: Bed,
}

// SAFETY: values are seen from several threads and dropped on any, so they must be Send and Sync; see the invariants.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

/// How far a consumer is.
struct Head {
    at: AtomicUsize,
    gone: AtomicBool,
}

/// The side that pushes. Dropping it closes the ring.
pub struct BroadcastProducer<T> {
    shared: Arc<Shared<T>>,
    heads: Vec<Arc<Padded<Head>>>,
    /// The next position, wrapping.
    at: usize,
    /// The slowest head as last seen: at - capacity ..= at.
    far: usize,
    /// How many slots hold a value: 0 ..= capacity.
    filled: usize,
}

/// One of those that see every record. Dropping it lets the producer go on without it.
pub struct BroadcastConsumer<T> {
    shared: Arc<Shared<T>>,
    head: Arc<Padded<Head>>,
    /// The next position, wrapping.
    at: usize,
    /// The producer's as last seen: at ..= at + capacity.
    far: usize,
}

impl<T> BroadcastProducer<T> {
    /// One more consumer, which sees what is pushed from now on. Allocates.
    ///
    /// ```
    /// let (mut producer, _) = velox_ring::broadcast_ring::<u32>(4, 0)?;
    /// producer.push(1).unwrap();
    /// let mut late = producer.subscribe();
    /// producer.push(2).unwrap();
    /// assert_eq!((late.pop(), late.pop()), (Some(2), None));
    /// # Ok::<(), velox_ring::InvalidCapacity>(())
    /// ```
    pub fn subscribe(&mut self) -> BroadcastConsumer<T> {
        let head = Arc::new(Padded(Head { at: AtomicUsize::new(self.at), gone: AtomicBool::new(false) }));
        self.heads.push(Arc::clone(&head));
        // Relaxed: the count orders nothing.
        self.shared.ends.0.consumers.fetch_add(1, Ordering::Relaxed);
        BroadcastConsumer { shared: Arc::clone(&self.shared), head, at: self.at, far: self.at }
    }

    /// Adds a record. Allocates nothing. Drops the one that was in its slot, after this one is published.
    ///
    /// # Errors
    /// The record itself, while the slowest consumer has a whole ring before it. Without consumers there is always room.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), T> {
        if self.room_for(1) == 0 {
            return Err(value);
        }
        let replaced = self.replace(self.at, value);
        self.publish(1);
        drop(replaced);
        Ok(())
    }

    /// Adds a record as soon as there is room, for as long as `timeout` says; `Duration::MAX` for ever.
    ///
    /// # Errors
    /// [`PushError`], with the record: the time is over, or no consumer is left.
    pub fn push_wait(
        &mut self,
        value: T,
        wait: &mut (impl Wait + ?Sized),
        timeout: Duration,
    ) -> Result<(), PushError<T>> {
        let shared = Arc::clone(&self.shared);
        let look = || self.is_abandoned() || self.room_for(1) > 0;
        wait_until(wait, timeout, &shared.ends.0.producer, shared.wakes, look);
        if self.is_abandoned() {
            return Err(PushError::Closed(value));
        }
        self.push(value).map_err(PushError::TimedOut)
    }

    /// Adds as many records as fit, from the first on, and publishes them together; says how many.
    #[inline]
    pub fn push_slice(&mut self, values: &[T]) -> usize
    where
        T: Copy,
    {
        let count = self.room_for(values.len()).min(values.len());
        if count > 0 {
            // SAFETY: so many slots have room: by invariants 2 and 4 no consumer reads them. A `Copy` value needs no drop.
            unsafe { self.shared.slots.write_all(self.at, &values[..count]) };
            self.fill(count);
            self.publish(count);
        }
        count
    }

    /// How many records fit. The consumers can only make it more; 0 ..= capacity.
    pub fn room(&mut self) -> usize {
        self.room_for(self.shared.slots.capacity())
    }

    /// How many records the ring holds at most.
    pub fn capacity(&self) -> usize {
        self.shared.slots.capacity()
    }

    /// How many consumers there are.
    pub fn consumers(&self) -> usize {
        // Relaxed: the count orders nothing.
        self.shared.ends.0.consumers.load(Ordering::Relaxed)
    }

    /// Whether no consumer is left.
    pub fn is_abandoned(&self) -> bool {
        self.consumers() == 0
    }

    #[inline]
    fn room_for(&mut self, wanted: usize) -> usize {
        let known = self.capacity() - self.at.wrapping_sub(self.far);
        if known >= wanted {
            return known;
        }
        self.look();
        self.capacity() - self.at.wrapping_sub(self.far)
    }

    /// Looks for the slowest consumer, and forgets those that are gone.
    #[cold]
    fn look(&mut self) {
        let mut behind = 0;
        let at = self.at;
        self.heads.retain(|head| {
            // Acquire: pairs with the release of a consumer that goes; it no longer reads.
            if head.0.gone.load(Ordering::Acquire) {
                return false;
            }
            // Acquire: pairs with the consumer's release in `release`, after which it no longer reads the slots before.
            behind = behind.max(at.wrapping_sub(head.0.at.load(Ordering::Acquire)));
            true
        });
        self.far = at.wrapping_sub(behind);
    }

    /// Writes a value to a slot that has room; gives what was there.
    #[inline]
    fn replace(&mut self, at: usize, value: T) -> Option<T> {
        let slots = &self.shared.slots;
        slots.prefetch_write(at);
        // SAFETY: the slot has room: by invariants 2 and 4 no consumer reads it. By 3 it holds a value once all do.
        let replaced = (needs_drop::<T>() && self.filled == slots.capacity()).then(|| unsafe { slots.take(at) });
        // SAFETY: as above; the slot holds no value any more.
        unsafe { slots.write(at, value) };
        self.fill(1);
        replaced
    }

    #[inline]
    fn fill(&mut self, count: usize) {
        if self.filled < self.capacity() {
            self.filled = (self.filled + count).min(self.capacity());
            // Relaxed: only the end looks at it, when nobody else is left.
            self.shared.ends.0.filled.store(self.filled, Ordering::Relaxed);
        }
    }

    #[inline]
    fn publish(&mut self, count: usize) {
        self.at = self.at.wrapping_add(count);
        // Release: pairs with the consumers' acquire in `available`; the values are written before.
        self.shared.tail.0.store(self.at, Ordering::Release);
        if self.shared.wakes {
            self.shared.ends.0.sleepers.wake();
        }
    }
}

impl<T> BroadcastConsumer<T> {
    /// A copy of the next record.
    #[inline]
    pub fn pop(&mut self) -> Option<T>
    where
        T: Clone,
    {
        let mut value = None;
        self.drain(1, |next| value = Some(next.clone()));
        value
    }

    /// A copy of the next record as soon as there is one, for as long as `timeout` says; `Duration::MAX` for ever.
    ///
    /// # Errors
    /// [`PopError`]: the time is over, or the ring is closed and this consumer has seen all.
    pub fn pop_wait(&mut self, wait: &mut (impl Wait + ?Sized), timeout: Duration) -> Result<T, PopError>
    where
        T: Clone,
    {
        if self.wait(wait, timeout) { self.pop().ok_or(PopError::Closed) } else { Err(PopError::TimedOut) }
    }

    /// Waits until there is a record or the ring is closed, for as long as `timeout` says; says whether one of them is so.
    pub fn wait(&mut self, wait: &mut (impl Wait + ?Sized), timeout: Duration) -> bool {
        let shared = Arc::clone(&self.shared);
        let look = || self.is_closed() || self.available(1) > 0;
        wait_until(wait, timeout, &shared.ends.0.sleepers, shared.wakes, look)
    }

    /// Shows up to `most` records to `read`, in order, and gives them back together; says how many. Where `read` panics,
    /// the record that it was shown and those behind it are not read.
    #[inline]
    pub fn drain(&mut self, most: usize, mut read: impl FnMut(&T)) -> usize {
        struct Seen<'a, T> {
            consumer: &'a mut BroadcastConsumer<T>,
            count: usize,
        }
        impl<T> Drop for Seen<'_, T> {
            #[inline]
            fn drop(&mut self) {
                if self.count > 0 {
                    self.consumer.release(self.count);
                }
            }
        }
        let count = self.available(most).min(most);
        let (shared, at) = (Arc::as_ptr(&self.shared), self.at);
        let mut seen = Seen { consumer: self, count: 0 };
        // SAFETY: the consumer holds the ring. By invariant 2 so many records are there, and nobody changes them until
        // `seen` goes.
        let (one, two) = unsafe { (*shared).slots.readable(at, count) };
        for value in one.iter().chain(two) {
            read(value);
            seen.count += 1;
        }
        count
    }

    /// Up to `most` records in place, in one slice or two; they are read once they are committed.
    #[inline]
    pub fn read_chunk(&mut self, most: usize) -> BroadcastChunk<'_, T> {
        let len = self.available(most).min(most);
        BroadcastChunk { consumer: self, len }
    }

    /// How many records wait for this consumer: 0 ..= capacity.
    pub fn len(&self) -> usize {
        // Acquire: as in `available`.
        self.shared.tail.0.load(Ordering::Acquire).wrapping_sub(self.at)
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the producer is gone: what waits is all that there will be.
    pub fn is_closed(&self) -> bool {
        // Acquire: pairs with the release of a producer that goes; what it pushed last is seen by a look after this.
        self.shared.ends.0.producer_gone.load(Ordering::Acquire)
    }

    /// Whether the producer is gone and this consumer has seen all.
    pub fn is_finished(&self) -> bool {
        self.is_closed() && self.is_empty()
    }

    #[inline]
    fn available(&mut self, wanted: usize) -> usize {
        let known = self.far.wrapping_sub(self.at);
        if known >= wanted {
            return known;
        }
        // Acquire: pairs with the producer's release in `publish`; the values before `tail` are there.
        self.far = self.shared.tail.0.load(Ordering::Acquire);
        self.far.wrapping_sub(self.at)
    }

    #[inline]
    fn release(&mut self, count: usize) {
        self.at = self.at.wrapping_add(count);
        // Release: pairs with the producer's acquire in `look`; the values were read before.
        self.head.0.at.store(self.at, Ordering::Release);
        if self.shared.wakes {
            self.shared.ends.0.producer.wake();
        }
    }
}

/// Records in place: what is committed is read, what isn't comes again.
pub struct BroadcastChunk<'a, T> {
    consumer: &'a mut BroadcastConsumer<T>,
    /// So many records wait: 0 ..= capacity.
    len: usize,
}

impl<T> BroadcastChunk<'_, T> {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The records, in order.
    #[inline]
    pub fn as_slices(&self) -> (&[T], &[T]) {
        // SAFETY: by invariant 2 so many records are there, and the chunk borrows the consumer, which gives none back.
        unsafe { self.consumer.shared.slots.readable(self.consumer.at, self.len) }
    }

    /// The first `count` records are read.
    ///
    /// # Panics
    /// When there are fewer records.
    #[inline]
    pub fn commit(self, count: usize) {
        assert!(count <= self.len, "commit: expected at most {} records, got {count}", self.len);
        if count > 0 {
            self.consumer.release(count);
        }
    }

    /// [`commit`](Self::commit) of all of them.
    #[inline]
    pub fn commit_all(self) {
        let count = self.len;
        self.commit(count);
    }
}

impl<T> Drop for BroadcastProducer<T> {
    fn drop(&mut self) {
        // Release: pairs with the acquire in `is_closed`.
        self.shared.ends.0.producer_gone.store(true, Ordering::Release);
        self.shared.ends.0.sleepers.wake();
    }
}

impl<T> Drop for BroadcastConsumer<T> {
    fn drop(&mut self) {
        // Release: pairs with the producer's acquire in `look`.
        self.head.0.gone.store(true, Ordering::Release);
        // Relaxed: the count orders nothing.
        self.shared.ends.0.consumers.fetch_sub(1, Ordering::Relaxed);
        self.shared.ends.0.producer.wake();
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // Relaxed: `&mut self` comes after everything that any side did.
        let (tail, filled) = (self.tail.0.load(Ordering::Relaxed), self.ends.0.filled.load(Ordering::Relaxed));
        for i in 1..=filled {
            // SAFETY: invariant 3; nobody else is left, so each value is dropped once.
            unsafe { self.slots.drop_value(tail.wrapping_sub(i)) };
        }
    }
}

impl<T> fmt::Debug for BroadcastProducer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastProducer").field("consumers", &self.consumers()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for BroadcastConsumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastConsumer").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for BroadcastChunk<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastChunk").field("len", &self.len).finish_non_exhaustive()
    }
}
