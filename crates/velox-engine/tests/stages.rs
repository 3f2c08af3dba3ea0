//! The small stages in pipelines, over recorded trades, against plain loops over the same trades.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use velox_engine::expr::{Expr, Plan, Scales};
use velox_engine::feed::{Arrivals, Replay, ReplayOptions};
use velox_engine::pipeline::{
    Batch, EngineError, Input, Nothing, Pace, Paced, Pipeline, Report, Stage, StartOptions, Tally, Threads, Wait,
};
use velox_engine::stages::{ConflateOptions, DedupeOptions};
use velox_engine::{EventKind, Trade};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/btcusdt-usdm-20240808.gz");

/// Keeps every trade, and takes so many a turn, or fewer.
struct Keep {
    all: Arc<Mutex<Vec<Trade>>>,
    a_turn: usize,
    /// How long it sleeps after each turn with a trade.
    pause: Duration,
}

impl Stage for Keep {
    type In = Trade;
    type Out = Nothing;

    fn poll(
        &mut self,
        input: &mut Input<'_, Trade>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        let count = input.records().len().min(self.a_turn);
        self.all.lock().unwrap().extend(&input.records()[..count]);
        input.advance(count);
        tally.consumed += count as u64;
        if count > 0 && !self.pause.is_zero() {
            std::thread::sleep(self.pause);
        }
        Ok(())
    }
}

fn source() -> Pipeline<Trade> {
    let market = Replay::open(FILE, ReplayOptions::default()).unwrap();
    Pipeline::from("replay", Paced::new(Box::new(market), Pace::Max, &[])).trades("trades")
}

fn trades() -> Vec<Trade> {
    let mut market = Replay::open(FILE, ReplayOptions::default()).unwrap();
    let (mut all, mut events) = (vec![], vec![]);
    while market.next(&mut events).unwrap().is_some() {
        all.extend(events.drain(..).filter(|event| event.kind == EventKind::TRADE).map(|event| Trade {
            id: event.sequence,
            instrument: event.instrument,
            side: event.side,
            price: event.price,
            qty: event.qty,
            exchange_ts: event.exchange_ts,
            receive_ts: event.receive_ts,
        }));
    }
    all
}

fn column(name: &str) -> Plan<Trade> {
    Plan::new(&Expr::Column { name: name.into() }, &Scales::default(), 0).unwrap()
}

fn run(pipeline: Pipeline<Trade>, threads: Threads, a_turn: usize, pause: Duration) -> (Report, Vec<Trade>) {
    let all = Arc::default();
    let keep = Keep { all: Arc::clone(&all), a_turn, pause };
    let options = StartOptions { threads, wait: Wait::Backoff, ..StartOptions::default() };
    let report = pipeline.to("output", keep).start(options).unwrap().wait().unwrap();
    let all = std::mem::take(&mut *all.lock().unwrap());
    assert!(report.balanced, "{report}");
    (report, all)
}

#[test]
fn samples_and_duplicates_are_the_same_on_any_threads() {
    const WINDOW: Duration = Duration::from_millis(500);
    let mut last = HashMap::<i64, u64>::new();
    let expected: Vec<_> = trades()
        .into_iter()
        .step_by(3)
        .filter(|trade| {
            let is_new = last.get(&trade.price).is_none_or(|at| trade.receive_ts >= at + WINDOW.as_nanos() as u64);
            if is_new {
                last.insert(trade.price, trade.receive_ts);
            }
            is_new
        })
        .collect();
    for threads in [Threads::Auto, Threads::Count(2), Threads::Count(4)] {
        let pipeline = source().sample_every("sample", 3).unwrap();
        let pipeline = pipeline.dedupe("dedupe", column("price"), DedupeOptions::new(WINDOW)).unwrap();
        let (report, given) = run(pipeline, threads, usize::MAX, Duration::ZERO);
        assert!(report.non_deterministic.is_empty(), "{report}");
        let dedupe = &report.stats.stages[3];
        assert!(dedupe.filtered > 100 && dedupe.consumed > 100 && given == expected, "{report}");
    }
}

#[test]
fn a_consumer_that_lags_gets_the_latest_of_each_price() {
    let all = trades();
    let pipeline = source().conflate("conflate", column("price"), ConflateOptions::default()).unwrap();
    // A slow consumer on a thread of its own: its ring fills, and then records wait.
    let (report, given) = run(pipeline, Threads::Count(2), 8, Duration::from_micros(200));
    let stage = &report.stats.stages[2];
    assert_eq!((stage.taken, stage.held), (all.len() as u64, 0));
    assert_eq!(stage.consumed + stage.conflated, stage.taken);
    assert!(stage.conflated > 0, "{report}");
    assert_eq!(report.non_deterministic, ["what is conflated goes by how far its consumer lags"]);
    // Each price ends with its last trade, and none comes out of its order.
    let latest = |trades: &[Trade]| trades.iter().map(|trade| (trade.price, trade.id)).collect::<HashMap<_, _>>();
    assert_eq!(latest(&given), latest(&all));
    let mut last = HashMap::new();
    assert!(given.iter().all(|trade| last.insert(trade.price, trade.id).is_none_or(|before| before < trade.id)));
}

#[test]
fn a_consumer_that_keeps_up_gets_everything() {
    let pipeline = source().conflate("conflate", column("price"), ConflateOptions::default()).unwrap();
    let (report, given) = run(pipeline, Threads::Auto, usize::MAX, Duration::ZERO);
    assert!(report.stats.stages[2].conflated == 0 && given == trades(), "{report}");
}

#[test]
fn a_rate_limit_holds_over_the_run() {
    const PER_SECOND: u32 = 20_000;
    let pipeline = source().rate_limit("limit", f64::from(PER_SECOND)).unwrap();
    let (report, given) = run(pipeline, Threads::Auto, usize::MAX, Duration::ZERO);
    let stage = &report.stats.stages[2];
    let most = f64::from(PER_SECOND) * (report.stats.elapsed_ns as f64 / 1e9 + 0.01);
    assert!(stage.consumed > 0 && stage.consumed as f64 <= most, "{report}");
    assert_eq!((stage.consumed + stage.filtered, given.len() as u64), (11_463, stage.consumed));
    assert_eq!(report.non_deterministic, ["a rate limit goes by the clock"]);
}
