//! Synthetic arrivals through the four stages: what rate is kept, and what an arrival waits. Prints one line of JSON a
//! run; `npm run bench` makes `bench/RESULTS.md` of them.
//!
//! The spinning thread is its own hiccup meter: it notes each pause over 10 µs between two of its looks, which is the
//! machine taking the core away. A record whose way met such a pause is counted twice: once as it is, once left out.

use std::sync::{Arc, Mutex};

use velox_engine::feed::{Arrivals, Poisson, PoissonOptions};
use velox_engine::pipeline::{
    Batch, BundleStamp, EngineError, Input, Nothing, Pace, Paced, Pipeline, Report, Stage, StartOptions, Tally, Wait,
};
use velox_engine::stages::BundleOptions;
use velox_engine::{Bundle, L2Book};

const RATE: f64 = 100_000.0;
const SECONDS: f64 = 10.0;
const RUNS: usize = 5;

/// A transaction's way: arrival, taken by the bundle stage, bundle closed, taken by the output.
type Way = [u64; 4];

struct Meter {
    ways: Vec<Way>,
    result: Arc<Mutex<Vec<Way>>>,
}

impl Stage for Meter {
    type In = Bundle;
    type Out = Nothing;

    fn poll(
        &mut self,
        input: &mut Input<'_, Bundle>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        if input.is_empty() {
            return Ok(());
        }
        let now = velox_engine::clock::now();
        while let Some((_, BundleStamp { closed, count, arrived, taken })) = input.next() {
            tally.consumed += 1;
            for i in 0..count {
                self.ways.push([arrived[i], taken[i], closed, now]);
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Batch<Nothing>, _: &mut Tally) -> Result<bool, EngineError> {
        *self.result.lock().unwrap() = std::mem::take(&mut self.ways);
        Ok(true)
    }
}

fn run(wait: Wait, seed: u64) -> (Report, Vec<Way>) {
    let count = (RATE * SECONDS) as u64;
    let market = Poisson::new(PoissonOptions { per_second: RATE, count: Some(count), seed }).unwrap();
    let instrument = market.instruments()[0].clone();
    let book = L2Book::new(instrument.clone());
    let result = Arc::new(Mutex::new(Vec::new()));
    let meter = Meter { ways: Vec::with_capacity(count as usize), result: Arc::clone(&result) };
    let run = Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Recorded, &[instrument.id()]))
        .book("book", &book, false)
        .unwrap()
        .trades("trades")
        .transactions("transactions")
        .bundle("bundle", BundleOptions::default())
        .unwrap()
        .to("output", meter)
        .start(StartOptions { wait, stall_log: 1_000_000, ..StartOptions::default() })
        .unwrap();
    let report = run.wait().unwrap();
    let ways = std::mem::take(&mut *result.lock().unwrap());
    (report, ways)
}

/// 50th, 90th and 99th percentile.
fn percentiles(mut values: Vec<u64>) -> String {
    values.sort_unstable();
    let at = |q: f64| values.get(((values.len() as f64 * q) as usize).min(values.len().saturating_sub(1))).copied();
    format!("[{},{},{}]", at(0.5).unwrap_or(0), at(0.9).unwrap_or(0), at(0.99).unwrap_or(0))
}

fn legs(ways: &[&Way]) -> String {
    let to_bundle = ways.iter().map(|[arrived, taken, ..]| taken.saturating_sub(*arrived)).collect();
    let to_output = ways.iter().map(|[.., closed, out]| out.saturating_sub(*closed)).collect();
    format!("{{\"toBundle\":{},\"toOutput\":{}}}", percentiles(to_bundle), percentiles(to_output))
}

fn main() {
    for i in 0..RUNS {
        // Interleaved: what the machine does to one it does to the other.
        for wait in [Wait::Spin, Wait::Backoff] {
            let (report, ways) = run(wait, i as u64 + 1);
            let stalls = &report.stalls[0];
            // Stalls don't overlap and are in order, so the first one that ends after an arrival is the one to look at.
            let is_clean = |way: &&Way| {
                let next = stalls.log.partition_point(|(_, end)| *end <= way[0]);
                stalls.log.get(next).is_none_or(|(begin, _)| *begin >= way[3])
            };
            let clean: Vec<&Way> = ways.iter().filter(is_clean).collect();
            let sink = report.stats.stages.last().unwrap();
            let dropped: u64 = report.stats.edges.iter().map(|edge| edge.dropped).sum();
            println!(
                "{{\"wait\":\"{}\",\"balanced\":{},\"dropped\":{dropped},\"bundles\":{},\"transactions\":{},\"rate\":{},\"stalls\":{},\
                 \"stallShare\":{},\"stallMax\":{},\"all\":{},\"cleanShare\":{},\"clean\":{}}}",
                wait.name(),
                report.balanced,
                sink.consumed,
                ways.len(),
                ways.len() as f64 * 1e9 / report.stats.elapsed_ns as f64 / RATE,
                stalls.count,
                stalls.total_ns as f64 / report.stats.elapsed_ns as f64,
                stalls.max_ns,
                legs(&ways.iter().collect::<Vec<_>>()),
                clean.len() as f64 / ways.len() as f64,
                legs(&clean),
            );
        }
    }
}
