//! Counters and latencies of a stage of one's own; and, of `velox_metrics`, those of runs in this and other processes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

pub use velox_metrics::*;

/// Processed, failed and dropped records of a stage, and its latencies (1 ns to 60 s, longer ones count as that; least,
/// most and average are exact, percentiles have two digits).
///
/// For any number of threads, without a lock: counting is one atomic add, a latency two, and two more where it is the least
/// or the most so far.
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
    latency: Histogram,
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
    /// Metrics of the stage of this name. Allocates the histogram (30 kB).
    pub fn new(name: &str) -> Self {
        let (errors, dropped) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { name: name.into(), errors, dropped, latency: Histogram::new() }
    }

    /// The stage's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts a record that took `latency_ns`.
    pub fn record_processing(&self, latency_ns: u64) {
        self.record_batch(1, latency_ns);
    }

    /// Counts records that took `latency_ns` together, each with its share of it. None count as none.
    ///
    /// ```
    /// let metrics = velox_engine::StageMetrics::new("filter");
    /// metrics.record_batch(10, 1_500);
    /// let snapshot = metrics.snapshot();
    /// assert_eq!((snapshot.processed, snapshot.avg_latency_ns), (10, 150));
    /// ```
    pub fn record_batch(&self, records: u64, latency_ns: u64) {
        let Some(share) = latency_ns.checked_div(records) else { return };
        self.latency.record_shared(share, records);
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
        let counted = MetricsSnapshot {
            errors: self.errors.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            ..MetricsSnapshot::default()
        };
        let Some(latency) = self.latency.buckets().percentiles() else { return counted };
        let Percentiles { min, p50, p99, p999, max, mean, count, .. } = latency;
        MetricsSnapshot {
            processed: count,
            avg_latency_ns: mean as u64,
            min_latency_ns: min,
            max_latency_ns: max,
            p50_latency_ns: p50,
            p99_latency_ns: p99,
            p999_latency_ns: p999,
            ..counted
        }
    }
}

/// Two metrics have one name: they would be one series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("metrics: expected names that differ, got {0:?} twice")]
pub struct SameName(pub String);

/// Metrics of stages of one's own as families for Prometheus, each under its name as the label `stage`;
/// [`text`](velox_metrics::text()) writes them, beside those of a run or alone. Allocates.
///
/// # Errors
/// [`SameName`].
///
/// ```
/// use velox_engine::StageMetrics;
/// use velox_engine::metrics::{Labels, stage_families, text};
///
/// let risk = StageMetrics::new("risk-check");
/// risk.record_processing(1_500);
/// let text = text(&stage_families([&risk])?, &Labels::default());
/// assert!(text.contains("\nvelox_custom_stage_processed_total{stage=\"risk-check\"} 1\n"));
/// assert!(text.contains("\nvelox_custom_stage_latency_seconds_count{stage=\"risk-check\"} 1\n"));
/// # Ok::<(), velox_engine::metrics::SameName>(())
/// ```
pub fn stage_families<'a>(stages: impl IntoIterator<Item = &'a StageMetrics>) -> Result<Vec<Family<'a>>, SameName> {
    let all: Vec<_> = stages.into_iter().map(|stage| (stage, stage.latency.buckets())).collect();
    for (i, (stage, _)) in all.iter().enumerate() {
        if all[..i].iter().any(|(other, _)| other.name == stage.name) {
            return Err(SameName(stage.name.clone()));
        }
    }
    let label = |stage: &'a StageMetrics| vec![(LabelName::Stage, (&*stage.name).into())];
    let count = |name, help, value: &dyn Fn(&StageMetrics, &Buckets) -> u64| {
        let samples = all.iter().map(|(stage, latency)| (label(stage), value(stage, latency) as f64));
        Family::plain(name, help, Kind::Counter, samples)
    };
    // Relaxed: a count orders nothing.
    Ok(vec![
        count("velox_custom_stage_processed_total", "Records that the stage counted.", &|_, latency| latency.count()),
        count("velox_custom_stage_errors_total", "Records that failed.", &|s, _| s.errors.load(Ordering::Relaxed)),
        count("velox_custom_stage_dropped_total", "Records that found no room.", &|s, _| {
            s.dropped.load(Ordering::Relaxed)
        }),
        Family::histograms(
            "velox_custom_stage_latency_seconds",
            "What a record took.",
            all.iter().map(|(stage, latency)| (label(stage), latency.clone())),
        ),
    ])
}

impl MetricsSnapshot {
    /// Prints the snapshot under a stage's name, as [`Display`](fmt::Display) writes it.
    pub fn print(&self, stage_name: &str) {
        println!("\n=== {stage_name} Metrics ===\n{self}");
    }
}

/// A line a number; rates, in shares of what was processed, once something was.
///
/// ```
/// let metrics = velox_engine::StageMetrics::new("filter");
/// metrics.record_processing(1_500);
/// metrics.record_drop();
/// let text = metrics.snapshot().to_string();
/// assert!(text.contains("Avg Latency: 1.50 µs") && text.contains("Drop Rate:   100.00%"));
/// ```
impl fmt::Display for MetricsSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |nanos: u64| nanos as f64 / 1000.0;
        writeln!(f, "Processed:  {}", self.processed)?;
        writeln!(f, "Errors:     {}", self.errors)?;
        writeln!(f, "Dropped:    {}", self.dropped)?;
        writeln!(f, "Avg Latency: {:.2} µs", micros(self.avg_latency_ns))?;
        writeln!(f, "Min Latency: {:.2} µs", micros(self.min_latency_ns))?;
        write!(f, "Max Latency: {:.2} µs", micros(self.max_latency_ns))?;
        if self.processed > 0 {
            let rate = |of: u64| 100.0 * of as f64 / self.processed as f64;
            write!(f, "\nError Rate:  {:.2}%", rate(self.errors))?;
            write!(f, "\nDrop Rate:   {:.2}%", rate(self.dropped))?;
        }
        Ok(())
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
    fn metrics_of_one_name_are_no_two_series() {
        let stages = [StageMetrics::new("a"), StageMetrics::new("b"), StageMetrics::new("a")];
        assert_eq!(stage_families(&stages), Err(SameName("a".into())));
        assert_eq!(stage_families(&stages[..2]).unwrap().len(), 4);
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
        assert_eq!((s.processed, s.min_latency_ns, s.p50_latency_ns, s.max_latency_ns), (2_000, 1, 501, 1_000));
        assert_eq!(s.avg_latency_ns, 500);
    }
}
