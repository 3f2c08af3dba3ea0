//! How a side passes the time until the other has done something.
//!
//! | strategy | while it waits | wakes after | for |
//! |---|---|---|---|
//! | [`Spin`] | a core is busy | one transfer of a cache line | a core of its own, and fewer such threads than cores |
//! | [`Yield`] | a core is busy, others may have it | that, or a scheduler's turn | threads that share cores and hurry |
//! | [`Backoff`] | spins, yields, sleeps longer and longer | up to 1 ms, at once where the ring wakes | anything |
//! | [`Block`] | sleeps | a wake-up by the system, some 50 µs | what comes seldom |
//!
//! A side that sleeps has to be woken, which costs the other side a fence and a load each time it publishes. So a ring
//! wakes sleepers only where it was made to (`blocking_ring` and the like): on another one, a sleep ends after 1 ms at
//! most. That an end closed or was lost wakes sleepers on every ring.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::bed::Bed;

/// The longest sleep where nobody wakes the sleeper.
const SLICE: Duration = Duration::from_millis(1);

/// A way to pass the time. Own ones are allowed: a [`Sleeper`] is all that they need.
///
/// ```
/// use std::time::Duration;
/// use velox_ring::{Sleeper, Wait};
///
/// /// Spins a thousand times, then sleeps 10 µs at a time.
/// struct Patient;
///
/// impl Wait for Patient {
///     fn pass(&mut self, idle: u32, sleeper: &mut Sleeper<'_>) {
///         if idle < 1_000 { std::hint::spin_loop() } else { sleeper.sleep(Duration::from_micros(10)) }
///     }
/// }
///
/// let (mut producer, mut consumer) = velox_ring::ring::<u8>(2)?;
/// producer.push(7).unwrap();
/// assert_eq!(consumer.pop_wait(&mut Patient, Duration::from_secs(1)), Ok(7));
/// # Ok::<(), velox_ring::InvalidCapacity>(())
/// ```
pub trait Wait {
    /// Passes a little time. `idle` says how often it was called in a row before, from 0; the side is looked at after
    /// each call.
    fn pass(&mut self, idle: u32, sleeper: &mut Sleeper<'_>);
}

/// Where a [`Wait`] sleeps.
pub struct Sleeper<'a> {
    bed: &'a Bed,
    look: &'a mut dyn FnMut() -> bool,
    longest: Duration,
}

impl Sleeper<'_> {
    /// Sleeps until the other side wakes this one, `most` or what is left of the time-out has passed, or not at all where
    /// there is work by now.
    pub fn sleep(&mut self, most: Duration) {
        self.bed.park_unless(&mut self.look, most.min(self.longest));
    }
}

/// Never gives its core away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spin;

/// Gives its core away each time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Yield;

/// Spins 64 times, yields 64 times, then sleeps: 50 µs, each time twice as long, up to 1 ms.
#[derive(Debug, Clone, Copy, Default)]
pub struct Backoff;

/// Spins 64 times, then sleeps until it is woken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Block;

impl Wait for Spin {
    #[inline]
    fn pass(&mut self, _: u32, _: &mut Sleeper<'_>) {
        spin_loop();
    }
}

impl Wait for Yield {
    #[inline]
    fn pass(&mut self, _: u32, _: &mut Sleeper<'_>) {
        crate::sync::yield_now();
    }
}

impl Wait for Backoff {
    #[inline]
    fn pass(&mut self, idle: u32, sleeper: &mut Sleeper<'_>) {
        match idle {
            0..64 => spin_loop(),
            64..128 => crate::sync::yield_now(),
            _ => sleeper.sleep(Duration::from_micros(50 << (idle - 128).min(5)).min(SLICE)),
        }
    }
}

impl Wait for Block {
    #[inline]
    fn pass(&mut self, idle: u32, sleeper: &mut Sleeper<'_>) {
        if idle < 64 && !cfg!(loom) {
            spin_loop();
        } else {
            sleeper.sleep(Duration::MAX);
        }
    }
}

/// Why a value was not pushed; it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PushError<T> {
    /// The ring was full all the time.
    #[error("expected room in the ring, got none within the time-out")]
    TimedOut(T),
    /// The consumer closed the ring or is gone.
    #[error("expected a consumer, got a closed ring")]
    Closed(T),
}

impl<T> PushError<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        match self {
            Self::TimedOut(value) | Self::Closed(value) => value,
        }
    }
}

/// Why nothing was popped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PopError {
    /// The ring was empty all the time.
    #[error("expected a value in the ring, got none within the time-out")]
    TimedOut,
    /// Nothing waits and no producer is left: there will be nothing more.
    #[error("expected a producer, got a closed and empty ring")]
    Closed,
}

/// Waits until `look` says so; `false` when the time is over. `wakes`: whether the other side rings at `bed`.
pub(crate) fn wait_until(
    wait: &mut (impl Wait + ?Sized),
    timeout: Duration,
    bed: &Bed,
    wakes: bool,
    mut look: impl FnMut() -> bool,
) -> bool {
    if look() {
        return true;
    }
    // None: a time-out that reaches beyond the clock's range is none.
    let deadline = Instant::now().checked_add(timeout);
    let mut idle = 0u32;
    loop {
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return look();
        }
        let longest = if wakes { left } else { left.min(SLICE) };
        wait.pass(idle, &mut Sleeper { bed, look: &mut look, longest });
        if look() {
            return true;
        }
        idle = idle.saturating_add(1);
    }
}
