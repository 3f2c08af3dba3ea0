//! How long to wait before the next try.

use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// The bounds of the waits between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackoffOptions {
    /// The longest wait before the second try; each later try may wait twice as long. Default: 200 ms.
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
/// the same server don't come back together.
///
/// Source: <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
#[derive(Debug)]
pub(crate) struct Backoff {
    options: BackoffOptions,
    random: Xoshiro256PlusPlus,
    /// Tries in a row that failed.
    failed: u32,
}

impl Backoff {
    pub(crate) fn new(options: BackoffOptions, seed: u64) -> Self {
        Self { options, random: Xoshiro256PlusPlus::seed_from_u64(seed), failed: 0 }
    }

    /// The wait before the next try.
    pub(crate) fn next(&mut self) -> Duration {
        let doubled = self.options.first.saturating_mul(1 << self.failed.min(20));
        self.failed = self.failed.saturating_add(1);
        let bound = doubled.min(self.options.most).as_nanos() as u64;
        Duration::from_nanos(self.random.next_u64() % bound.saturating_add(1))
    }

    /// A try went well.
    pub(crate) fn reset(&mut self) {
        self.failed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_most_and_starts_again_after_a_success() {
        let options = BackoffOptions { first: Duration::from_millis(100), most: Duration::from_secs(1) };
        let mut longest = [Duration::ZERO; 8];
        for seed in 0..500 {
            let mut backoff = Backoff::new(options, seed);
            for longest in &mut longest {
                *longest = (*longest).max(backoff.next());
            }
            backoff.reset();
            assert!(backoff.next() <= options.first);
        }
        for (i, longest) in longest.iter().enumerate() {
            let bound = options.most.min(options.first * (1 << i));
            assert!(*longest <= bound && *longest > bound * 9 / 10, "try {i}: {longest:?} of {bound:?}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let waits = |seed| {
            let mut backoff = Backoff::new(BackoffOptions::default(), seed);
            std::array::from_fn::<_, 8, _>(|_| backoff.next())
        };
        assert!(waits(7) == waits(7) && waits(7) != waits(8));
    }
}
