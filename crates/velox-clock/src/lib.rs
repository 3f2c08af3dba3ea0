//! A nanosecond clock on the processor's time counter, calibrated once and then never stepped.
//!
//! [`rdtsc`] reads the counter, [`tsc_to_ns`] makes nanoseconds of it by one multiplication and a shift, [`now`] does
//! both. Where the counter can't be trusted the operating system's monotonic clock counts instead, in nanoseconds.
//!
//! ```
//! use velox_clock::{init_tsc, rdtsc, tsc_to_ns};
//! init_tsc();
//! let start = rdtsc();
//! let took_ns = tsc_to_ns(rdtsc() - start);
//! assert!(took_ns < 1_000_000_000);
//! ```
#![forbid(unsafe_code)]

mod calibrate;
mod epoch;
mod source;

use std::sync::atomic::{AtomicU64, Ordering};

pub use calibrate::Calibration;
pub use source::Source;

use calibrate::Ratio;
use epoch::Epoch;

/// The frozen ratio; 0 before the first conversion.
static RATIO: AtomicU64 = AtomicU64::new(0);
static EPOCH: Epoch = Epoch::new();

/// Starts the baseline of the calibration, once; about 10 µs, and nothing waits. A program that calls it when it loads
/// has the baseline behind it when it first converts.
pub fn begin() {
    calibrate::begin();
}

/// Makes conversions ready: waits for what is missing of a baseline of 50 ms since [`begin`], once.
pub fn init_tsc() {
    if RATIO.load(Ordering::Relaxed) == 0 {
        calibrate_now();
    }
}

#[cold]
fn calibrate_now() -> u64 {
    let (_, ratio) = calibrate::finish();
    // Relaxed: the ratio is one word and orders nothing else.
    RATIO.store(ratio.0, Ordering::Relaxed);
    ratio.0
}

/// The counter, raw: one instruction, no barrier, about 12 ns in a virtual machine. Nanoseconds where the source is the
/// operating system. Never waits.
#[inline]
pub fn rdtsc() -> u64 {
    source::read()
}

/// Nanoseconds of a counter value or of a difference of two: proportional, exact to a nanosecond, saturating. At most
/// 1 ns of work; the first call of a process waits as [`init_tsc`] does.
#[inline]
pub fn tsc_to_ns(ticks: u64) -> u64 {
    let ratio = RATIO.load(Ordering::Relaxed);
    let ratio = if ratio == 0 { calibrate_now() } else { ratio };
    Ratio(ratio).nanos(ticks)
}

/// Now, in ns on the [`tsc_to_ns`] timeline.
#[inline]
pub fn now() -> u64 {
    tsc_to_ns(rdtsc())
}

/// Nanoseconds since [`begin`]: for durations, small enough for a double.
#[inline]
pub fn nanos() -> u64 {
    tsc_to_ns(rdtsc().wrapping_sub(calibrate::first_ticks()))
}

/// Epoch nanoseconds of an instant of [`now`]. Follows the system's clock: looks at it at most once a second, and takes
/// a difference in by running slower or faster, so that later instants never get earlier times. A short lock.
pub fn to_epoch_nanos(ns: u64) -> u64 {
    EPOCH.of(ns)
}

/// How the clock counts; waits as [`init_tsc`] does.
pub fn calibration() -> Calibration {
    calibrate::finish().0
}

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
