//! What the metrics cost: the same pipeline with and without, in pairs. Prints one line of JSON: ns a record with and
//! without (median of the pairs), and of the pairs' ratios the least, the median and the largest; in whole batches, and one by one.
//!
//! With `count batches|single on|off` it makes one run, for a tool that counts instructions.

use velox_engine::Transaction;
use velox_engine::pipeline::{Batch, EngineError, Feed, Input, Pipeline, Source, Stage, StartOptions, Tally, Wait};
use velox_engine::stages::Count;

const PAIRS: usize = 11;

/// Records that are there, so many a poll.
struct Ready {
    left: u64,
    at_once: u64,
}

impl Source for Ready {
    type Out = Transaction;

    fn poll(&mut self, feed: &mut Feed<'_, Transaction>, stopping: bool) -> Result<bool, EngineError> {
        let now = velox_engine::clock::now();
        if feed.room() as u64 >= self.at_once {
            for i in 0..self.at_once {
                feed.push(Transaction::new(self.left - i, i as i64, 1, 0, 0), now);
            }
            self.left -= self.at_once;
        }
        Ok(stopping || self.left < self.at_once)
    }
}

/// Gives on what it gets.
struct Pass;

impl Stage for Pass {
    type In = Transaction;
    type Out = Transaction;

    fn poll(
        &mut self,
        input: &mut Input<'_, Transaction>,
        out: &mut Batch<Transaction>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        let count = input.records().len().min(out.room());
        out.copy(input, count);
        tally.consumed += count as u64;
        Ok(())
    }
}

/// source → two stages → count, on one spinning thread; ns a record.
fn run(records: u64, at_once: u64, metrics: bool) -> f64 {
    let run = Pipeline::from("ready", Ready { left: records, at_once })
        .stage("first", Pass)
        .stage("second", Pass)
        .to("count", Count::default())
        .start(StartOptions { wait: Wait::Spin, metrics, ..StartOptions::default() })
        .expect("a run");
    let report = run.wait().expect("a report");
    assert!(report.balanced && report.stats.stages[3].latency.is_some() == metrics, "{report}");
    report.stats.elapsed_ns as f64 / report.stats.stages[0].out as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Pairs, in an order that changes.
fn pairs(records: u64, at_once: u64) -> String {
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let first = run(records, at_once, pair % 2 == 0);
        let second = run(records, at_once, pair % 2 != 0);
        let (on, off) = if pair % 2 == 0 { (first, second) } else { (second, first) };
        with.push(on);
        without.push(off);
        ratios.push(on / off);
    }
    let ratio = median(&mut ratios);
    format!(
        "{{\"with\":{:.2},\"without\":{:.2},\"ratio\":[{:.3},{ratio:.3},{:.3}]}}",
        median(&mut with),
        median(&mut without),
        ratios[0],
        ratios[PAIRS - 1]
    )
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [count, kind, metrics, ..] = &arguments[..]
        && count == "count"
    {
        let (records, at_once) = if kind == "single" { (200_000, 1) } else { (20_000_000, 256) };
        run(records, at_once, metrics == "on");
        return;
    }
    println!("{{\"batches\":{},\"single\":{}}}", pairs(64_000_000, 256), pairs(4_000_000, 1));
}
