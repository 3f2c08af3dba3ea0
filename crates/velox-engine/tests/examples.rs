//! The examples' own stages, each against a plain loop over the same records.

#[path = "../examples/aggregation.rs"]
#[allow(dead_code, reason = "an example has a main")]
mod aggregation;
#[path = "../examples/four_stage.rs"]
#[allow(dead_code, reason = "an example has a main")]
mod four_stage;
#[path = "../examples/monitored.rs"]
#[allow(dead_code, reason = "an example has a main")]
mod monitored;
#[path = "../examples/price_filter.rs"]
#[allow(dead_code, reason = "an example has a main")]
mod price_filter;
#[path = "../examples/prometheus.rs"]
#[allow(dead_code, reason = "an example has a main")]
mod prometheus;
#[path = "../examples/solana.rs"]
#[allow(dead_code, reason = "an example has a main")]
mod solana;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aggregation::{AggregationStage, LevelVolume};
use monitored::MonitoredStage;
use price_filter::PriceFilterStage;
use velox_engine::feed::{Arrivals, Poisson, PoissonOptions, Replay, ReplayOptions};
use velox_engine::pipeline::{
    Batch, EngineError, Flow, Input, Nothing, Pace, Paced, Pipeline, Stage, StartOptions, Tally, Threads, Wait,
};
use velox_engine::{EventKind, MarketEvent, PrometheusMetrics, StageMetrics, Transaction};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/btcusdt-usdm-20240808.gz");

/// From 61,650.00 to 61,800.00.
const BETWEEN: RangeInclusive<i64> = 6_165_000..=6_180_000;

/// Keeps every record.
#[derive(Clone)]
struct Keep<T>(Arc<Mutex<Vec<T>>>);

impl<T> Keep<T> {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl<T: Flow> Stage for Keep<T> {
    type In = T;
    type Out = Nothing;

    fn poll(&mut self, input: &mut Input<'_, T>, _: &mut Batch<Nothing>, tally: &mut Tally) -> Result<(), EngineError> {
        let count = input.records().len();
        self.0.lock().unwrap().extend(input.records());
        input.advance(count);
        tally.consumed += count as u64;
        Ok(())
    }
}

/// The trades of a market as transactions, without any pipeline, and when the last message came.
fn transactions(mut market: impl Arrivals) -> (Vec<Transaction>, u64) {
    let (mut all, mut events, mut end) = (vec![], vec![], 0);
    while let Some(now) = market.next(&mut events).unwrap() {
        end = now;
        for MarketEvent { kind, sequence, price, qty, side, instrument, receive_ts, .. } in events.drain(..) {
            if kind == EventKind::TRADE {
                let size = u32::try_from(qty).unwrap();
                all.push(Transaction::new(sequence, price, size, side, receive_ts).with_instrument(instrument));
            }
        }
    }
    (all, end)
}

fn recorded() -> (Vec<Transaction>, u64) {
    transactions(Replay::open(FILE, ReplayOptions::default()).unwrap())
}

/// The levels of windows of up to `max` transactions, cut by a plain loop. The last window is cut short by the end of the data.
fn levels(transactions: &[Transaction], end_of_data: u64, max: usize, window: Duration) -> Vec<LevelVolume> {
    let (window_ns, mut all, mut rest) = (window.as_nanos() as u64, vec![], transactions);
    while let [first, ..] = rest {
        let end = first.ingress_ts_ns + window_ns;
        let within = rest.iter().take_while(|t| t.ingress_ts_ns < end).count();
        let (now, later) = rest.split_at(within.min(max));
        let by_time = within < max && end <= end_of_data;
        let closed_ts_ns = if by_time { end } else { now[now.len() - 1].ingress_ts_ns };
        let mut sums = BTreeMap::<_, (u32, u64)>::new();
        for Transaction { instrument, side, price, size, .. } in now {
            let (count, total) = sums.entry((*instrument, *side, *price)).or_default();
            *count += 1;
            *total += u64::from(*size);
        }
        all.extend(sums.into_iter().map(|((instrument, side, price), (count, size))| LevelVolume {
            instrument,
            side,
            count,
            price,
            size,
            closed_ts_ns,
        }));
        rest = later;
    }
    all
}

#[test]
fn the_price_filter_passes_what_a_plain_loop_passes() {
    let kept = Keep::new();
    let report = price_filter::run(FILE, ["61650.00", "61800.00"], kept.clone()).unwrap();
    let (all, _) = recorded();
    let expected: Vec<_> = all.iter().copied().filter(|t| BETWEEN.contains(&t.price)).collect();
    assert!(expected.len() > 1_000 && all.len() - expected.len() > 1_000, "both kinds are there");
    let stage = &report.stats.stages[3];
    assert_eq!((stage.taken, stage.consumed), (all.len() as u64, expected.len() as u64));
    assert_eq!(stage.filtered, stage.taken - stage.consumed);
    assert!(kept.take() == expected && report.balanced && report.non_deterministic.is_empty());
}

#[test]
fn levels_add_up_to_what_a_plain_loop_adds_up() {
    let (all, end) = recorded();
    for (max, window) in [
        (256, Duration::from_millis(100)),
        (7, Duration::from_secs(3_600)),
        (4_096, Duration::from_secs(2)),
        (1_000, Duration::from_nanos(1)),
    ] {
        let kept = Keep::new();
        let report = aggregation::levels(FILE, AggregationStage::new(max, window), kept.clone()).unwrap();
        let given = kept.take();
        assert!(report.balanced && report.non_deterministic.is_empty(), "{report}");
        assert_eq!(given.iter().map(|level| u64::from(level.count)).sum::<u64>(), all.len() as u64);
        assert!(given == levels(&all, end, max, window), "up to {max} within {window:?}");
    }
}

#[test]
fn bundles_hold_every_transaction() {
    let report = aggregation::bundles(FILE).unwrap();
    let [.., bundle, output] = &report.stats.stages[..] else { panic!("there are five stages") };
    assert_eq!((bundle.consumed, bundle.out), (11_463, output.consumed));
}

#[test]
fn metrics_count_what_a_plain_loop_counts() {
    let market = PoissonOptions { per_second: 1e6, count: Some(50_000), seed: 1 };
    let metrics = ["check", "sample"].map(|name| Arc::new(StageMetrics::new(name)));
    let report = monitored::run(market, metrics.each_ref(), Duration::from_millis(20)).unwrap();
    assert!(report.balanced, "{report}");

    let (all, _) = transactions(Poisson::new(market).unwrap());
    let passed = all.iter().filter(|t| t.size <= 100).count() as u64;
    let [check, sample] = metrics.each_ref().map(|metrics| metrics.snapshot());
    assert_eq!((check.processed, check.errors, check.dropped), (passed, all.len() as u64 - passed, 0));
    assert_eq!(
        (sample.processed, sample.errors, sample.dropped),
        (passed.div_ceil(10), 0, passed - passed.div_ceil(10))
    );
    assert!(check.errors > 100 && check.min_latency_ns <= check.avg_latency_ns);
    assert!(check.avg_latency_ns <= check.max_latency_ns && check.max_latency_ns > 0);
}

#[test]
fn metrics_are_served_while_the_run_goes() {
    let market = PoissonOptions { per_second: 1e5, count: Some(50_000), seed: 1 };
    let (metrics, mut scraped) = (Arc::new(PrometheusMetrics::new()), String::new());
    let scrape = |address| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        stream.read_to_string(&mut scraped).unwrap();
    };
    let report = prometheus::run(market, &metrics, "127.0.0.1:0", scrape).unwrap();
    assert!(scraped.starts_with("HTTP/1.1 200 OK\r\n"), "{scraped}");
    for name in ["\nvelox_transactions_total ", "\nvelox_latency_avg_ns ", "\nvelox_stage_in_total{stage=\"limited\"} "]
    {
        assert_eq!(scraped.matches(name).count(), 1, "{name}{scraped}");
    }
    let limited = report.stage("limited").unwrap();
    let counts = [limited.consumed, limited.filtered];
    assert!(counts.iter().sum::<u64>() == 50_000 && counts[1] > 1_000, "{report}");
    let text = metrics.export();
    for (name, count) in ["total", "dropped"].iter().zip(counts) {
        assert!(text.contains(&format!("\nvelox_transactions_{name} {count}\n")), "{text}");
    }
}

#[test]
fn the_three_chain_on_any_threads() {
    let filter = || PriceFilterStage { min_price: *BETWEEN.start(), max_price: *BETWEEN.end() };
    let (all, end) = recorded();
    let between: Vec<_> = all.into_iter().filter(|t| BETWEEN.contains(&t.price)).collect();
    let expected = levels(&between, end, 64, Duration::from_millis(50));
    for threads in [Threads::Auto, Threads::Count(3)] {
        let (kept, metrics) = (Keep::new(), ["filter", "levels"].map(|name| Arc::new(StageMetrics::new(name))));
        let market = Replay::open(FILE, ReplayOptions::default()).unwrap();
        let run = Pipeline::from("replay", Paced::new(Box::new(market), Pace::Max, &[]))
            .trades("trades")
            .transactions("transactions")
            .stage("filter", MonitoredStage::new(filter(), &metrics[0]))
            .stage("levels", MonitoredStage::new(AggregationStage::new(64, Duration::from_millis(50)), &metrics[1]))
            .to("output", kept.clone())
            .start(StartOptions { threads, wait: Wait::Backoff, ..StartOptions::default() })
            .unwrap();
        let report = run.wait().unwrap();
        assert!(report.balanced && kept.take() == expected, "{report}");
        for metrics in &metrics {
            assert_eq!(metrics.snapshot().processed, between.len() as u64, "{}", metrics.name());
        }
    }
}

/// The same number stands in `test/determinism.test.ts`.
const BUNDLES: u64 = 0xb0ca_fd75_30a0_0416;

#[test]
fn the_four_stages_give_the_same_bundles_as_from_typescript() {
    for threads in [Threads::Auto, Threads::Count(2), Threads::Count(6)] {
        let options = StartOptions { threads, ..StartOptions::default() };
        let (report, hash) = four_stage::run(FILE, options).unwrap();
        assert_eq!((report.balanced, hash), (true, BUNDLES), "{hash:#018x}");
        assert_eq!(report.stage("transactions").unwrap().consumed, 11_463);
    }
}

#[test]
fn orders_become_two_transactions_with_the_tip_in_the_last() {
    let signer = velox_engine::solana::Keypair::from_bytes(&solana::WELL_KNOWN).unwrap();
    let account = "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5".parse().unwrap();
    let context = velox_engine::solana::BuildContext {
        blockhash: account,
        compute_unit_price: 1_000,
        tip: Some(velox_engine::solana::Tip { lamports: 5_000, account }),
    };
    let signed = solana::sign(signer, &solana::orders(), &context).unwrap();
    assert_eq!(signed.iter().map(|t| (t.records, t.tip_lamports)).collect::<Vec<_>>(), [(4, 0), (2, 5_000)]);
    let text = |line: &[u8]| signed.iter().any(|t| t.wire.windows(line.len()).any(|part| part == line));
    assert!(text(b"1,618004,100,ask,0,1723118400000000000") && text(b"6,618009,100,bid,0,1723118400000000000"));
}
