//! Any stage with metrics around it, printed once a second by another thread.
//!
//! `cargo run --release --example monitored`

use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use velox_engine::feed::{Poisson, PoissonOptions};
use velox_engine::pipeline::{
    Batch, EngineError, Input, Notes, Pace, Paced, Pipeline, Report, Stage, StartOptions, Tally,
};
use velox_engine::stages::{Count, SampleEvery};
use velox_engine::{MetricsSnapshot, StageMetrics, Transaction, rdtsc, tsc_to_ns};

/// Does what `stage` does, and counts what becomes of its records: processed with their latency, refused as errors,
/// filtered or conflated as dropped.
pub(crate) struct MonitoredStage<S> {
    stage: S,
    metrics: Arc<StageMetrics>,
}

impl<S: Stage> MonitoredStage<S> {
    pub(crate) fn new(stage: S, metrics: &Arc<StageMetrics>) -> Self {
        Self { stage, metrics: Arc::clone(metrics) }
    }

    fn measure<R>(&mut self, tally: &mut Tally, work: impl FnOnce(&mut S, &mut Tally) -> R) -> R {
        let before = (tally.consumed, tally.errors, tally.filtered + tally.conflated);
        let start = rdtsc();
        let result = work(&mut self.stage, tally);
        self.metrics.record_batch(tally.consumed - before.0, tsc_to_ns(rdtsc() - start));
        (before.1..tally.errors).for_each(|_| self.metrics.record_error());
        (before.2..tally.filtered + tally.conflated).for_each(|_| self.metrics.record_drop());
        result
    }
}

impl<S: Stage> Stage for MonitoredStage<S> {
    type In = S::In;
    type Out = S::Out;
    const WAITS: bool = S::WAITS;

    fn poll(
        &mut self,
        input: &mut Input<'_, S::In>,
        out: &mut Batch<S::Out>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        self.measure(tally, |stage, tally| stage.poll(input, out, tally))
    }

    fn finish(&mut self, out: &mut Batch<S::Out>, tally: &mut Tally) -> Result<bool, EngineError> {
        self.measure(tally, |stage, tally| stage.finish(out, tally))
    }

    fn deadline(&self) -> Option<u64> {
        self.stage.deadline()
    }

    fn is_foreign(&self) -> bool {
        self.stage.is_foreign()
    }

    fn notes(&mut self) -> Notes {
        self.stage.notes()
    }
}

/// Refuses what is larger than a strategy may send.
pub(crate) struct RiskCheck {
    pub(crate) max_size: u32,
}

impl Stage for RiskCheck {
    type In = Transaction;
    type Out = Transaction;

    fn poll(
        &mut self,
        input: &mut Input<'_, Transaction>,
        out: &mut Batch<Transaction>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while let Some((transaction, stamp)) = input.next_for(out) {
            if transaction.size > self.max_size {
                tally.refuse(|| format!("size: expected at most {} lots, got {}", self.max_size, transaction.size));
                continue;
            }
            out.push(transaction, stamp);
            tally.consumed += 1;
        }
        Ok(())
    }
}

/// Made-up trades through a risk check and a sampler, both monitored, with a report of the metrics at each interval.
pub(crate) fn run(
    market: PoissonOptions,
    metrics: [&Arc<StageMetrics>; 2],
    interval: Duration,
) -> Result<Report, Box<dyn Error>> {
    let source = Paced::new(Box::new(Poisson::new(market)?), Pace::Recorded, &[]);
    let run = Pipeline::from("poisson", source)
        .trades("trades")
        .transactions("transactions")
        .stage("risk-check", MonitoredStage::new(RiskCheck { max_size: 100 }, metrics[0]))
        .stage("sample", MonitoredStage::new(SampleEvery::new(10)?, metrics[1]))
        .to("output", Count::default())
        .start(StartOptions::default())?;

    let (done, is_done) = mpsc::channel::<()>();
    let watched = metrics.map(Arc::clone);
    let reporter = thread::spawn(move || {
        while is_done.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            for metrics in &watched {
                metrics.snapshot().print(metrics.name());
            }
        }
    });
    let report = run.wait();
    drop(done);
    reporter.join().map_err(|_| "the reporter panicked")?;
    Ok(report?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let metrics = ["Risk Check", "Sample"].map(|name| Arc::new(StageMetrics::new(name)));
    let market = PoissonOptions { per_second: 10_000.0, count: Some(25_000), seed: 1 };
    run(market, metrics.each_ref(), Duration::from_secs(1))?;

    println!();
    for metrics in &metrics {
        let MetricsSnapshot { processed, errors, dropped, .. } = metrics.snapshot();
        println!("{} - Processed: {processed}, Errors: {errors}, Dropped: {dropped}", metrics.name());
    }
    Ok(())
}
