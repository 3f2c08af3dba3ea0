//! Graphs: where streams part and meet, edges that drop, pauses, and books that stand still.

mod common;

use std::time::Duration;

use common::{Keep, options};
use velox_engine::expr::{Columns, Expr, Scales};
use velox_engine::feed::{Arrivals, Poisson, PoissonOptions};
use velox_engine::pipeline::{
    BATCH, Batch, EdgeOptions, EngineError, Feed, Graph, Input, Late, Merge, Nothing, Pace, Paced, Param, Pipeline,
    Route, Source, Stage, StartError, StartOptions, Tally, ThreadSpec, Threads, Wait, Way, WhenFull,
};
use velox_engine::stages::{BookStage, BookValue, BundleOptions, Count, Evaluator, Filter, Surroundings};
use velox_engine::{EventKind, L2Book, MarketEvent, Trade};

fn poisson(count: u64, seed: u64) -> Pipeline<MarketEvent> {
    let market = Poisson::new(PoissonOptions { per_second: 1e6, count: Some(count), seed }).unwrap();
    Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Max, &[]))
}

fn placements() -> [StartOptions; 3] {
    [
        options(Threads::Auto, Wait::Backoff),
        options(Threads::Count(2), Wait::Block),
        options(Threads::Count(4), Wait::Yield),
    ]
}

fn by_receipt(late: Late) -> Merge<MarketEvent> {
    Merge {
        times: Box::new(|events, times, _| {
            for (time, event) in times.iter_mut().zip(events) {
                *time = Some(event.receive_ts.into());
            }
        }),
        by_record_time: true,
        late,
    }
}

/// Levels go on, all else to the branch.
fn levels() -> Route<MarketEvent> {
    Route::Chosen(Box::new(|events, ways, _| {
        for (way, event) in ways.iter_mut().zip(events) {
            *way = if event.kind == EventKind::LEVEL { Way::First } else { Way::Second };
        }
    }))
}

#[test]
fn a_tee_gives_all_twice_and_a_split_each_once() {
    for placement in placements() {
        let report = poisson(20_000, 1)
            .tee("tee", |all| all.to("copies", Count::default()))
            .split("split", levels(), |others| others.to("others", Count::default()))
            .to("levels", Count::default())
            .start(placement)
            .unwrap()
            .wait()
            .unwrap();
        let consumed = |name| report.stage(name).unwrap().consumed;
        assert_eq!((consumed("copies"), consumed("others"), consumed("levels")), (40_000, 20_000, 20_000));
        assert!(report.balanced, "{report}");
    }
}

#[test]
fn a_split_gives_on_what_is_chosen_first_and_a_tee_all_to_both_in_order() {
    let (mut market, mut all) =
        (Poisson::new(PoissonOptions { per_second: 1e6, count: Some(5_000), seed: 1 }).unwrap(), Vec::new());
    while market.next(&mut all).unwrap().is_some() {}
    let (levels_of_all, others_of_all): (Vec<_>, Vec<_>) = all.iter().partition(|e| e.kind == EventKind::LEVEL);
    assert_eq!((levels_of_all.len(), others_of_all.len()), (5_000, 5_000));
    for placement in placements() {
        let [copies, first, second] = [(); 3].map(|()| Keep::<MarketEvent>::default());
        poisson(5_000, 1)
            .tee("tee", |all| all.to("copies", copies.clone()))
            .split("split", levels(), |others| others.to("others", second.clone()))
            .to("levels", first.clone())
            .start(placement)
            .unwrap()
            .wait()
            .unwrap();
        for (kept, expected) in [(copies, &all), (first, &levels_of_all), (second, &others_of_all)] {
            assert!(*kept.0.lock().unwrap() == *expected);
        }
    }
}

#[test]
fn streams_that_meet_are_in_the_order_of_their_time_on_any_threads() {
    let mut first: Option<Vec<MarketEvent>> = None;
    for placement in placements() {
        let kept = Keep::<MarketEvent>::default();
        let report = poisson(5_000, 1)
            .merge("merge", by_receipt(Late::Emit), vec![poisson(5_000, 2), poisson(3_000, 3)])
            .to("kept", kept.clone())
            .start(placement)
            .unwrap()
            .wait()
            .unwrap();
        assert!(report.balanced && report.non_deterministic.is_empty(), "{report}");
        assert_eq!(report.stage("merge").unwrap().late, 0);
        let events = std::mem::take(&mut *kept.0.lock().unwrap());
        assert_eq!(events.len(), 26_000);
        assert!(events.is_sorted_by_key(|event| event.receive_ts));
        assert!(*first.get_or_insert_with(|| events.clone()) == events, "the same order on any threads");
    }
}

#[test]
fn branches_that_meet_again_cannot_hold_each_other_up() {
    for placement in placements() {
        let graph_of = || {
            // One branch passes nothing for long stretches: the other must not wait for its records.
            let (mut graph, port) = poisson(20_000, 1).into_graph();
            let edge = EdgeOptions::default();
            let (main, other) = graph.split(port, "split", levels(), edge);
            let rare = graph.split(other, "rare", Route::Chosen(Box::new(|_, ways, _| ways.fill(Way::Second))), edge);
            graph.stage(rare.1, "dropped", Count::default(), edge);
            let merged = graph.merge(&[main, rare.0], "merge", by_receipt(Late::Emit), edge);
            graph.stage(merged, "output", Count::default(), edge);
            graph
        };
        let report = graph_of().start(placement).unwrap().wait().unwrap();
        assert_eq!(report.stage("output").unwrap().consumed, 20_000);
        assert!(report.balanced, "{report}");
    }
}

/// Takes its time.
struct Slow;

impl Stage for Slow {
    type In = MarketEvent;
    type Out = Nothing;

    fn poll(
        &mut self,
        input: &mut Input<'_, MarketEvent>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        if input.next().is_some() {
            std::thread::sleep(Duration::from_micros(50));
            tally.consumed += 1;
        }
        Ok(())
    }
}

#[test]
fn an_edge_that_drops_holds_nobody_up_and_counts_what_it_dropped() {
    let drop = EdgeOptions { when_full: WhenFull::Drop, capacity: Some(512) };
    for placement in [options(Threads::Auto, Wait::Backoff), options(Threads::Count(2), Wait::Backoff)] {
        let run = poisson(50_000, 1).edge(drop).to("slow", Slow).start(placement).unwrap();
        let report = run.wait().unwrap();
        let edge = &report.stats.edges[0];
        assert_eq!((edge.offered, edge.pushed + edge.dropped), (100_000, 100_000));
        assert_eq!(report.non_deterministic, ["the edge before slow drops what finds no room"]);
        assert!(edge.dropped > 50_000 && edge.popped == report.stage("slow").unwrap().consumed, "{report}");
        assert!(report.balanced, "{report}");
    }
}

#[test]
fn the_high_water_of_an_edge_is_what_stood_in_it_and_nothing_that_it_dropped() {
    // While the reader is at its first records, and has told of none, the source fills the edge and drops the rest.
    let run = |when_full, threads| {
        let edge = EdgeOptions { when_full, capacity: Some(4) };
        let stuck = Stuck(Duration::from_millis(300));
        let run = poisson(20_000, 1).edge(edge).to("stuck", stuck).start(options(threads, Wait::Block)).unwrap();
        run.wait().unwrap().stats.edges[0].clone()
    };
    let dropping = run(WhenFull::Drop, Threads::Count(2));
    assert!(dropping.dropped > 0 && (4..=16).contains(&dropping.high_water), "{dropping:?}");
    // The batch before the ring and the ring are full, and the reader may have a ring more.
    let blocking = run(WhenFull::Block, Threads::Count(2));
    assert!((BATCH as u64..=BATCH as u64 + 16).contains(&blocking.high_water), "{blocking:?}");
    // On one thread the reader has its turn as soon as the batch is full, so nothing is dropped that it could have taken.
    let fused = run(WhenFull::Drop, Threads::Count(1));
    assert_eq!((fused.dropped, fused.high_water), (0, BATCH as u64), "{fused:?}");
}

#[test]
fn an_edge_that_would_hold_more_than_a_gibibyte_is_refused() {
    let whole = |capacity| {
        let wide = EdgeOptions { capacity: Some(capacity), ..EdgeOptions::default() };
        let bundles = poisson(100, 1)
            .trades("trades")
            .transactions("transactions")
            .bundle("bundle", BundleOptions::default())
            .unwrap();
        bundles.edge(wide).to("end", Count::default()).start(options(Threads::Count(2), Wait::Backoff))
    };
    for capacity in [1 << 24, (1 << 20) + 1] {
        let error = whole(capacity).err().unwrap();
        assert!(matches!(error, StartError::Declared { field: "capacity", .. }), "{error}");
    }
    whole(1 << 10).unwrap().wait().unwrap();
}

#[test]
fn an_edge_that_may_drop_before_a_book_and_a_branch_without_an_end_are_refused() {
    let market = Poisson::new(PoissonOptions { per_second: 1e6, count: Some(1), seed: 1 }).unwrap();
    let book = L2Book::new(market.instrument());
    let drop = EdgeOptions { when_full: WhenFull::Drop, capacity: None };
    let lossy = poisson(1, 1).edge(drop).split("split", levels(), |p| p.to("others", Count::default()));
    let error = lossy.book("book", &book, false).unwrap().to("end", Count::default()).start(StartOptions::default());
    let error = error.err().unwrap();
    assert!(matches!(error, StartError::Declared { field: "whenFull", .. }), "{error}");
    let (mut graph, port) = poisson(1, 1).into_graph();
    let (main, _) = graph.tee(port, "tee", EdgeOptions::default());
    graph.stage(main, "end", Count::default(), EdgeOptions::default());
    let error = graph.start(StartOptions::default()).err().unwrap();
    assert!(error.to_string().contains("tee, which leads nowhere"), "{error}");
}

#[test]
fn a_pause_holds_the_source_and_shifts_its_schedule() {
    let market = Poisson::new(PoissonOptions { per_second: 10_000.0, count: Some(2_000), seed: 1 }).unwrap();
    let pipeline = Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Recorded, &[]));
    let run =
        pipeline.to("end", Count::<MarketEvent>::default()).start(options(Threads::Count(2), Wait::Block)).unwrap();
    let handle = run.handle();
    std::thread::sleep(Duration::from_millis(50));
    handle.pause();
    std::thread::sleep(Duration::from_millis(100));
    let before = handle.stats().stages[0].out;
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(handle.stats().stages[0].out, before, "nothing comes while it is paused");
    handle.resume();
    let report = run.wait().unwrap();
    assert!(report.balanced && report.stats.stages[1].consumed == 4_000);
    // Latency counts from the shifted schedule: the pause of 200 ms is nobody's latency.
    assert!(report.stats.end_to_end.unwrap().p50 < 100_000_000, "{report}");
}

#[test]
fn a_filter_sees_the_book_of_each_record_s_own_instant_however_batches_are_cut() {
    let market = || Poisson::new(PoissonOptions { per_second: 1e6, count: Some(20_000), seed: 5 }).unwrap();
    let expr = |json: &str| serde_json::from_str::<Expr>(json).unwrap();
    // Trades at the best ask of their instant: each trade of this market takes the best of the other side.
    let at_ask = expr(
        r#"{"op":"and","of":[{"op":"eq","of":[{"op":"column","name":"side"},{"op":"name","value":"bid"}]},
            {"op":"eq","of":[{"op":"column","name":"price"},{"op":"given","index":0}]}]}"#,
    );
    let bids = expr(r#"{"op":"eq","of":[{"op":"column","name":"side"},{"op":"name","value":"bid"}]}"#);
    let run = |threads, look: bool| {
        let source = market();
        let book = L2Book::new(source.instrument());
        let (mut graph, port) = Pipeline::from("poisson", Paced::new(Box::new(source), Pace::Max, &[])).into_graph();
        let edge = EdgeOptions::default();
        let port = graph.stage(port, "book", BookStage::new("test", &book, false).unwrap(), edge);
        let state = graph.node_of(port);
        let port = graph.stage(port, "trades", velox_engine::stages::Trades, edge);
        let (surroundings, condition) = if look {
            (Surroundings { books: vec![(book.clone(), BookValue::Ask)], ..Surroundings::default() }, &at_ask)
        } else {
            (Surroundings::default(), &bids)
        };
        let columns = Columns::<Trade>::native();
        let condition = Evaluator::condition("filter", &columns, condition, &Scales::default(), surroundings).unwrap();
        let port = graph.stage(port, "filter", Filter::new(condition), edge);
        if look {
            graph.watch(port, state).unwrap();
        }
        graph.stage(port, "end", Count::default(), edge);
        graph.start(options(threads, Wait::Yield)).map(|run| run.wait().unwrap())
    };
    let all = run(Threads::Auto, false).unwrap().stage("end").unwrap().consumed;
    let seen = run(Threads::Auto, true).unwrap().stage("end").unwrap().consumed;
    // Before the first ask comes there is none to compare with.
    assert!(all > 9_000 && seen <= all && seen + 50 > all, "{seen} of {all} buys are at the best ask of their instant");
    assert_eq!(run(Threads::Count(3), true).unwrap().stage("end").unwrap().consumed, seen);
    let apart = |stages: &[&str]| ThreadSpec {
        stages: stages.iter().map(ToString::to_string).collect(),
        ..ThreadSpec::default()
    };
    let cut = Threads::Named(vec![apart(&["poisson", "book"]), apart(&["trades", "filter", "end"])]);
    assert!(matches!(run(cut, true), Err(StartError::Placement { .. })));
}

/// Sets a parameter before each record that it gives.
struct Setting(Param, u32);

impl Source for Setting {
    type Out = Trade;

    fn poll(&mut self, feed: &mut Feed<'_, Trade>, stopping: bool) -> Result<bool, EngineError> {
        if feed.room() > 0 {
            self.1 += 1;
            self.0.set(f64::from(self.1)).unwrap();
            feed.push(Trade { id: self.1.into(), ..Trade::default() }, velox_engine::clock::now());
        }
        Ok(stopping || self.1 == 1_100)
    }
}

#[test]
fn a_report_tells_how_many_changes_of_parameters_it_does_not_list() {
    let least = Param::new("least", 0.0);
    let condition = r#"{"op":"ge","of":[{"op":"column","name":"id"},{"op":"param","index":0}]}"#;
    let condition: Expr = serde_json::from_str(condition).unwrap();
    let surroundings = Surroundings { params: vec![least.clone()], ..Surroundings::default() };
    let columns = Columns::<Trade>::native();
    let condition = Evaluator::condition("filter", &columns, &condition, &Scales::default(), surroundings).unwrap();
    let mut graph = Graph::new();
    let port = graph.source("setting", Setting(least, 0));
    let port = graph.stage(port, "filter", Filter::new(condition), EdgeOptions::default());
    graph.stage(port, "end", Count::default(), EdgeOptions::default());
    let report = graph.start(StartOptions::default()).unwrap().wait().unwrap();
    assert_eq!((report.changes.len(), report.stage("end").unwrap().consumed), (1_024, 1_100));
    let told =
        ["filter saw more changes of parameters than are listed: 76", "the parameter least was set while the run went"];
    assert_eq!(report.non_deterministic, told);
}

/// Does not come back from its first records for so long.
struct Stuck(Duration);

impl Stage for Stuck {
    type In = MarketEvent;
    type Out = Nothing;

    fn poll(
        &mut self,
        input: &mut Input<'_, MarketEvent>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        if !input.is_empty() {
            std::thread::sleep(std::mem::take(&mut self.0));
        }
        let count = input.records().len();
        input.advance(count);
        tally.consumed += count as u64;
        Ok(())
    }
}

#[test]
fn a_stage_that_does_not_come_back_is_told_from_one_that_waits() {
    let market = Poisson::new(PoissonOptions { per_second: 1_000.0, count: None, seed: 1 }).unwrap();
    let run = Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Recorded, &[]))
        .tee("tee", |p| p.to("idle", Count::default()))
        .to("stuck", Stuck(Duration::from_millis(1_600)))
        .start(options(Threads::Count(4), Wait::Block))
        .unwrap();
    let handle = run.handle();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(handle.stuck(), [""; 0]);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(handle.stuck(), ["stuck"]);
    let stats = handle.stats();
    assert!(stats.stage("stuck").unwrap().stuck && !stats.stage("idle").unwrap().stuck);
    std::thread::sleep(Duration::from_millis(800));
    assert_eq!(handle.stuck(), [""; 0], "it came back");
    run.stop();
    assert!(run.wait().unwrap().balanced);
}

/// Sleeps over each batch.
struct Sleepy;

impl Stage for Sleepy {
    type In = MarketEvent;
    type Out = MarketEvent;

    fn poll(
        &mut self,
        input: &mut Input<'_, MarketEvent>,
        out: &mut Batch<MarketEvent>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        let count = input.records().len().min(out.room());
        if count > 0 {
            std::thread::sleep(Duration::from_millis(1));
            out.copy(input, count);
            tally.consumed += count as u64;
        }
        Ok(())
    }
}

#[test]
fn a_stage_that_sleeps_shows_it_on_its_own_hop_and_on_the_next_ones() {
    let market = Poisson::new(PoissonOptions { per_second: 200.0, count: Some(100), seed: 1 }).unwrap();
    let report = Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Recorded, &[]))
        .stage("before", velox_engine::stages::SampleEvery::new(1).unwrap())
        .stage("sleepy", Sleepy)
        .stage("after", velox_engine::stages::SampleEvery::new(1).unwrap())
        .to("end", Count::default())
        .start(options(Threads::Count(2), Wait::Block))
        .unwrap()
        .wait()
        .unwrap();
    let p50 = |name| report.stage(name).unwrap().latency.unwrap().p50;
    assert!(p50("sleepy") >= 1_000_000 && p50("after") >= 1_000_000 && p50("end") >= 1_000_000, "{report}");
    assert!(p50("before") < p50("sleepy"), "{report}");
}
