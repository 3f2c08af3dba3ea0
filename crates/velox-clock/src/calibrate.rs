//! The ratio of ticks and nanoseconds, from two tight pairs of reads with a baseline between them.
//!
//! A pair is the counter, the system's clock, the counter again; of many tries the one with the narrowest bracket is
//! taken, which no interrupt lengthened. Over 50 ms two such pairs agree to a few tenths of a part per million, where
//! one read after a sleep is 12 to 29 ppm off.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::source::{self, Source};

/// The least time between the two pairs.
const BASELINE: Duration = Duration::from_millis(50);
/// How often a pair is tried. About 50 ns each.
const TRIES: usize = 200;
/// A ratio counts in 2^-53 ns a tick: room for counters from 1 MHz, and a precision of 10^-15 for one of 3 GHz.
const SHIFT: u32 = 53;

/// How the clock counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Counter steps a nanosecond.
    pub ticks_per_nano: f64,
    /// The bound of its error that the brackets of the two pairs give, in parts per million.
    pub error_ppm: f64,
    /// What it counts by.
    pub source: Source,
}

/// Nanoseconds a tick, times 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ratio(pub u64);

impl Ratio {
    #[inline]
    pub(crate) fn nanos(self, ticks: u64) -> u64 {
        let nanos = (u128::from(ticks) * u128::from(self.0)) >> SHIFT;
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}

/// One instant on both clocks.
#[derive(Debug, Clone, Copy)]
struct Pair {
    ticks: u64,
    time: Instant,
    /// How far apart the two reads of the counter were, in ticks.
    bracket: u64,
}

impl Pair {
    fn take() -> Self {
        let one = || {
            let before = source::read();
            let time = Instant::now();
            let bracket = source::read().saturating_sub(before);
            Self { ticks: before + bracket / 2, time, bracket }
        };
        (1..TRIES).map(|_| one()).fold(one(), |best, next| if next.bracket < best.bracket { next } else { best })
    }
}

static FIRST: OnceLock<Pair> = OnceLock::new();

fn first() -> &'static Pair {
    FIRST.get_or_init(|| {
        source::source();
        Pair::take()
    })
}

pub(crate) fn begin() {
    first();
}

#[inline]
pub(crate) fn first_ticks() -> u64 {
    first().ticks
}

static FINISHED: OnceLock<(Calibration, Ratio)> = OnceLock::new();

pub(crate) fn finish() -> (Calibration, Ratio) {
    *FINISHED.get_or_init(|| {
        let first = first();
        let source = source::source();
        if source == Source::Os {
            return (Calibration { ticks_per_nano: 1.0, error_ppm: 0.0, source }, Ratio(1 << SHIFT));
        }
        std::thread::sleep(BASELINE.saturating_sub(first.time.elapsed()));
        between(first, &Pair::take(), source)
    })
}

fn between(first: &Pair, second: &Pair, source: Source) -> (Calibration, Ratio) {
    let ticks = second.ticks.saturating_sub(first.ticks).max(1);
    let nanos = second.time.duration_since(first.time).as_nanos().max(1);
    let ratio = Ratio(((nanos << SHIFT) / u128::from(ticks)) as u64);
    let error_ppm = (first.bracket + second.bracket) as f64 / 2.0 / ticks as f64 * 1e6;
    (Calibration { ticks_per_nano: ticks as f64 / nanos as f64, error_ppm, source }, ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversion_is_proportional_and_saturates() {
        let third = Ratio((1u64 << SHIFT) / 3);
        assert_eq!(third.nanos(3_000_000_000), 999_999_999);
        assert_eq!(Ratio(1 << SHIFT).nanos(u64::MAX), u64::MAX);
        assert_eq!(Ratio(1000 << SHIFT).nanos(u64::MAX), u64::MAX);
        assert_eq!(third.nanos(0), 0);
    }

    #[test]
    fn the_ratio_is_what_lies_between_two_pairs() {
        let time = Instant::now();
        let first = Pair { ticks: 1_000, time, bracket: 100 };
        let second = Pair { ticks: 150_001_000, time: time + BASELINE, bracket: 50 };
        let (calibration, ratio) = between(&first, &second, Source::Tsc);
        assert!((calibration.ticks_per_nano - 3.0).abs() < 1e-12 && (calibration.error_ppm - 0.5).abs() < 1e-9);
        assert_eq!(ratio.nanos(3_000_000_001), 1_000_000_000);
    }
}
