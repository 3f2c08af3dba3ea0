//! Transactions, drops and a mean latency, as the founding document exports them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::exposition::{Family, Kind, Labels, Sample, text};

/// The document's families. Its `velox_transactions_dropped` is a gauge here, as a counter's name ends in `_total`.
pub(crate) fn families(processed: u64, dropped: u64, average_ns: u64) -> [Family<'static>; 4] {
    [
        ("velox_transactions_total", "Total transactions processed", Kind::Counter, processed),
        ("velox_transactions_dropped", "Total transactions dropped", Kind::Gauge, dropped),
        ("velox_transactions_dropped_total", "Total transactions dropped", Kind::Counter, dropped),
        ("velox_latency_avg_ns", "Average latency in nanoseconds", Kind::Gauge, average_ns),
    ]
    .map(|(name, help, kind, value)| {
        let samples = vec![Sample { suffix: "", labels: Vec::new(), value: value as f64 }];
        Family { name, help, kind, samples }
    })
}

/// Transactions with their latencies, and drops, exported as text for Prometheus.
///
/// For any number of threads, without a lock: a transaction is two atomic adds, a drop one.
///
/// ```
/// let metrics = velox_metrics::PrometheusMetrics::new();
/// metrics.record_transaction(1_000);
/// metrics.record_transaction(2_000);
/// metrics.record_drop();
/// let text = metrics.export();
/// assert!(text.contains("\nvelox_transactions_total 2\n") && text.contains("\nvelox_latency_avg_ns 1500\n"));
/// ```
#[derive(Debug, Default)]
pub struct PrometheusMetrics {
    processed: AtomicU64,
    latency_ns: AtomicU64,
    dropped: AtomicU64,
}

impl PrometheusMetrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a transaction that took `latency_ns`. The sum of all wraps after 584 years.
    pub fn record_transaction(&self, latency_ns: u64) {
        // Relaxed: a count orders nothing. The latency first, so that a mean is rather of one too few than of one too many.
        self.latency_ns.fetch_add(latency_ns, Ordering::Relaxed);
        self.processed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a transaction that found no room.
    pub fn record_drop(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// The text, in the format that Prometheus reads. Allocates.
    pub fn export(&self) -> String {
        let [processed, dropped, latency_ns] =
            [&self.processed, &self.dropped, &self.latency_ns].map(|count| count.load(Ordering::Relaxed));
        let average = latency_ns.checked_div(processed).unwrap_or(0);
        text(&families(processed, dropped, average), &Labels::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_documents_with_a_counter_more() {
        let metrics = PrometheusMetrics::new();
        let expected = |[processed, dropped, average]: [u64; 3]| {
            format!(
                "# HELP velox_transactions_total Total transactions processed\n\
                 # TYPE velox_transactions_total counter\n\
                 velox_transactions_total {processed}\n\
                 # HELP velox_transactions_dropped Total transactions dropped\n\
                 # TYPE velox_transactions_dropped gauge\n\
                 velox_transactions_dropped {dropped}\n\
                 # HELP velox_transactions_dropped_total Total transactions dropped\n\
                 # TYPE velox_transactions_dropped_total counter\n\
                 velox_transactions_dropped_total {dropped}\n\
                 # HELP velox_latency_avg_ns Average latency in nanoseconds\n\
                 # TYPE velox_latency_avg_ns gauge\n\
                 velox_latency_avg_ns {average}\n"
            )
        };
        assert_eq!(metrics.export(), expected([0, 0, 0]));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (1..=1_000).for_each(|ns| metrics.record_transaction(ns)));
            }
        });
        metrics.record_drop();
        assert_eq!(metrics.export(), expected([2_000, 1, 500]));
    }
}
