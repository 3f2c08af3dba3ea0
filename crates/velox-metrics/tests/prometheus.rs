//! What a run's numbers look like to Prometheus.

use std::collections::HashSet;

use velox_metrics::layout::market;
use velox_metrics::{
    BookOf, BookState, EdgeOf, HistogramOf, Hop, Labels, LiveState, MarketOf, Memory, Metrics, Shape, SymbolOf,
    SymbolState, ThreadOf, families, text,
};

fn shape() -> Shape {
    let edge = |from, to| EdgeOf { from, to, drops: true, crosses: false, capacity: 256 };
    Shape {
        run: "a \"run\"".into(),
        stages: vec!["in".into(), "book".into(), "out".into()],
        // Two edges between the same stages.
        edges: vec![edge(0, 1), edge(1, 2), edge(1, 2)],
        threads: vec![ThreadOf {
            stages: vec!["in".into(), "book".into()],
            core: Some(1),
            wait: "spin".into(),
            why: String::new(),
        }],
        books: vec![BookOf { stage: 1, symbol: "BTCUSDT".into() }],
        markets: vec![MarketOf { stage: 0, venue: "kraken".into() }],
        symbols: vec![SymbolOf { market: 0, symbol: "XBT/USD".into() }],
        histograms: vec![
            HistogramOf { stage: Some(2), hops: vec![Hop::Stage] },
            HistogramOf { stage: Some(2), hops: vec![Hop::EndToEnd] },
            HistogramOf { stage: None, hops: vec![Hop::Hiccup] },
        ],
    }
}

/// A run of which every number is told; its text.
fn told(labels: &Labels) -> String {
    let shape = shape();
    let metrics = Metrics::new(shape.clone(), Memory::Heap);
    metrics.stage(0).publish([0, 10, 0, 0, 0, 0, 0, 0]);
    metrics.stage(1).publish([9, 8, 8, 1, 0, 0, 0, 2_000_000_000]);
    metrics.stage(2).publish([8, 0, 7, 0, 0, 1, 0, 500]);
    metrics.edge(0).offered(10);
    metrics.edge(0).dropped(1);
    metrics.edge(0).popped(9);
    metrics.book(0).changed(BookState::Live, 77, 1_000);
    let counters = metrics.market(0);
    counters.stands(LiveState::Connected);
    counters.received(300, velox_clock::to_epoch_nanos(1_000));
    counters.add(market::CONNECTIONS, 3);
    counters.add(market::DROPPED, 4);
    counters.add(market::FAILURES, 2);
    metrics.symbol(0).stands(SymbolState::Live);
    metrics.symbol(0).event(velox_clock::to_epoch_nanos(2_000_001_000));
    for at in [0, 1] {
        let histogram = metrics.histogram(at).unwrap();
        histogram.record(100, 1);
        histogram.record(150, 2);
        histogram.record(3_000_000_000, 1);
        histogram.record(30_000_000_000, 1);
    }
    text(&families(&shape, &metrics.snapshot(3_000_001_000)), labels)
}

#[test]
fn every_number_is_there_under_its_labels() {
    let text = told(&Labels::default());
    for line in [
        "velox_transactions_total 7",
        "velox_transactions_dropped 1",
        "velox_transactions_dropped_total 1",
        "velox_latency_avg_ns 6600000080",
        "velox_run_info{run=\"a \\\"run\\\"\"} 1",
        "velox_run_running 1",
        "velox_run_state{state=\"running\"} 1",
        "velox_run_state{state=\"failed\"} 0",
        "velox_stage_in_total{stage=\"book\"} 9",
        "velox_stage_filtered_total{stage=\"book\"} 1",
        "velox_stage_errors_total{stage=\"out\"} 1",
        "velox_stage_busy_seconds_total{stage=\"book\"} 2",
        "velox_edge_offered_total{edge=\"0\",from=\"in\",to=\"book\"} 10",
        "velox_edge_dropped_total{edge=\"0\",from=\"in\",to=\"book\"} 1",
        "velox_edge_in_flight{edge=\"0\",from=\"in\",to=\"book\"} 0",
        "velox_edge_capacity{edge=\"2\",from=\"book\",to=\"out\"} 256",
        "velox_book_state{book=\"book\",symbol=\"BTCUSDT\",state=\"live\"} 1",
        "velox_book_state{book=\"book\",symbol=\"BTCUSDT\",state=\"stale\"} 0",
        "velox_book_sequence{book=\"book\",symbol=\"BTCUSDT\"} 77",
        "velox_book_age_seconds{book=\"book\",symbol=\"BTCUSDT\"} 3",
        "velox_market_info{market=\"in\",venue=\"kraken\"} 1",
        "velox_market_state{market=\"in\",state=\"connected\"} 1",
        "velox_market_state{market=\"in\",state=\"connecting\"} 0",
        "velox_market_messages_total{market=\"in\"} 1",
        "velox_market_received_bytes_total{market=\"in\"} 300",
        "velox_market_connections_total{market=\"in\"} 3",
        "velox_market_dropped_messages_total{market=\"in\"} 4",
        "velox_market_connection_errors_total{market=\"in\"} 2",
        "velox_market_message_age_seconds{market=\"in\"} 3",
        "velox_market_book_state{market=\"in\",symbol=\"XBT/USD\",state=\"live\"} 1",
        "velox_market_book_state{market=\"in\",symbol=\"XBT/USD\",state=\"stale\"} 0",
        "velox_market_book_age_seconds{market=\"in\",symbol=\"XBT/USD\"} 1",
        "velox_thread_info{thread=\"0\",core=\"1\",stages=\"in, book\",wait=\"spin\"} 1",
        "velox_hiccup_seconds_count 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn a_histograms_buckets_hold_all_below_them() {
    let text = told(&Labels::default());
    let name = "velox_stage_latency_seconds_";
    let of = |rest: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}{rest} ")));
        line.unwrap_or_else(|| panic!("{rest}\n{text}")).to_owned()
    };
    let bucket = |le: &str| of(&format!("bucket{{stage=\"out\",le=\"{le}\"}}"));
    assert_eq!([bucket("0.0000001"), bucket("0.0000002"), bucket("2"), bucket("5")], ["1", "3", "3", "4"]);
    assert_eq!([bucket("10"), bucket("+Inf"), of("count{stage=\"out\"}")], ["4", "5", "5"]);
    assert!((of("sum{stage=\"out\"}").parse::<f64>().unwrap() - 33.000_000_4).abs() < 1e-9);
    let counts = text.lines().filter(|line| line.starts_with(&format!("{name}bucket")));
    let counts: Vec<f64> = counts.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    assert!(counts.len() == 26 && counts.is_sorted(), "{counts:?}");
}

#[test]
fn no_series_is_there_twice_and_each_has_the_labels_of_all() {
    let text = told(&Labels::new([("desk", "a")]).unwrap());
    let mut seen = HashSet::new();
    let mut families = HashSet::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# TYPE ") {
            assert!(families.insert(name), "{line}");
        } else if !line.starts_with('#') {
            assert!(line.contains("{desk=\"a\"") && seen.insert(line.rsplit_once(' ').unwrap().0), "{line}");
        }
    }
    assert!(seen.len() > 100 && families.len() > 25, "{} {}", seen.len(), families.len());
}
