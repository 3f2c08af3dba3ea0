//! Metrics while a run goes: what is live, what others read, and whose fault a stall is.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::options;
use velox_engine::feed::{Poisson, PoissonOptions};
use velox_engine::metrics::{Attached, BookState, Hop, running};
use velox_engine::pipeline::{
    Batch, EngineError, Input, Nothing, Pace, Paced, Pipeline, Run, Stage, StartOptions, Stats, Tally, Threads, Wait,
};
use velox_engine::stages::{BundleOptions, Count};
use velox_engine::{Bundle, L2Book};

/// An end that sleeps once, when it is told to.
struct Stalls(Arc<AtomicBool>, Duration);

impl Stage for Stalls {
    type In = Bundle;
    type Out = Nothing;

    fn poll(
        &mut self,
        input: &mut Input<'_, Bundle>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        let count = input.records().len();
        if count > 0 && self.0.swap(false, Ordering::Relaxed) {
            std::thread::sleep(self.1);
        }
        input.advance(count);
        tally.consumed += count as u64;
        Ok(())
    }
}

/// The four stages over arrivals that come by the clock, with an end that stalls where `stalls` says so.
fn paced(per_second: f64, count: Option<u64>, stalls: &Arc<AtomicBool>, options: StartOptions) -> Run {
    let market = Poisson::new(PoissonOptions { per_second, count, seed: 1 }).unwrap();
    let instrument = market.instrument();
    let book = L2Book::new(instrument.clone());
    Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Recorded, &[instrument.id()]))
        .book("book", &book, false)
        .unwrap()
        .trades("trades")
        .transactions("transactions")
        .bundle("bundle", BundleOptions::default())
        .unwrap()
        .to("output", Stalls(Arc::clone(stalls), Duration::from_millis(10)))
        .start(options)
        .unwrap()
}

fn until(run: &Run, what: impl Fn(&Stats) -> bool) -> Stats {
    let handle = run.handle();
    for _ in 0..1_000 {
        let stats = handle.stats();
        if what(&stats) {
            return stats;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("expected it within 10 s, got {:?}", handle.stats());
}

#[test]
fn latencies_books_and_threads_are_told_while_the_run_goes() {
    let run = paced(20_000.0, None, &Arc::default(), options(Threads::Auto, Wait::Backoff));
    let s = until(&run, |stats| stats.stages[5].taken > 100 && stats.hiccup.is_some());
    assert!(s.stages[1..].iter().all(|stage| stage.latency.is_some_and(|latency| latency.p50 > 0)), "{s:?}");
    assert!(s.stages[0].latency.is_none() && s.end_to_end.is_some() && s.bundle_wait.is_some(), "{s:?}");
    // Downstream is read first.
    assert!(s.stages.windows(2).all(|pair| pair[1].taken <= pair[0].out), "{s:?}");
    let busy: f64 = s.stages.iter().map(|stage| stage.busy).sum();
    assert!(s.stages.iter().all(|stage| stage.busy_ns > 0) && busy > 0.0 && busy <= 1.0, "{s:?}");
    assert!((s.threads[0].busy - busy).abs() < 0.01 && s.threads[0].stages.len() == 6, "{s:?}");
    let book = &s.books[0];
    assert_eq!((book.name.as_str(), book.symbol.as_str(), book.state), ("book", "POISSON", BookState::Live));
    assert!(book.sequence > 0 && book.age_ns.unwrap() < 10_000_000_000, "{book:?}");
    run.stop();
    let report = run.wait().unwrap();
    assert!(report.balanced && report.stats.books[0].sequence >= book.sequence, "{report}");
    assert!(report.to_string().contains("the machine's own hiccups"), "{report}");
}

#[test]
fn a_stall_of_10_ms_is_seen_by_the_arrivals_that_it_held_up() {
    // The 10 ms are a hundredth of the arrivals' time, and each of them that came meanwhile waited: p99.9 is nearly all of it.
    let stalls = Arc::new(AtomicBool::new(false));
    let run = paced(50_000.0, Some(50_000), &stalls, options(Threads::Auto, Wait::Backoff));
    until(&run, |stats| stats.stages[5].taken > 500);
    stalls.store(true, Ordering::Relaxed);
    let report = run.wait().unwrap();
    assert!(report.stats.end_to_end.unwrap().p999 >= 9_000_000, "{report}");
    assert!(report.stats.stages[5].latency.unwrap().max >= 9_000_000, "{report}");
    assert!(report.stats.stages[5].busy_ns >= 10_000_000, "the stage that slept: {report}");
}

#[test]
fn another_reader_sees_the_run_until_it_ends() {
    let options = StartOptions { name: "watched".into(), ..options(Threads::Count(2), Wait::Backoff) };
    let run = paced(20_000.0, None, &Arc::default(), options);
    let handle = run.handle();
    let Some(path) = handle.metrics_file() else {
        println!("skipped: no folder for files of metrics on this machine");
        return;
    };
    until(&run, |stats| stats.stages[5].taken > 100);
    assert!(running().iter().any(|found| found.path == path && found.run.is_ok()));
    let attached = Attached::open(&path).unwrap();
    assert_eq!((attached.shape().run.as_str(), attached.pid()), ("watched", std::process::id()));
    let theirs = Stats::of(attached.shape(), &attached.read().unwrap());
    let ours = handle.stats();
    assert!(theirs.stages[5].taken > 100 && theirs.stages[5].taken <= ours.stages[5].taken, "{theirs:?}");
    assert!(theirs.elapsed_ns.abs_diff(ours.elapsed_ns) < 2_000_000_000, "{} {}", theirs.elapsed_ns, ours.elapsed_ns);
    assert_eq!(theirs.threads.len(), 2);
    run.stop();
    let report = run.wait().unwrap();
    let last = attached.read().unwrap();
    let last = (last.ended(), Stats::of(attached.shape(), &last));
    assert!(last.0 && !path.exists());
    assert_eq!((last.1.stages[5].taken, last.1.end_to_end), (report.stats.stages[5].taken, report.stats.end_to_end));
}

#[test]
fn histograms_hold_what_their_percentiles_are_of() {
    let run = paced(50_000.0, Some(5_000), &Arc::default(), options(Threads::Auto, Wait::Backoff));
    let handle = run.handle();
    let report = run.wait().unwrap();
    let all = handle.histograms();
    assert_eq!(all.len(), 8, "five stages, the end, the bundles' wait, hiccups");
    let end = all.iter().find(|of| of.hop == Hop::EndToEnd).unwrap();
    assert_eq!((end.stage.as_deref(), end.buckets.count()), (Some("output"), 5_000));
    assert_eq!(end.buckets.filled().map(|(_, count)| count).sum::<u64>(), 5_000);
    assert_eq!(end.buckets.percentiles(), report.stats.end_to_end);
}

#[test]
fn an_end_of_single_records_has_one_histogram_for_its_own_latency_and_the_whole_way() {
    let market = Poisson::new(PoissonOptions { per_second: 50_000.0, count: Some(5_000), seed: 1 }).unwrap();
    let (book, id) = (L2Book::new(market.instrument()), market.instrument().id());
    let run = Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Recorded, &[id]))
        .book("book", &book, false)
        .unwrap()
        .trades("trades")
        .to("output", Count::default())
        .start(options(Threads::Auto, Wait::Backoff))
        .unwrap();
    let handle = run.handle();
    let attached = handle.metrics_file().map(|path| Attached::open(&path).unwrap());
    let report = run.wait().unwrap();
    let end = report.stats.end_to_end.unwrap();
    assert_eq!((end.count, report.stats.stages[3].latency), (report.stats.stages[3].taken, Some(end)), "{report}");
    let all = handle.histograms();
    let of = |hop| all.iter().find(|of| of.hop == hop && of.stage.as_deref() == Some("output")).unwrap();
    assert_eq!(of(Hop::Stage).buckets, of(Hop::EndToEnd).buckets);
    assert_eq!(all.len(), 5, "three stages, the end, hiccups");
    let Some(attached) = attached else { return println!("skipped: no folder for files of metrics on this machine") };
    let of = attached.shape().histograms.iter().filter(|of| of.stage == Some(3));
    assert_eq!(of.map(|of| of.hops.as_slice()).collect::<Vec<_>>(), [[Hop::Stage, Hop::EndToEnd]]);
}

#[test]
fn without_metrics_there_are_accounts_and_nothing_else() {
    let options = StartOptions { metrics: false, ..options(Threads::Auto, Wait::Backoff) };
    let run = paced(50_000.0, Some(5_000), &Arc::default(), options);
    let handle = run.handle();
    assert!(handle.metrics_file().is_none() && handle.histograms().is_empty());
    let report = run.wait().unwrap();
    assert!(report.balanced && report.stats.stages[5].taken > 0, "{report}");
    assert!(report.stats.stages.iter().all(|stage| stage.latency.is_none()), "{report}");
    assert!(report.stats.end_to_end.is_none() && report.stats.hiccup.is_none(), "{report}");
    assert_eq!(report.stats.books[0].state, BookState::Live);
}
