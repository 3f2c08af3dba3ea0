//! A copy of a histogram, and what is asked of it.

use hdrhistogram::Histogram;

use crate::histogram::{BUCKETS, FIRST, HIGHEST, LEAST, MOST, SUM, bounds};

/// A count is believed up to this: counts of a file may be anything, and their sum must be a number.
const MOST_COUNTED: u64 = 1 << 50;

/// What a histogram held at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    counts: Box<[u64]>,
    sum: u64,
    least: u64,
    most: u64,
}

/// Percentiles of a latency, in ns: no shorter than it was, and at most 1/128 longer. Least, most and mean are exact.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the percentiles")]
pub struct Percentiles {
    pub min: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
    pub mean: f64,
    pub count: u64,
}

impl Buckets {
    /// Of the words of a histogram; words that are missing are zeros.
    pub(crate) fn read(words: &[u64]) -> Self {
        let word = |i: usize| words.get(i).copied().unwrap_or(0);
        let counts = (FIRST..FIRST + BUCKETS).map(|i| word(i).min(MOST_COUNTED)).collect();
        Self { counts, sum: word(SUM), least: (!word(LEAST)).clamp(1, HIGHEST), most: word(MOST).min(HIGHEST) }
    }

    /// What was recorded since an earlier copy of the same histogram. Least and most are exact where they are those of all;
    /// else they are the edges of their buckets, at most 1/128 too far. Allocates.
    ///
    /// ```
    /// let histogram = velox_metrics::Histogram::new();
    /// histogram.record(1_000_000, 1);
    /// let before = histogram.buckets();
    /// histogram.record(100, 5);
    /// let since = histogram.buckets().since(&before).percentiles().unwrap();
    /// assert_eq!((since.count, since.p999, since.max, since.mean), (5, 100, 100, 100.0));
    /// ```
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let counts: Box<[u64]> =
            self.counts.iter().zip(&before.counts).map(|(now, then)| now.saturating_sub(*then)).collect();
        let first = counts.iter().position(|count| *count > 0).map_or((1, 1), bounds);
        let last = counts.iter().rposition(|count| *count > 0).map_or((0, 0), bounds);
        // An extreme of all that lies in the outermost bucket is one of these, or as good as one.
        Self {
            sum: self.sum.wrapping_sub(before.sum),
            least: first.0.max(self.least),
            most: last.1.min(self.most),
            counts,
        }
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all, in ns.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The buckets that hold any: the largest value of each, in ns, and how many it holds. Ascending.
    pub fn filled(&self) -> impl Iterator<Item = (u64, u64)> {
        self.counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(i, count)| (bounds(i).1, *count))
    }

    /// The same as a histogram of the `hdrhistogram` crate, in which several can be added up. Allocates.
    ///
    /// # Panics
    /// Never: its bounds are constant, and hold every bucket.
    pub fn to_hdr(&self) -> Histogram<u64> {
        let mut hdr = Histogram::new_with_bounds(1, HIGHEST, 2).expect("bounds and digits are in range");
        for (value, count) in self.filled() {
            hdr.saturating_record_n(value, count);
        }
        hdr
    }

    /// Percentiles; `None` where nothing was recorded. Allocates.
    pub fn percentiles(&self) -> Option<Percentiles> {
        let hdr = self.to_hdr();
        let count = Some(hdr.len()).filter(|count| *count > 0)?;
        let at = |quantile: f64| hdr.value_at_quantile(quantile).clamp(self.least, self.most.max(self.least));
        let mean = self.sum as f64 / count as f64;
        Some(Percentiles {
            min: self.least,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: self.most.max(self.least),
            mean,
            count,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Histogram as Ours;

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let ours = Ours::new();
        assert!(ours.buckets().percentiles().is_none(), "nothing recorded");
        for nanos in 1..=1_000 {
            ours.record(nanos, 1);
        }
        let p = ours.buckets().percentiles().unwrap();
        // Two digits: 500 and 501 are one bucket, as are 900 to 903 and 988 to 991.
        assert_eq!((p.min, p.p50, p.p90, p.p99, p.max, p.count), (1, 501, 903, 991, 1_000, 1_000));
        assert!((p.mean - 500.5).abs() < 1e-9);
    }

    #[test]
    fn what_is_off_the_scale_counts_at_its_ends() {
        let ours = Ours::new();
        ours.record(0, 1);
        ours.record(u64::MAX, 1);
        let p = ours.buckets().percentiles().unwrap();
        assert_eq!((p.min, p.max, p.count), (1, HIGHEST, 2));
    }

    #[test]
    fn any_words_have_percentiles() {
        let words = vec![u64::MAX; FIRST + BUCKETS];
        let p = Buckets::read(&words).percentiles().unwrap();
        assert!(p.min <= p.p50 && p.p50 <= p.max && p.max <= HIGHEST, "{p:?}");
        assert!(Buckets::read(&[]).percentiles().is_none());
    }

    fn times() -> impl Strategy<Value = (u64, u64)> {
        let nanos = (0..36u32, any::<u64>()).prop_map(|(bits, any)| (any & ((2 << bits) - 1)).min(HIGHEST));
        (nanos, 1..5u64)
    }

    proptest! {
        #[test]
        fn it_says_what_hdrhistogram_says(recorded in prop::collection::vec(times(), 1..200)) {
            let ours = Ours::new();
            let mut theirs = Histogram::<u64>::new_with_bounds(1, HIGHEST, 2).unwrap();
            for (nanos, times) in &recorded {
                ours.record(*nanos, *times);
                theirs.record_n((*nanos).max(1), *times).unwrap();
            }
            let buckets = ours.buckets();
            prop_assert_eq!(buckets.to_hdr(), theirs.clone());
            let p = buckets.percentiles().unwrap();
            let exact = recorded.iter().map(|(nanos, _)| (*nanos).max(1));
            prop_assert_eq!((p.min, p.max), (exact.clone().min().unwrap(), exact.max().unwrap()));
            for (ours, quantile) in [(p.p50, 0.5), (p.p90, 0.9), (p.p99, 0.99), (p.p999, 0.999)] {
                prop_assert_eq!(ours, theirs.value_at_quantile(quantile).min(p.max));
            }
            prop_assert_eq!(p.count, theirs.len());
        }

        #[test]
        fn what_came_since_is_what_was_recorded_since(
            before in prop::collection::vec(times(), 0..100),
            since in prop::collection::vec(times(), 1..100),
        ) {
            let (all, own) = (Ours::new(), Ours::new());
            for (nanos, times) in &before {
                all.record(*nanos, *times);
            }
            let then = all.buckets();
            for (nanos, times) in &since {
                all.record(*nanos, *times);
                own.record(*nanos, *times);
            }
            let (got, expected) = (all.buckets().since(&then), own.buckets());
            prop_assert_eq!((got.to_hdr(), got.sum()), (expected.to_hdr(), expected.sum()));
            let (got, expected) = (got.percentiles().unwrap(), expected.percentiles().unwrap());
            prop_assert_eq!((got.count, got.mean), (expected.count, expected.mean));
            prop_assert!(got.min <= expected.min && (expected.min - got.min) * 128 <= expected.min, "{got:?} {expected:?}");
            prop_assert!(got.max >= expected.max && (got.max - expected.max) * 128 <= expected.max, "{got:?} {expected:?}");
            prop_assert!(got.p50 >= expected.p50 && got.p50 - expected.p50 <= expected.p50 / 128 + 1, "{got:?} {expected:?}");
        }

        #[test]
        fn each_percentile_is_within_a_hundredth(mut values in prop::collection::vec(1..HIGHEST, 1..300)) {
            let ours = Ours::new();
            for nanos in &values {
                ours.record(*nanos, 1);
            }
            values.sort_unstable();
            let p = ours.buckets().percentiles().unwrap();
            for (got, quantile) in [(p.p50, 0.5), (p.p90, 0.9), (p.p99, 0.99), (p.p999, 0.999)] {
                let rank = (quantile * values.len() as f64).ceil() as usize;
                let exact = values[rank.max(1) - 1];
                prop_assert!(got >= exact && (got - exact) as f64 <= exact as f64 / 100.0, "{got} for {exact}");
            }
        }
    }
}
