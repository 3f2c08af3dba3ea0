//! How many records a second pipelines take as fast as they go. Prints one line of JSON; `npm run bench` makes
//! `bench/RESULTS.md` of it.

use std::sync::{Arc, Mutex};

use velox_engine::expr::{Columns, Expr, Kind, OwnField, Scales};
use velox_engine::feed::{Arrivals, Poisson, PoissonOptions};
use velox_engine::pipeline::{
    Batch, EdgeOptions, EngineError, Feed, Graph, Input, Nothing, Output, Pace, Paced, Pipeline, Report, Source, Stage,
    StartOptions, Tally, ThreadSpec, Threads, Wait,
};
use velox_engine::stages::{BundleOptions, Count, Evaluator, Filter, Surroundings, make};
use velox_engine::{ASK, Bundle, Depth, L2Book, Level, Trade, Words};

const RUNS: usize = 7;

/// Trades that are there: what is measured is the pipeline, not their making.
struct Ready {
    trades: Arc<Vec<Trade>>,
    left: u64,
}

impl Source for Ready {
    type Out = Trade;

    fn poll(&mut self, feed: &mut Feed<'_, Trade>, stopping: bool) -> Result<bool, EngineError> {
        let now = velox_engine::clock::now();
        if feed.room() >= self.trades.len() {
            self.trades.iter().for_each(|trade| feed.push(*trade, now));
            self.left = self.left.saturating_sub(self.trades.len() as u64);
        }
        Ok(stopping || self.left == 0)
    }
}

fn expr(json: &str) -> Expr {
    serde_json::from_str(json).expect("an expression")
}

fn column(name: &str) -> String {
    format!(r#"{{"op":"column","name":"{name}"}}"#)
}

/// source → filter → map → count, fused on one thread; ns a record.
fn chain() -> f64 {
    let trades: Vec<Trade> = (0..256u64)
        .map(|i| Trade { id: i, price: 1_000_000 + i as i64, qty: (i * 7 % 128) as i64, ..Trade::default() })
        .collect();
    let count = 64_000_000;
    let mut graph = Graph::new();
    let edge = EdgeOptions::default();
    let port = graph.source("ready", Ready { trades: Arc::new(trades), left: count });
    let condition = expr(&format!(r#"{{"op":"ge","of":[{},{{"op":"i64","value":64}}]}}"#, column("qty")));
    let columns = Columns::<Trade>::native();
    let scales = Scales::default();
    let condition = Evaluator::condition("filter", &columns, &condition, &scales, Surroundings::default());
    let port = graph.stage(port, "filter", Filter::new(condition.expect("a condition")), edge);
    let field = |name: &str, offset| OwnField { name: name.into(), offset, kind: Kind::I64 };
    let layout = Columns::<Words<2>>::own("Value", &[field("price", 0), field("value", 8)]).expect("a layout").layout();
    let value = format!(r#"{{"op":"mul","of":[{},{}]}}"#, column("price"), column("qty"));
    let fields = [("price".to_string(), expr(&column("price"))), ("value".to_string(), expr(&value))];
    let make = make(&columns, &layout, &fields, &scales, Surroundings::default()).expect("a map");
    let port = graph.map(port, "map", make, Output::of::<Words<2>>(), edge).typed::<Words<2>>();
    graph.stage(port, "count", Count::default(), edge);
    let run = graph.start(StartOptions { wait: Wait::Spin, ..StartOptions::default() }).expect("a run");
    let report = run.wait().expect("a report");
    assert!(report.balanced && report.stats.stages[3].consumed == count / 2, "{report}");
    report.stats.elapsed_ns as f64 / report.stats.stages[0].out as f64
}

/// Hashes what it gets (FNV-1a over the words of each bundle), so that two runs can be held against each other.
struct Hash(Arc<Mutex<u64>>, u64);

impl Stage for Hash {
    type In = Bundle;
    type Out = Nothing;

    fn poll(
        &mut self,
        input: &mut Input<'_, Bundle>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while let Some((bundle, _)) = input.next() {
            for transaction in bundle.active_transactions() {
                for word in [transaction.id, transaction.price as u64, u64::from(transaction.size)] {
                    self.1 = (self.1 ^ word).wrapping_mul(0x100_0000_01b3);
                }
            }
            self.1 = (self.1 ^ bundle.created_ts_ns()).wrapping_mul(0x100_0000_01b3);
            tally.consumed += 1;
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Batch<Nothing>, _: &mut Tally) -> Result<bool, EngineError> {
        *self.0.lock().expect("no panic") = self.1;
        Ok(true)
    }
}

const ARRIVALS: u64 = 4_000_000;

fn poisson() -> Poisson {
    Poisson::new(PoissonOptions { per_second: 1e6, count: Some(ARRIVALS), seed: 1 }).expect("arrivals")
}

/// The four stages over synthetic arrivals, two records each: the report, the hash of the bundles, the book.
fn four_stages(market: Poisson, pace: Pace, threads: Threads) -> (Report, u64, L2Book) {
    let instrument = market.instrument();
    let book = L2Book::new(instrument.clone());
    let hash = Arc::new(Mutex::new(0));
    let run = Pipeline::from("poisson", Paced::new(Box::new(market), pace, &[instrument.id()]))
        .book("book", &book, false)
        .expect("a book")
        .trades("trades")
        .transactions("transactions")
        .bundle("bundle", BundleOptions::default())
        .expect("bundles")
        .to("output", Hash(Arc::clone(&hash), 0xcbf2_9ce4_8422_2325))
        .start(StartOptions { wait: Wait::Spin, threads, ..StartOptions::default() })
        .expect("a run");
    let report = run.wait().expect("a report");
    assert!(report.balanced, "{report}");
    let hash = *hash.lock().expect("no panic");
    (report, hash, book)
}

/// The source on a thread of its own.
fn source_apart() -> Threads {
    let on = |stages: &[&str]| ThreadSpec {
        stages: stages.iter().map(ToString::to_string).collect(),
        ..ThreadSpec::default()
    };
    Threads::Named(vec![on(&["poisson"]), on(&["book", "trades", "transactions", "bundle", "output"])])
}

/// All levels by a naive model: every level event in two sorted maps.
fn model() -> Depth {
    let mut sides = [std::collections::BTreeMap::new(), std::collections::BTreeMap::new()];
    let (mut market, mut events) = (poisson(), Vec::new());
    while market.next(&mut events).expect("arrivals").is_some() {
        for event in events.drain(..).filter(|event| event.kind == velox_engine::EventKind::LEVEL) {
            let side = &mut sides[usize::from(event.side == ASK)];
            if event.qty == 0 {
                side.remove(&event.price)
            } else {
                side.insert(event.price, event.qty)
            };
        }
    }
    let [bids, asks] = sides;
    let level = |(price, qty)| Level { price, qty };
    Depth { bids: bids.into_iter().rev().map(level).collect(), asks: asks.into_iter().map(level).collect() }
}

/// What share of a million arrivals a second comes through, on one spinning thread.
fn delivered() -> f64 {
    let seconds = 3;
    let options = PoissonOptions { per_second: 1e6, count: Some(seconds * 1_000_000), seed: 1 };
    let (report, ..) = four_stages(Poisson::new(options).expect("arrivals"), Pace::Recorded, Threads::Auto);
    let transactions = report.stage("transactions").expect("the stage").consumed;
    transactions as f64 * 1e3 / report.stats.elapsed_ns as f64
}

fn sorted(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    format!("[{},{},{}]", values[0], values[values.len() / 2], values[values.len() - 1])
}

fn main() {
    let expected_book = model();
    assert!(expected_book.bids.len() > 100 && expected_book.asks.len() > 100, "{expected_book:?}");
    let (_, expected, _) = four_stages(poisson(), Pace::Max, Threads::Auto);
    let (mut chains, mut fused, mut cut, mut shares) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        chains.push(chain());
        shares.push(delivered());
        for (threads, times) in [(Threads::Auto, &mut fused), (source_apart(), &mut cut)] {
            let (report, hash, book) = four_stages(poisson(), Pace::Max, threads);
            assert_eq!(hash, expected, "the bundles are those of one thread");
            assert!(book.depth(usize::MAX) == expected_book, "the book is the model's, level by level");
            times.push(report.stats.stages[0].out as f64 * 1e3 / report.stats.elapsed_ns as f64);
        }
    }
    println!(
        "{{\"chainNanos\":{},\"fourStagesFused\":{},\"fourStagesTwoThreads\":{},\"delivered\":{}}}",
        sorted(chains),
        sorted(fused),
        sorted(cut),
        sorted(shares)
    );
}
