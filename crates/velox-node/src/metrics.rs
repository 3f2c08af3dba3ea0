use napi_derive::napi;
use velox_engine::{MetricsSnapshot, StageMetrics};

use crate::errors::Thrown;
use crate::raw::{Call, Entry, Value};
use crate::slots::{self, Object, of};

pub(crate) static FUNCTIONS: [Entry; 4] = [
    Entry { name: c"metricsRecord", run: |call| on(call, |metrics| metrics.record_processing(call.wide(1))) },
    Entry { name: c"metricsError", run: |call| on(call, StageMetrics::record_error) },
    Entry { name: c"metricsDrop", run: |call| on(call, StageMetrics::record_drop) },
    Entry { name: c"metricsSnapshot", run: |call| on(call, |metrics| call.fill(1, &numbers(&metrics.snapshot()))) },
];

fn on(call: &Call, work: impl FnOnce(&StageMetrics)) -> Result<Value, Thrown> {
    slots::with(call.index(0), of!(Metrics), |metrics| {
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
    slots::put(Object::Metrics(StageMetrics::new(&name)))
}
