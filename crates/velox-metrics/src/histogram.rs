//! A histogram with logarithmic groups of equal buckets, recorded by plain loads and stores.
//!
//! Values up to 255 have a bucket each; from there on each power of two is parted into 128, so that a bucket is at most
//! 1/128 as wide as what it holds: two digits. The buckets are those of HdrHistogram with two significant digits
//! (<http://hdrhistogram.org>), so that counts go from one to the other without loss.

use std::sync::atomic::{AtomicU64, Ordering};

use velox_sys::{Block, WordMap};

/// The longest time that is told apart, in ns: 60 s. Longer ones count as that.
pub const HIGHEST: u64 = 60_000_000_000;

/// Bits of a value that its bucket keeps, less the leading one.
const BITS: u32 = 7;
/// How many buckets there are.
pub(crate) const BUCKETS: usize = bucket(HIGHEST) + 1;
/// Words before the buckets: two cache lines of 64 bytes, or one of 128.
pub(crate) const FIRST: usize = 16;
pub(crate) const SUM: usize = 0;
/// The complement of the least value, so that a word of zeros means none.
pub(crate) const LEAST: usize = 1;
pub(crate) const MOST: usize = 2;
/// Words of a histogram.
pub(crate) const WORDS: usize = (FIRST + BUCKETS).next_multiple_of(16);

/// The bucket of a value.
#[inline]
pub(crate) const fn bucket(value: u64) -> usize {
    let shift = u64::BITS - 1 - BITS - (value | ((2 << BITS) - 1)).leading_zeros();
    ((shift as usize) << BITS) + (value >> shift) as usize
}

/// The least and the largest value of a bucket.
pub(crate) const fn bounds(bucket: usize) -> (u64, u64) {
    if bucket < 2 << BITS {
        return (bucket as u64, bucket as u64);
    }
    let shift = (bucket >> BITS) - 1;
    let least = ((bucket & ((1 << BITS) - 1)) as u64 + (1 << BITS)) << shift;
    (least, least + (1 << shift) - 1)
}

/// Times of 1 ns to 60 s (0 counts as 1, longer ones as 60 s) with two digits, in 30 kB that never grow.
///
/// [`record`](Self::record) is for the one thread that writes: five plain loads and at most four stores, no locked instruction.
#[derive(Clone)]
pub struct Histogram(Block<WORDS>);

/// Adds by a plain load and store: the word has one writer.
#[inline]
fn add(word: &AtomicU64, more: u64) {
    word.store(word.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

#[inline]
fn raise(word: &AtomicU64, value: u64) {
    if value > word.load(Ordering::Relaxed) {
        word.store(value, Ordering::Relaxed);
    }
}

impl Histogram {
    pub(crate) fn of(block: Block<WORDS>) -> Self {
        Self(block)
    }

    /// A histogram of this process alone. Allocates (30 kB).
    ///
    /// # Panics
    /// Never: a map of so many words has them.
    pub fn new() -> Self {
        Self(WordMap::heap(WORDS).block(0).expect("a map of so many words has them"))
    }

    /// Counts `times` times of `nanos`. By one thread at a time; the sum of all wraps after 584 years.
    ///
    /// ```
    /// let histogram = velox_metrics::Histogram::new();
    /// histogram.record(1_000, 10);
    /// assert_eq!(histogram.buckets().percentiles().unwrap().p50, 1_000);
    /// ```
    #[inline]
    pub fn record(&self, nanos: u64, times: u64) {
        let nanos = nanos.clamp(1, HIGHEST);
        let words = &*self.0;
        // Never beyond the last word, as no value is beyond the highest; asked for, so that it is no panic either.
        if let Some(word) = words.get(FIRST + bucket(nanos)) {
            add(word, times);
        }
        add(&words[SUM], nanos.wrapping_mul(times));
        raise(&words[LEAST], !nanos);
        raise(&words[MOST], nanos);
    }

    /// [`record`](Self::record) for any number of threads at once: two locked instructions, four where it is a new
    /// extreme.
    pub fn record_shared(&self, nanos: u64, times: u64) {
        let nanos = nanos.clamp(1, HIGHEST);
        let words = &*self.0;
        // Relaxed: each count stands for itself.
        if let Some(word) = words.get(FIRST + bucket(nanos)) {
            word.fetch_add(times, Ordering::Relaxed);
        }
        words[SUM].fetch_add(nanos.wrapping_mul(times), Ordering::Relaxed);
        for (word, value) in [(&words[LEAST], !nanos), (&words[MOST], nanos)] {
            if value > word.load(Ordering::Relaxed) {
                word.fetch_max(value, Ordering::Relaxed);
            }
        }
    }

    /// A copy of what it holds. Allocates.
    pub fn buckets(&self) -> crate::Buckets {
        let words: Vec<u64> = self.0.iter().map(|word| word.load(Ordering::Relaxed)).collect();
        crate::Buckets::read(&words)
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Histogram").field(&self.buckets().percentiles()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_lie_side_by_side_and_are_a_128th_wide_at_most() {
        let mut next = 0;
        for i in 0..BUCKETS {
            let (least, most) = bounds(i);
            assert_eq!((least, bucket(least), bucket(most)), (next, i, i));
            assert!((most - least) * 128 <= least.max(1), "{least}..={most}");
            next = most + 1;
        }
        assert!(next > HIGHEST && WORDS == 3_824, "{next} {WORDS}");
    }

    #[test]
    fn threads_lose_none() {
        let histogram = Histogram::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (1..=10_000).for_each(|nanos| histogram.record_shared(nanos, 1)));
            }
        });
        let buckets = histogram.buckets();
        assert_eq!((buckets.count(), buckets.sum()), (40_000, 4 * 50_005_000));
        let p = buckets.percentiles().unwrap();
        assert_eq!((p.min, p.max, p.mean), (1, 10_000, 5_000.5));
    }
}
