//! Recordings that meet in one run keep their distances from each other.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::options;
use velox_engine::feed::{Arrivals, FeedError, Poisson, PoissonOptions};
use velox_engine::pipeline::{Late, Merge, Pace, Paced, Pipeline, Report, Threads, Wait};
use velox_engine::stages::Count;
use velox_engine::{EventKind, Instrument, MarketEvent};

/// When the recordings were made.
const EPOCH: u64 = 1_723_075_200_000_000_000;
const MILLI: u64 = 1_000_000;

/// Trades received at these times.
struct Recorded(std::vec::IntoIter<u64>);

impl Arrivals for Recorded {
    fn next(&mut self, out: &mut Vec<MarketEvent>) -> Result<Option<u64>, FeedError> {
        let time = self.0.next();
        out.extend(time.map(|time| MarketEvent { kind: EventKind::TRADE, receive_ts: time, ..MarketEvent::default() }));
        Ok(time)
    }

    fn comparable(&self, _: u16) -> u64 {
        0
    }

    fn instruments(&self) -> &[Arc<Instrument>] {
        &[]
    }
}

fn recorded(millis: &[u64]) -> Pipeline<MarketEvent> {
    let times: Vec<u64> = millis.iter().map(|millis| EPOCH + millis * MILLI).collect();
    Pipeline::from("replay", Paced::new(Box::new(Recorded(times.into_iter())), Pace::Recorded, &[]))
}

fn merged(first: Pipeline<MarketEvent>, others: Vec<Pipeline<MarketEvent>>) -> Pipeline<MarketEvent> {
    let times = |events: &[MarketEvent], times: &mut [Option<i128>], _: &mut _| {
        for (time, event) in times.iter_mut().zip(events) {
            *time = Some(event.receive_ts.into());
        }
    };
    let merge = Merge { times: Box::new(times), by_record_time: true, late: Late::Emit };
    first.merge("merge", merge, others)
}

fn run(chain: Pipeline<MarketEvent>, threads: Threads, wait: Wait) -> (Report, Duration) {
    let started = Instant::now();
    let report = chain.to("count", Count::default()).start(options(threads, wait)).unwrap().wait().unwrap();
    assert!(report.balanced, "{report}");
    (report, started.elapsed())
}

#[test]
fn what_was_received_later_is_let_go_so_much_later() {
    for (threads, wait) in
        [(Threads::Auto, Wait::Backoff), (Threads::Count(2), Wait::Block), (Threads::Count(3), Wait::Yield)]
    {
        // Each alone would take 100 ms; the later one begins 600 ms behind the earlier one, whichever is declared first.
        let (earlier, later) = ([0, 50, 100], [600, 650, 700]);
        for (a, b) in [(earlier, later), (later, earlier)] {
            let (report, took) = run(merged(recorded(&a), vec![recorded(&b)]), threads.clone(), wait);
            assert!(took >= Duration::from_millis(700), "{took:?}");
            let merge = report.stage("merge").unwrap();
            assert_eq!((merge.consumed, merge.late), (6, 0));
            let slowest = merge.latency.as_ref().unwrap().max;
            assert!(slowest < 400 * MILLI, "a record waited for {slowest} ns behind its time");
        }
    }
}

#[test]
fn a_recording_without_records_holds_nobody_up() {
    let (report, _) = run(merged(recorded(&[]), vec![recorded(&[0, 20])]), Threads::Count(2), Wait::Block);
    assert_eq!(report.stage("count").unwrap().consumed, 2);
    let (report, _) = run(merged(recorded(&[]), vec![recorded(&[])]), Threads::Auto, Wait::Block);
    assert_eq!(report.stage("count").unwrap().consumed, 0);
}

#[test]
fn made_up_arrivals_and_other_paces_have_a_time_of_their_own() {
    let poisson = Poisson::new(PoissonOptions { per_second: 1e4, count: Some(100), seed: 1 }).unwrap();
    let poisson = Pipeline::from("poisson", Paced::new(Box::new(poisson), Pace::Recorded, &[]));
    let fast = Paced::new(Box::new(Recorded(vec![EPOCH - 3_600_000 * MILLI].into_iter())), Pace::Max, &[]);
    let (report, _) =
        run(merged(recorded(&[0, 20]), vec![poisson, Pipeline::from("fast", fast)]), Threads::Auto, Wait::Backoff);
    assert_eq!(report.stage("count").unwrap().consumed, 203);
}

#[test]
fn a_pause_shifts_all_recordings() {
    let chain = merged(recorded(&[0, 100]), vec![recorded(&[50, 150])]).to("count", Count::default());
    let run = chain.start(options(Threads::Count(2), Wait::Backoff)).unwrap();
    let started = Instant::now();
    run.handle().pause();
    std::thread::sleep(Duration::from_millis(300));
    run.handle().resume();
    let report = run.wait().unwrap();
    assert!(started.elapsed() >= Duration::from_millis(350), "{:?}", started.elapsed());
    let slowest = report.stage("merge").unwrap().latency.as_ref().unwrap().max;
    assert!(slowest < 250 * MILLI, "the pause counts as a latency of {slowest} ns");
}
