//! How runs end: drained, stopped, aborted, failed.

mod common;

use std::time::Duration;

use common::{four_stages, lines, options, replay};
use velox_engine::feed::{Poisson, PoissonOptions};
use velox_engine::pipeline::{
    BATCH, Batch, EngineError, Feed, Input, Nothing, Pace, Paced, Pipeline, Run, RunError, Source, Stage, StartOptions,
    Tally, ThreadSpec, Threads, Wait,
};
use velox_engine::stages::{BundleOptions, Count};
use velox_engine::{BookError, L2Book, MarketEvent};

fn poisson(per_second: f64, count: Option<u64>) -> Pipeline<MarketEvent> {
    let market = Poisson::new(PoissonOptions { per_second, count, seed: 1 }).unwrap();
    let id = market.instrument().id();
    Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Recorded, &[id]))
}

fn endless(options: StartOptions) -> Run {
    let pipeline = poisson(50_000.0, None).trades("trades").transactions("transactions");
    pipeline.bundle("bundle", BundleOptions::default()).unwrap().to("output", Count::default()).start(options).unwrap()
}

/// Does `then` with the thousandth record.
struct Trip(u64, Failure);

type Failure = fn() -> EngineError;

impl Stage for Trip {
    type In = MarketEvent;
    type Out = MarketEvent;

    fn poll(
        &mut self,
        input: &mut Input<'_, MarketEvent>,
        out: &mut Batch<MarketEvent>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while let Some((event, stamp)) = input.next_for(out) {
            self.0 += 1;
            if self.0 == 1_000 {
                return Err(self.1());
            }
            out.push(event, stamp);
            tally.consumed += 1;
        }
        Ok(())
    }
}

/// Says which cores its thread may run on.
#[cfg(target_os = "linux")]
struct Allowed(std::sync::mpsc::Sender<String>);

#[cfg(target_os = "linux")]
impl Stage for Allowed {
    type In = MarketEvent;
    type Out = Nothing;

    fn on_start(&mut self) -> Result<(), EngineError> {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
        self.0.send(allowed.trim().into()).unwrap();
        Ok(())
    }

    fn poll(
        &mut self,
        input: &mut Input<'_, MarketEvent>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while input.next().is_some() {
            tally.consumed += 1;
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_thread_stays_on_the_core_that_it_was_given() {
    let cores = core_affinity::get_core_ids().unwrap();
    for core in [0, cores.len() - 1] {
        let (tell, told) = std::sync::mpsc::channel();
        let stages = ["poisson", "output"].map(String::from).to_vec();
        let on_core = ThreadSpec { stages, core: Some(core), wait: None };
        let run = poisson(1e6, Some(100)).to("output", Allowed(tell));
        let run = run.start(options(Threads::Named(vec![on_core]), Wait::Backoff)).unwrap();
        assert_eq!(told.recv().unwrap(), cores[core].id.to_string());
        assert_eq!(run.wait().unwrap().placement[0].core, Some(core));
    }
}

#[test]
fn a_run_that_is_stopped_loses_nothing() {
    for (threads, wait) in [
        (Threads::Auto, Wait::Backoff),
        (Threads::Auto, Wait::Spin),
        (Threads::Count(2), Wait::Block),
        (Threads::Count(5), Wait::Yield),
    ] {
        let run = endless(options(threads, wait));
        std::thread::sleep(Duration::from_millis(100));
        let live = run.handle().stats();
        assert!(live.stages.windows(2).all(|w| w[1].taken <= w[0].out), "downstream is read first: {live}");
        run.stop();
        let report = run.wait().unwrap();
        assert!(report.balanced && report.stats.stages[0].out > 1_000, "{report}");
        assert!(report.stats.edges.iter().all(|edge| edge.in_flight == 0));
        assert_eq!(report.non_deterministic.len(), 1, "it was cut short");
    }
}

#[test]
fn a_run_that_is_aborted_says_what_was_in_flight() {
    let run = endless(options(Threads::Count(2), Wait::Backoff));
    std::thread::sleep(Duration::from_millis(50));
    run.handle().abort();
    let Err(RunError::Aborted { report }) = run.wait() else { panic!("expected an aborted run") };
    assert!(report.balanced && report.stats.stages[0].out > 100, "{report}");
}

#[test]
fn a_run_that_is_dropped_ends_its_threads() {
    drop(endless(options(Threads::Count(2), Wait::Block)));
}

#[test]
fn a_stage_that_fails_or_panics_fails_the_run_by_its_name() {
    let failing: [(Failure, &str); 2] =
        [(|| EngineError::Stage("no thousandth".into()), "no thousandth"), (|| panic!("a bug"), "panicked: a bug")];
    for (trip, text) in failing {
        for threads in [Threads::Auto, Threads::Count(3)] {
            let pipeline = poisson(1e6, None).stage("trip", Trip(0, trip)).to("output", Count::default());
            let result = pipeline.start(options(threads, Wait::Backoff)).unwrap().wait();
            let Err(RunError::Failed { stage, cause, report }) = result else { panic!("expected a failed run") };
            assert_eq!((stage.as_str(), cause.to_string().as_str()), ("trip", text));
            let failed = &report.stats.stages[1];
            assert_eq!((failed.consumed, failed.errors, report.balanced), (999, 1, true), "{report}");
        }
    }
}

/// Gives ten records a turn, and panics in its third.
struct Breaks(u32);

impl Source for Breaks {
    type Out = MarketEvent;

    fn poll(&mut self, feed: &mut Feed<'_, MarketEvent>, _: bool) -> Result<bool, EngineError> {
        (0..feed.room().min(10)).for_each(|_| feed.push(MarketEvent::default(), 0));
        self.0 += 1;
        assert!(self.0 < 3, "a bug");
        Ok(false)
    }
}

#[test]
fn what_a_source_gave_before_it_panicked_is_in_the_accounts() {
    for threads in [Threads::Auto, Threads::Count(2)] {
        let pipeline = Pipeline::from("breaks", Breaks(0)).to("output", Count::default());
        let result = pipeline.start(options(threads, Wait::Backoff)).unwrap().wait();
        let Err(RunError::Failed { stage, cause, report }) = result else { panic!("expected a failed run") };
        assert_eq!((stage.as_str(), cause.to_string().as_str()), ("breaks", "panicked: a bug"));
        assert!(report.balanced && report.stats.stages[0].out == 30, "{report}");
    }
}

/// Writes more than there is room for.
struct Floods;

impl Stage for Floods {
    type In = MarketEvent;
    type Out = MarketEvent;

    fn poll(
        &mut self,
        input: &mut Input<'_, MarketEvent>,
        out: &mut Batch<MarketEvent>,
        _: &mut Tally,
    ) -> Result<(), EngineError> {
        while let Some((event, stamp)) = input.next() {
            (0..=BATCH).for_each(|_| out.push(event, stamp));
        }
        Ok(())
    }
}

#[test]
fn what_a_stage_had_no_room_for_was_not_given() {
    for threads in [Threads::Auto, Threads::Count(3)] {
        let pipeline = poisson(1e6, None).stage("floods", Floods).to("output", Count::default());
        let result = pipeline.start(options(threads, Wait::Backoff)).unwrap().wait();
        let Err(RunError::Failed { stage, cause, report }) = result else { panic!("expected a failed run") };
        assert!(stage == "floods" && cause.to_string().contains("than its output had room for"), "{stage}: {cause}");
        assert!(report.balanced && report.stats.stages[1].out == BATCH as u64, "{report}");
    }
}

#[test]
fn a_corrupt_line_fails_the_source_with_its_place() {
    let mut lines = lines(500);
    lines[300].truncate(60);
    let (result, ..) = four_stages(replay(lines.join("\n")), Pace::Max, StartOptions::default());
    let Err(RunError::Failed { stage, cause, report }) = result else { panic!("expected a failed run") };
    assert!(stage == "replay" && report.balanced && report.stats.stages[0].out > 100, "{report}");
    assert!(cause.to_string().starts_with("test, line 301: expected "), "{cause}");
}

#[test]
fn a_book_belongs_to_one_pipeline_at_a_time() {
    let market = Poisson::new(PoissonOptions { per_second: 1e6, count: Some(10), seed: 1 }).unwrap();
    let book = L2Book::new(market.instrument());
    let first = poisson(1e6, Some(10)).book("mine", &book, false).unwrap();
    let second = poisson(1e6, Some(10)).book("theirs", &book, false).err();
    assert_eq!(second, Some(EngineError::Book(BookError::Owned { by: "mine".into() })));
    first.to("output", Count::default()).start(StartOptions::default()).unwrap().wait().unwrap();
    assert!(book.claim("me").is_ok(), "free again");
}

#[test]
fn a_trade_too_large_for_a_transaction_is_an_error_of_the_stage_and_never_wraps() {
    struct Large;
    impl Stage for Large {
        type In = MarketEvent;
        type Out = MarketEvent;
        fn poll(
            &mut self,
            input: &mut Input<'_, MarketEvent>,
            out: &mut Batch<MarketEvent>,
            tally: &mut Tally,
        ) -> Result<(), EngineError> {
            while let Some((event, stamp)) = input.next_for(out) {
                out.push(MarketEvent { qty: 1 << 32, ..event }, stamp);
                tally.consumed += 1;
            }
            Ok(())
        }
    }
    let pipeline = poisson(1e6, Some(100)).stage("large", Large).trades("trades").transactions("transactions");
    let run = pipeline.to("output", Count::default()).start(StartOptions::default()).unwrap();
    let report = run.wait().unwrap();
    let stage = &report.stats.stages[3];
    assert_eq!((stage.taken, stage.errors, stage.out), (100, 100, 0));
    assert!(report.balanced && stage.first_error.as_ref().unwrap().contains("4294967296"));
}

#[test]
fn a_thread_that_blocks_wakes_for_what_is_due() {
    let pipeline = poisson(1_000.0, Some(200)).to("output", Count::<MarketEvent>::default());
    let report = pipeline.start(options(Threads::Count(2), Wait::Block)).unwrap().wait().unwrap();
    assert_eq!(report.stats.stages[1].consumed, 400);
}

/// Tells what is called, and on which thread.
struct Told {
    calls: std::sync::mpsc::Sender<(&'static str, std::thread::ThreadId)>,
    start: fn() -> Result<(), EngineError>,
    polled: bool,
}

impl Told {
    fn tell(&self, call: &'static str) {
        self.calls.send((call, std::thread::current().id())).unwrap();
    }
}

impl Stage for Told {
    type In = MarketEvent;
    type Out = MarketEvent;

    fn on_start(&mut self) -> Result<(), EngineError> {
        self.tell("start");
        (self.start)()
    }

    fn on_stop(&mut self) {
        self.tell("stop");
    }

    fn poll(
        &mut self,
        input: &mut Input<'_, MarketEvent>,
        out: &mut Batch<MarketEvent>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while let Some((event, stamp)) = input.next_for(out) {
            if !std::mem::replace(&mut self.polled, true) {
                self.tell("poll");
            }
            out.push(event, stamp);
            tally.consumed += 1;
        }
        Ok(())
    }
}

#[test]
fn a_stage_is_started_before_its_first_record_and_stopped_behind_its_last_on_its_own_thread() {
    let run = |start: fn() -> Result<(), EngineError>| {
        let (calls, told) = std::sync::mpsc::channel();
        let started = poisson(1e6, Some(5_000))
            .stage("told", Told { calls, start, polled: false })
            .to("output", Count::default())
            .start(StartOptions { threads: Threads::Count(2), ..StartOptions::default() });
        let ended = started.map_err(|error| error.to_string()).and_then(|run| run.wait().map_err(|e| e.to_string()));
        (ended, told.iter().collect::<Vec<_>>())
    };
    let (ended, told) = run(|| Ok(()));
    assert!(ended.unwrap().balanced);
    assert_eq!(told.iter().map(|(call, _)| *call).collect::<Vec<_>>(), ["start", "poll", "stop"]);
    assert!(told.iter().all(|(_, thread)| *thread == told[0].1 && *thread != std::thread::current().id()));

    for start in [|| Err(EngineError::Stage("no licence".into())), || panic!("no licence")] as [fn() -> _; 2] {
        let (ended, told) = run(start);
        let reason = ended.unwrap_err();
        assert!(reason.contains("told") && reason.contains("no licence"), "{reason}");
        assert_eq!(told.iter().map(|(call, _)| *call).collect::<Vec<_>>(), ["start", "stop"]);
    }
}
