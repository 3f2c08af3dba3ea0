//! How long to wait before the next try.

use std::time::{Duration, Instant};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// The bounds of the waits between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackoffOptions {
    /// The longest wait before the second try; each later try may wait twice as long, but not beyond the time that
    /// tries have failed for. Default: 200 ms.
    pub first: Duration,
    /// The longest wait of all. Default: 30 s.
    pub most: Duration,
}

impl Default for BackoffOptions {
    fn default() -> Self {
        Self { first: Duration::from_millis(200), most: Duration::from_secs(30) }
    }
}

/// Exponential backoff with full jitter: a wait is anything from 0 to a bound that doubles, so that clients which lost
/// the same server don't come back together. Nor is it longer than the time since the first failure in a row (`first` at least): short waits
/// by chance would else double the bound many times within a moment, and what was away for one second be missed for many.
///
/// Source: <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
#[derive(Debug)]
pub(crate) struct Backoff {
    options: BackoffOptions,
    random: Xoshiro256PlusPlus,
    /// Tries in a row that failed.
    failed: u32,
    /// When the first of them did.
    since: Option<Instant>,
}

impl Backoff {
    pub(crate) fn new(options: BackoffOptions, seed: u64) -> Self {
        Self { options, random: Xoshiro256PlusPlus::seed_from_u64(seed), failed: 0, since: None }
    }

    /// The wait before the next try, where one has failed now or may have.
    pub(crate) fn next(&mut self, now: Instant) -> Duration {
        let failing = now.saturating_duration_since(*self.since.get_or_insert(now)).max(self.options.first);
        let doubled = self.options.first.saturating_mul(1 << self.failed.min(20));
        self.failed = self.failed.saturating_add(1);
        let bound = doubled.min(failing).min(self.options.most).as_nanos() as u64;
        Duration::from_nanos(self.random.next_u64() % bound.saturating_add(1))
    }

    /// A try went well.
    pub(crate) fn reset(&mut self) {
        (self.failed, self.since) = (0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: BackoffOptions = BackoffOptions { first: Duration::from_millis(100), most: Duration::from_secs(1) };

    #[test]
    fn the_bound_doubles_up_to_the_most_and_starts_again_after_a_success() {
        let now = Instant::now();
        let mut longest = [Duration::ZERO; 8];
        for seed in 0..500 {
            let mut backoff = Backoff::new(OPTIONS, seed);
            for (i, longest) in longest.iter_mut().enumerate() {
                *longest = (*longest).max(backoff.next(now + i as u32 * OPTIONS.most));
            }
            backoff.reset();
            assert!(backoff.next(now + 8 * OPTIONS.most) <= OPTIONS.first);
        }
        for (i, longest) in longest.iter().enumerate() {
            let bound = OPTIONS.most.min(OPTIONS.first * (1 << i));
            assert!(*longest <= bound && *longest > bound * 9 / 10, "try {i}: {longest:?} of {bound:?}");
        }
    }

    #[test]
    fn what_is_away_for_a_while_is_missed_for_as_long_again_at_most() {
        let begun = Instant::now();
        for seed in 0..500 {
            let mut backoff = Backoff::new(BackoffOptions::default(), seed);
            let (away, mut now) = (Duration::from_millis(800), begun);
            let mut tries = 0;
            while now - begun < away {
                now += backoff.next(now);
                tries += 1;
            }
            assert!(now - begun <= 2 * away, "seed {seed}: {:?}", now - begun);
            assert!(tries < 100, "seed {seed}: {tries} tries");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let waits = |seed| {
            let (mut backoff, now) = (Backoff::new(BackoffOptions::default(), seed), Instant::now());
            std::array::from_fn::<_, 8, _>(|i| backoff.next(now + i as u32 * Duration::from_secs(60)))
        };
        assert!(waits(7) == waits(7) && waits(7) != waits(8));
    }
}
