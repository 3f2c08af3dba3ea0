//! What the metrics cost: the same pipeline with and without, in pairs. Prints one line of JSON: ns a record with and
//! without (median of the pairs), and of the pairs' ratios the least, the median and the largest. Of the four stages over
//! synthetic arrivals as fast as they go; of stages that only pass on what they get, in whole batches and one by one: there
//! is nothing else that could hide the cost.
//!
//! With `count four|batches|single on|off RECORDS` it makes one run, for a tool that counts instructions.

use velox_engine::feed::{Poisson, PoissonOptions};
use velox_engine::pipeline::{
    Batch, EngineError, Feed, Input, Pace, Paced, Pipeline, Report, Source, Stage, StartOptions, Tally, Wait,
};
use velox_engine::stages::{BundleOptions, Count};
use velox_engine::{L2Book, Transaction};

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

#[derive(Clone, Copy)]
enum Kind {
    Four,
    Batches,
    Single,
}

fn options(metrics: bool) -> StartOptions {
    StartOptions { wait: Wait::Spin, metrics, ..StartOptions::default() }
}

/// source → two stages → count, on one spinning thread.
fn passing(records: u64, at_once: u64, metrics: bool) -> Report {
    let run = Pipeline::from("ready", Ready { left: records, at_once })
        .stage("first", Pass)
        .stage("second", Pass)
        .to("count", Count::default())
        .start(options(metrics))
        .expect("a run");
    run.wait().expect("a report")
}

fn four_stages(records: u64, metrics: bool) -> Report {
    let market = PoissonOptions { per_second: 1e6, count: Some(records / 2), seed: 1 };
    let market = Poisson::new(market).expect("arrivals");
    let book = L2Book::new(market.instrument());
    let run = Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Max, &[]))
        .book("book", &book, false)
        .expect("a book")
        .trades("trades")
        .transactions("transactions")
        .bundle("bundle", BundleOptions::default())
        .expect("bundles")
        .to("output", Count::default())
        .start(options(metrics))
        .expect("a run");
    run.wait().expect("a report")
}

/// ns a record.
fn run(kind: Kind, records: u64, metrics: bool) -> f64 {
    let report = match kind {
        Kind::Four => four_stages(records, metrics),
        Kind::Batches => passing(records, 256, metrics),
        Kind::Single => passing(records, 1, metrics),
    };
    assert!(report.balanced && report.stats.stages[1].latency.is_some() == metrics, "{report}");
    report.stats.elapsed_ns as f64 / report.stats.stages[0].out as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Pairs, in an order that changes.
fn pairs(kind: Kind, records: u64) -> String {
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let first = run(kind, records, pair % 2 == 0);
        let second = run(kind, records, pair % 2 != 0);
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
    if let [count, kind, metrics, records, ..] = &arguments[..]
        && count == "count"
    {
        let kind = match kind.as_str() {
            "four" => Kind::Four,
            "single" => Kind::Single,
            _ => Kind::Batches,
        };
        run(kind, records.parse().expect("a number of records"), metrics == "on");
        return;
    }
    let (four, batches) = (pairs(Kind::Four, 8_000_000), pairs(Kind::Batches, 64_000_000));
    println!("{{\"four\":{four},\"batches\":{batches},\"single\":{}}}", pairs(Kind::Single, 4_000_000));
}
