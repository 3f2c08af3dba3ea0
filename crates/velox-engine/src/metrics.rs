//! Counters and latencies of a stage of one's own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::pipeline::{Latency, Percentiles};

/// Processed, failed and dropped records of a stage, and its latencies (up to 60 s, longer ones count as that; least,
/// most and average are exact, percentiles have three digits).
///
/// For any number of threads. Counting is one atomic add; a latency takes a short lock, so a stage on the hot path of a
/// pipeline leaves its latencies to the pipeline's own report.
///
/// ```
/// let metrics = velox_engine::StageMetrics::new("filter");
/// metrics.record_processing(1_500);
/// metrics.record_drop();
/// let snapshot = metrics.snapshot();
/// assert_eq!((snapshot.processed, snapshot.dropped, snapshot.avg_latency_ns), (1, 1, 1_500));
/// ```
#[derive(Debug)]
pub struct StageMetrics {
    name: String,
    errors: AtomicU64,
    dropped: AtomicU64,
    latency: Mutex<Held>,
}

/// The longest latency that counts: 60 s.
const LONGEST: u64 = 60_000_000_000;

#[derive(Debug)]
struct Held {
    histogram: Latency,
    total: u64,
    min: u64,
    max: u64,
}

/// What [`StageMetrics`] held at one moment; all latencies are 0 before the first record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say all; latencies in ns")]
pub struct MetricsSnapshot {
    pub processed: u64,
    pub errors: u64,
    pub dropped: u64,
    pub avg_latency_ns: u64,
    pub min_latency_ns: u64,
    pub max_latency_ns: u64,
    pub p50_latency_ns: u64,
    pub p99_latency_ns: u64,
    pub p999_latency_ns: u64,
}

impl StageMetrics {
    /// Metrics of the stage of this name. Allocates the histogram (about 220 kB).
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            errors: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            latency: Mutex::new(Held { histogram: Latency::ready(), total: 0, min: u64::MAX, max: 0 }),
        }
    }

    /// The stage's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts a record that took `latency_ns`.
    pub fn record_processing(&self, latency_ns: u64) {
        self.record_batch(1, latency_ns);
    }

    /// Counts records that took `latency_ns` together, each with its share of it: one lock for all. None count as none.
    ///
    /// ```
    /// let metrics = velox_engine::StageMetrics::new("filter");
    /// metrics.record_batch(10, 1_500);
    /// let snapshot = metrics.snapshot();
    /// assert_eq!((snapshot.processed, snapshot.avg_latency_ns), (10, 150));
    /// ```
    pub fn record_batch(&self, records: u64, latency_ns: u64) {
        let Some(share) = latency_ns.checked_div(records) else { return };
        let latency_ns = share.min(LONGEST);
        let mut held = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        held.histogram.record(latency_ns, records);
        held.total = held.total.saturating_add(latency_ns.saturating_mul(records));
        held.min = held.min.min(latency_ns);
        held.max = held.max.max(latency_ns);
    }

    /// Counts a record that failed. Relaxed: a count orders nothing.
    pub fn record_error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a record that found no room. Relaxed: a count orders nothing.
    pub fn record_drop(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn snapshot(&self) -> MetricsSnapshot {
        let (latency, total, min, max) = {
            let held = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
            (held.histogram.percentiles(), held.total, held.min, held.max)
        };
        let counted = MetricsSnapshot {
            errors: self.errors.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            ..MetricsSnapshot::default()
        };
        let Some(Percentiles { p50, p99, p999, count, .. }) = latency else { return counted };
        MetricsSnapshot {
            processed: count,
            avg_latency_ns: total / count,
            min_latency_ns: min,
            max_latency_ns: max,
            p50_latency_ns: p50,
            p99_latency_ns: p99,
            p999_latency_ns: p999,
            ..counted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_untouched_stage_is_all_zeros() {
        assert_eq!(StageMetrics::new("idle").snapshot(), MetricsSnapshot::default());
    }

    #[test]
    fn threads_share_one_account() {
        let metrics = StageMetrics::new("shared");
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (1..=1_000).for_each(|ns| metrics.record_processing(ns)));
            }
        });
        let s = metrics.snapshot();
        assert_eq!((s.processed, s.min_latency_ns, s.p50_latency_ns, s.max_latency_ns), (2_000, 1, 500, 1_000));
        assert_eq!(s.avg_latency_ns, 500);
    }
}
