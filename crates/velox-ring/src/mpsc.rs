//! The ring of several producers and one consumer.
//!
//! A producer takes a position by moving `tail`, writes the slot, and stamps it; the consumer follows the stamps. The
//! stamps are Vyukov's ("Bounded MPMC queue", 1024cores.net), but only the producers write them: what is free the one
//! consumer tells by `head`, once a batch.
//!
//! ```text
//!                   who writes it          what it holds
//!  slots ─────────► both, by turns         the values, each with its stamp: position + 1 once it is written
//!  ┌─ line pair ──┐
//!  │ slots, mask  │ nobody                 the slots' address; capacity - 1: 0 ..= 2^31 - 1
//!  ├─ line pair ──┤
//!  │ tail         │ the producers          how many were begun, wrapping: head ..= head + capacity
//!  ├─ line pair ──┤
//!  │ head         │ the consumer           how many were popped, wrapping
//!  ├─ line pair ──┤
//!  │ ends         │ seldom anybody         how many producers there are, who is gone, who sleeps
//!  └──────────────┘
//! ```
//!
//! Invariants that the unsafe blocks rest on:
//!
//! 1. There is one consumer, borrowed mutably to pop.
//! 2. `tail - head` is 0 ..= capacity (wrapping). A position below `tail` is the producer's that moved `tail` past it,
//!    until it stamps the slot; then it is the consumer's, until `head` passes it.
//! 3. A slot becomes the consumer's by the release store of its stamp, the producers' by the release store of `head`.
//!
//! A producer that the system takes its core away between the two steps holds up what others pushed behind it.

use std::fmt;
use std::mem::MaybeUninit;
use std::time::Duration;

use crate::bed::Bed;
use crate::halves::{InvalidCapacity, checked};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering, Padded, UnsafeCell, try_again};
use crate::wait::{PopError, PushError, Wait, wait_until};

/// A ring of `capacity` slots for several producers, clones of the one given, and one consumer. Allocates all slots.
///
/// Values of one producer come in its order; those of several interleave.
///
/// # Errors
/// [`InvalidCapacity`]: not a power of two from 1 to 2^31.
///
/// ```
/// let (mut producer, mut consumer) = velox_ring::mpsc_ring::<u32>(8)?;
/// let mut other = producer.clone();
/// let thread = std::thread::spawn(move || other.push_slice(&[1, 2]));
/// producer.push(3).unwrap();
/// thread.join().unwrap();
/// drop(producer);
/// let mut sum = 0;
/// assert_eq!((consumer.drain(9, |n| sum += n), sum, consumer.is_finished()), (3, 6, true));
/// # Ok::<(), velox_ring::InvalidCapacity>(())
/// ```
pub fn mpsc_ring<T>(capacity: usize) -> Result<(MpscProducer<T>, MpscConsumer<T>), InvalidCapacity> {
    Ok(make(checked(capacity)?, false))
}

/// An [`mpsc_ring`] that wakes who sleeps: see [`blocking_ring`](crate::blocking_ring).
///
/// # Errors
/// As [`mpsc_ring`].
pub fn blocking_mpsc_ring<T>(capacity: usize) -> Result<(MpscProducer<T>, MpscConsumer<T>), InvalidCapacity> {
    Ok(make(checked(capacity)?, true))
}

fn make<T>(capacity: usize, wakes: bool) -> (MpscProducer<T>, MpscConsumer<T>) {
    let at = 0usize.wrapping_sub(capacity);
    let slot = |i| Slot {
        // Its own position: not yet written in the first round.
        stamp: AtomicUsize::new(at.wrapping_add(i)),
        value: UnsafeCell::new(MaybeUninit::zeroed()),
    };
    let ends = Ends {
        producers: AtomicUsize::new(1),
        consumer_gone: AtomicBool::new(false),
        full: Bed::for_several(),
        consumer: Bed::for_one(),
    };
    let shared = Arc::new(Shared {
        slots: (0..capacity).map(slot).collect(),
        wakes,
        tail: Padded(AtomicUsize::new(at)),
        head: Padded(AtomicUsize::new(at)),
        ends: Padded(ends),
    });
    (MpscProducer { shared: Arc::clone(&shared), far: at }, MpscConsumer { shared, at })
}

struct Slot<T> {
    stamp: AtomicUsize,
    value: UnsafeCell<MaybeUninit<T>>,
}

struct Shared<T> {
    slots: Box<[Slot<T>]>,
    /// Whether a publish wakes who sleeps: it costs a fence.
    wakes: bool,
    tail: Padded<AtomicUsize>,
    head: Padded<AtomicUsize>,
    ends: Padded<Ends>,
}

struct Ends {
    producers: AtomicUsize,
    consumer_gone: AtomicBool,
    full: Bed,
    consumer: Bed,
}

// SAFETY: a value is reached by one thread at a time (invariants 1 to 3) and moves between threads, so it must be Send.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above; no reference to a value is ever handed out.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    #[inline]
    fn slot(&self, position: usize) -> &Slot<T> {
        &self.slots[position & (self.slots.len() - 1)]
    }

    /// Whether the value of a position is there.
    #[inline]
    fn is_written(&self, position: usize) -> bool {
        // Acquire: pairs with the producer's release of the stamp; the value is written before.
        self.slot(position).stamp.load(Ordering::Acquire) == position.wrapping_add(1)
    }

    /// # Safety
    /// The caller is the consumer, `position` is `head` or beyond and was seen written, and is taken once.
    #[inline]
    unsafe fn take(&self, position: usize) -> T {
        // SAFETY: the caller's promise and invariant 2.
        self.slot(position).value.with(|value| unsafe { (*value).assume_init_read() })
    }

    /// # Safety
    /// The caller moved `tail` past the position.
    #[inline]
    unsafe fn write(&self, position: usize, value: T) {
        let slot = self.slot(position);
        // SAFETY: the caller's promise and invariant 2.
        slot.value.with_mut(|free| unsafe { (*free).write(value) });
        // Release: pairs with the consumer's acquire in `is_written`.
        slot.stamp.store(position.wrapping_add(1), Ordering::Release);
    }
}

/// One of those that push; cloned for each thread that does. When the last is dropped, the ring is closed.
pub struct MpscProducer<T> {
    shared: Arc<Shared<T>>,
    /// The consumer's position as last seen: it can only have moved on.
    far: usize,
}

/// The side that pops. Dropping it closes the ring.
pub struct MpscConsumer<T> {
    shared: Arc<Shared<T>>,
    /// The next position, wrapping.
    at: usize,
}

impl<T> MpscProducer<T> {
    /// Adds a value. Lock-free, allocates nothing.
    ///
    /// # Errors
    /// The value itself, when the ring is full.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), T> {
        let Some((at, _)) = self.claim(1) else { return Err(value) };
        // SAFETY: claimed.
        unsafe { self.shared.write(at, value) };
        self.published();
        Ok(())
    }

    /// Adds a value as soon as there is room, for as long as `timeout` says; `Duration::MAX` for ever.
    ///
    /// # Errors
    /// [`PushError`], with the value: the time is over, or the consumer is gone.
    pub fn push_wait(
        &mut self,
        value: T,
        wait: &mut (impl Wait + ?Sized),
        timeout: Duration,
    ) -> Result<(), PushError<T>> {
        let shared = Arc::clone(&self.shared);
        let mut value = Some(value);
        // Pushes as it looks: room that was seen may be another producer's a moment later.
        let look = || {
            if self.is_abandoned() {
                return true;
            }
            value = value.take().and_then(|value| self.push(value).err());
            value.is_none()
        };
        wait_until(wait, timeout, &shared.ends.0.full, shared.wakes, look);
        match value {
            None => Ok(()),
            Some(value) if self.is_abandoned() => Err(PushError::Closed(value)),
            Some(value) => Err(PushError::TimedOut(value)),
        }
    }

    /// Adds as many values as fit, from the first on, one behind the other; says how many.
    #[inline]
    pub fn push_slice(&mut self, values: &[T]) -> usize
    where
        T: Copy,
    {
        let Some((at, count)) = self.claim(values.len()) else { return 0 };
        for (i, value) in values[..count].iter().enumerate() {
            // SAFETY: claimed.
            unsafe { self.shared.write(at.wrapping_add(i), *value) };
        }
        self.published();
        count
    }

    /// Takes up to `wanted` positions: the first, and how many. `None` when there is no room, or none is wanted.
    #[inline]
    fn claim(&mut self, wanted: usize) -> Option<(usize, usize)> {
        let shared = &*self.shared;
        let capacity = shared.slots.len();
        // Relaxed: the exchange below says whether it still is so.
        let mut tail = shared.tail.0.load(Ordering::Relaxed);
        loop {
            // `far` may be older than a whole round of the others: then it says that there is no room.
            let known = capacity.saturating_sub(tail.wrapping_sub(self.far));
            let room = if known >= wanted {
                known
            } else {
                // Acquire: pairs with the consumer's release in `release`, after which it no longer touches the slots.
                self.far = shared.head.0.load(Ordering::Acquire);
                // A `tail` that was read before others moved on may lie behind `head` by now: read it again.
                let used = tail.wrapping_sub(self.far);
                if used > capacity {
                    try_again();
                    tail = shared.tail.0.load(Ordering::Relaxed);
                    continue;
                }
                capacity - used
            };
            let count = room.min(wanted);
            if count == 0 {
                return None;
            }
            // Relaxed: the position is handed over by nobody; what was in the slot is ordered by `head`.
            match shared.tail.0.compare_exchange_weak(
                tail,
                tail.wrapping_add(count),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some((tail, count)),
                Err(now) => {
                    try_again();
                    tail = now;
                }
            }
        }
    }

    #[inline]
    fn published(&self) {
        if self.shared.wakes {
            self.shared.ends.0.consumer.wake();
        }
    }

    /// How many values the ring holds at most.
    pub fn capacity(&self) -> usize {
        self.shared.slots.len()
    }

    /// Whether the consumer closed the ring or is gone.
    pub fn is_abandoned(&self) -> bool {
        // Relaxed: the flag orders nothing.
        self.shared.ends.0.consumer_gone.load(Ordering::Relaxed)
    }
}

impl<T> MpscConsumer<T> {
    /// Takes the oldest value. Wait-free.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        if !self.shared.is_written(self.at) {
            return None;
        }
        // SAFETY: the consumer; just seen written, and `release` passes it.
        let value = unsafe { self.shared.take(self.at) };
        self.release(1);
        Some(value)
    }

    /// Takes the oldest value as soon as there is one, for as long as `timeout` says; `Duration::MAX` for ever.
    ///
    /// # Errors
    /// [`PopError`]: the time is over, or the ring is closed and empty.
    pub fn pop_wait(&mut self, wait: &mut (impl Wait + ?Sized), timeout: Duration) -> Result<T, PopError> {
        if self.wait(wait, timeout) { self.pop().ok_or(PopError::Closed) } else { Err(PopError::TimedOut) }
    }

    /// Waits until there is a value or the ring is closed, for as long as `timeout` says; says whether one of them is so.
    pub fn wait(&mut self, wait: &mut (impl Wait + ?Sized), timeout: Duration) -> bool {
        let Shared { ends, wakes, .. } = &*self.shared;
        let look = || self.is_closed() || self.shared.is_written(self.at);
        wait_until(wait, timeout, &ends.0.consumer, *wakes, look)
    }

    /// Takes up to `most` values, oldest first, to the end of `out`; says how many. Allocates where `out` has no room.
    pub fn pop_into(&mut self, out: &mut Vec<T>, most: usize) -> usize {
        self.drain(most, |value| out.push(value))
    }

    /// Gives up to `most` values to `take`, oldest first, and their slots back together; says how many.
    ///
    /// Where `take` panics, the value that it was given is its own to lose; those behind it stay.
    #[inline]
    pub fn drain(&mut self, most: usize, mut take: impl FnMut(T)) -> usize {
        struct Taken<'a, T> {
            consumer: &'a mut MpscConsumer<T>,
            count: usize,
        }
        impl<T> Drop for Taken<'_, T> {
            fn drop(&mut self) {
                if self.count > 0 {
                    self.consumer.release(self.count);
                }
            }
        }
        // No more than a round: `head` doesn't move meanwhile, so no slot behind that can be written.
        let most = most.min(self.shared.slots.len());
        let mut taken = Taken { consumer: self, count: 0 };
        while taken.count < most {
            let MpscConsumer { shared, at } = &*taken.consumer;
            let at = at.wrapping_add(taken.count);
            if !shared.is_written(at) {
                break;
            }
            // SAFETY: the consumer; just seen written, and `release` passes it.
            let value = unsafe { shared.take(at) };
            taken.count += 1;
            take(value);
        }
        taken.count
    }

    /// How many values wait, those counted that are being written: 0 ..= capacity.
    pub fn len(&self) -> usize {
        // Relaxed: a moment's view.
        self.shared.tail.0.load(Ordering::Relaxed).wrapping_sub(self.at)
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values the ring holds at most.
    pub fn capacity(&self) -> usize {
        self.shared.slots.len()
    }

    /// Tells the producers that no more is wanted; see [`Consumer::close`](crate::Consumer::close).
    pub fn close(&mut self) {
        // Relaxed: see `is_abandoned`.
        self.shared.ends.0.consumer_gone.store(true, Ordering::Relaxed);
        self.shared.ends.0.full.wake();
    }

    /// Whether every producer is gone: what waits is all that there will be.
    pub fn is_closed(&self) -> bool {
        // Acquire: pairs with the release of each producer that goes; what it pushed last is seen by a look after this.
        self.shared.ends.0.producers.load(Ordering::Acquire) == 0
    }

    /// Whether every producer is gone and nothing waits.
    pub fn is_finished(&self) -> bool {
        self.is_closed() && !self.shared.is_written(self.at)
    }

    #[inline]
    fn release(&mut self, count: usize) {
        self.at = self.at.wrapping_add(count);
        // Release: pairs with the producers' acquire in `claim`; the values were moved out before.
        self.shared.head.0.store(self.at, Ordering::Release);
        if self.shared.wakes {
            self.shared.ends.0.full.wake();
        }
    }
}

impl<T> Clone for MpscProducer<T> {
    fn clone(&self) -> Self {
        // Relaxed: a producer is there already, so the count can't be seen as 0.
        self.shared.ends.0.producers.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::clone(&self.shared), far: self.far }
    }
}

impl<T> Drop for MpscProducer<T> {
    fn drop(&mut self) {
        // Release: pairs with the acquire in `is_closed`, also through the others' later steps.
        self.shared.ends.0.producers.fetch_sub(1, Ordering::Release);
        self.shared.ends.0.consumer.wake();
    }
}

impl<T> Drop for MpscConsumer<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // Relaxed: `&mut self` comes after everything that any side did; all that was begun is written.
        let (head, tail) = (self.head.0.load(Ordering::Relaxed), self.tail.0.load(Ordering::Relaxed));
        for i in 0..tail.wrapping_sub(head) {
            // SAFETY: invariant 2; nobody else is left, so each value is dropped once.
            drop(unsafe { self.take(head.wrapping_add(i)) });
        }
    }
}

impl<T> fmt::Debug for MpscProducer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MpscProducer").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for MpscConsumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MpscConsumer").field("len", &self.len()).finish_non_exhaustive()
    }
}
