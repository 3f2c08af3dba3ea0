use std::sync::Arc;

use napi_derive::napi;
use serde_json::{Value as Json, json};
use velox_engine::metrics::{self, AttachError, Attached, Running, Snapshot};
use velox_engine::{MetricsSnapshot, PrometheusMetrics, StageMetrics};

use crate::errors::{Result, Thrown};
use crate::raw::{Call, Entry, Value};
use crate::report;
use crate::slots::{self, Object, of};

pub(crate) static FUNCTIONS: [Entry; 6] = [
    Entry { name: c"metricsRecord", run: |call| on(call, |metrics| metrics.record_processing(call.wide(1))) },
    Entry { name: c"metricsError", run: |call| on(call, StageMetrics::record_error) },
    Entry { name: c"metricsDrop", run: |call| on(call, StageMetrics::record_drop) },
    Entry { name: c"metricsSnapshot", run: |call| on(call, |metrics| call.fill(1, &numbers(&metrics.snapshot()))) },
    Entry {
        name: c"transactionsRecord",
        run: |call| on_transactions(call, |metrics| metrics.record_transaction(call.wide(1))),
    },
    Entry { name: c"transactionsDrop", run: |call| on_transactions(call, PrometheusMetrics::record_drop) },
];

fn on(call: &Call, work: impl FnOnce(&StageMetrics)) -> std::result::Result<Value, Thrown> {
    slots::with(call.index(0), of!(Metrics), |metrics| {
        work(metrics);
        Ok(Value::Undefined)
    })
}

fn on_transactions(call: &Call, work: impl FnOnce(&PrometheusMetrics)) -> std::result::Result<Value, Thrown> {
    slots::with(call.index(0), of!(Transactions), |metrics| {
        work(metrics);
        Ok(Value::Undefined)
    })
}

fn numbers(s: &MetricsSnapshot) -> [f64; 9] {
    [
        s.processed,
        s.errors,
        s.dropped,
        s.avg_latency_ns,
        s.min_latency_ns,
        s.max_latency_ns,
        s.p50_latency_ns,
        s.p99_latency_ns,
        s.p999_latency_ns,
    ]
    .map(|n| n as f64)
}

/// Makes the metrics of a stage.
#[napi(catch_unwind)]
pub fn metrics_new(name: String) -> u32 {
    slots::put(Object::Metrics(Arc::new(StageMetrics::new(&name))))
}

/// The lines of a snapshot that [`numbers`] gave; numbers that are missing are 0.
#[napi(catch_unwind)]
pub fn metrics_lines(numbers: Vec<f64>) -> String {
    let n = |i: usize| numbers.get(i).map_or(0, |n| *n as u64);
    let counted = MetricsSnapshot { processed: n(0), errors: n(1), dropped: n(2), ..MetricsSnapshot::default() };
    let snapshot = MetricsSnapshot { avg_latency_ns: n(3), min_latency_ns: n(4), max_latency_ns: n(5), ..counted };
    snapshot.to_string()
}

/// Makes metrics of transactions.
#[napi(catch_unwind)]
pub fn transactions_new() -> u32 {
    slots::put(Object::Transactions(PrometheusMetrics::new()))
}

/// Their text for Prometheus.
#[napi(catch_unwind)]
pub fn transactions_export(slot: u32) -> Result<String> {
    Ok(slots::with(slot as usize, of!(Transactions), |metrics| Ok(metrics.export()))?)
}

/// Which of the reasons why a file is no running engine's.
fn reason(error: &AttachError) -> &'static str {
    match error {
        AttachError::Unreadable { .. } => "unreadable",
        AttachError::Foreign { .. } => "foreign",
        AttachError::OtherVersion { .. } => "other-version",
        AttachError::Damaged { .. } => "damaged",
        AttachError::Ended { .. } => "ended",
        AttachError::Stale { .. } => "stale",
    }
}

fn refused(error: &AttachError, path: &str) -> Thrown {
    let context = json!({ "path": path, "reason": reason(error), "message": error.to_string() });
    Thrown::new("VELOX_METRICS_REFUSED", context)
}

/// The runs of this user in all processes, and what else lies among their files, as JSON: path, and run, pid and time of the
/// start, or why it is none.
#[napi(catch_unwind)]
pub fn metrics_list() -> String {
    let one = |Running { path, run }: &Running| match run {
        Ok(found) => json!({
            "path": path, "run": found.shape().run, "pid": found.pid(),
            "startedMillis": found.made_epoch_ns() / 1_000_000,
        }),
        Err(error) => json!({ "path": path, "reason": reason(error), "message": error.to_string() }),
    };
    metrics::running().iter().map(one).collect::<Json>().to_string()
}

/// A run of another process, and what it said last.
pub(crate) struct Follower {
    attached: Attached,
    before: Option<Snapshot>,
}

/// Maps the file of a run in another process; gives a slot.
#[napi(catch_unwind)]
pub fn metrics_attach(path: String) -> Result<u32> {
    let attached = Attached::open(path.as_ref()).map_err(|error| refused(&error, &path))?;
    Ok(slots::put(Object::Attached(Box::new(Follower { attached, before: None }))))
}

/// What such a run says now: stats as JSON, with run, pid, time of the start, topology, placement, whether it has ended, and
/// latencies since the last call (`…NowNanos`).
#[napi(catch_unwind)]
pub fn metrics_read(slot: u32) -> Result<String> {
    Ok(slots::with(slot as usize, of!(Attached), |follower| {
        let Follower { attached, before } = &mut **follower;
        let path = attached.path().to_string_lossy();
        let numbers = attached.read().map_err(|error| refused(&error, &path))?;
        let json = report::attached(attached, &numbers, before.as_ref()).to_string();
        *before = Some(numbers);
        Ok(json)
    })?)
}
