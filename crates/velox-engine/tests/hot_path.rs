//! The hot path allocates nothing and makes no system call, counted on its own thread while it runs.

use std::fs;
#[cfg(target_os = "linux")]
use std::io::{Read, Seek};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use velox_engine::expr::{Expr, Plan, Scales};
use velox_engine::feed::{Arrivals, Poisson, PoissonOptions, Replay, ReplayOptions};
#[cfg(target_os = "linux")]
use velox_engine::pipeline::Threads;
use velox_engine::pipeline::{
    Batch, EngineError, Input, Nothing, Pace, Paced, Pipeline, Stage, StartOptions, Tally, Wait,
};
use velox_engine::stages::{BundleOptions, ConflateOptions, DedupeOptions};
use velox_engine::{Bundle, L2Book, Transaction};
use velox_sys::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A sink that tells how many page faults its thread has had since its last look before its first record.
#[cfg(target_os = "linux")]
struct Faults {
    stat: Option<fs::File>,
    before: u64,
    since: Arc<AtomicU64>,
}

#[cfg(target_os = "linux")]
impl Faults {
    fn count(&mut self) -> u64 {
        let (stat, mut text) = (self.stat.as_mut().expect("it was started"), [0; 1024]);
        stat.rewind().unwrap();
        let read = stat.read(&mut text).unwrap();
        let text = std::str::from_utf8(&text[..read]).unwrap();
        // Behind the name, which may hold anything: the state, six numbers, and the faults that needed no disk.
        text[text.rfind(')').unwrap()..].split(' ').nth(8).unwrap().parse().unwrap()
    }
}

#[cfg(target_os = "linux")]
impl Stage for Faults {
    type In = Bundle;
    type Out = Nothing;

    fn on_start(&mut self) -> Result<(), EngineError> {
        self.stat = Some(fs::File::open("/proc/thread-self/stat").expect("Linux has it"));
        let before = self.count();
        // More than an allocator keeps: new pages, large ones perhaps.
        std::hint::black_box(vec![1_u8; 40 << 20]);
        assert!(self.count() >= before + 16, "faults of this thread are not counted");
        Ok(())
    }

    fn poll(
        &mut self,
        input: &mut Input<'_, Bundle>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        let count = input.records().len();
        input.advance(count);
        tally.consumed += count as u64;
        let now = self.count();
        if tally.consumed == 0 {
            self.before = now;
        } else {
            self.since.store(now - self.before, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// A sink that looks at its thread when it is warm and again some transactions later.
struct Watch {
    from: u64,
    to: u64,
    seen: u64,
    /// The allocations in between; `u64::MAX` before the end.
    counted: Arc<AtomicU64>,
    begin: Option<u64>,
    /// Files that are looked for, and not there, to leave a mark in a trace of system calls.
    marks: Option<[&'static str; 2]>,
}

impl Stage for Watch {
    type In = Bundle;
    type Out = Nothing;

    fn poll(
        &mut self,
        input: &mut Input<'_, Bundle>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while let Some((bundle, _)) = input.next() {
            tally.consumed += 1;
            self.seen += bundle.len() as u64;
        }
        let asked = || {
            let asked = Counting::of_thread();
            asked.allocations + asked.frees
        };
        let now = asked();
        if self.begin.is_none() && self.seen >= self.from {
            if let Some([begin, _]) = self.marks {
                let _ = fs::metadata(begin);
            }
            self.begin = Some(asked());
        } else if let Some(begin) = self.begin.filter(|_| self.seen >= self.to)
            && self.counted.load(Ordering::Relaxed) == u64::MAX
        {
            if let Some([_, end]) = self.marks {
                let _ = fs::metadata(end);
            }
            self.counted.store(now - begin, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn watched(arrivals: Box<dyn Arrivals>, pace: Pace, range: (u64, u64), marks: Option<[&'static str; 2]>) -> u64 {
    let instrument = arrivals.instruments()[0].clone();
    let book = L2Book::new(instrument.clone());
    let counted = Arc::new(AtomicU64::new(u64::MAX));
    let watch = Watch { from: range.0, to: range.1, seen: 0, counted: Arc::clone(&counted), begin: None, marks };
    let run = Pipeline::from("source", Paced::new(arrivals, pace, &[instrument.id()]))
        .book("book", &book, true)
        .unwrap()
        .trades("trades")
        .transactions("transactions")
        .bundle("bundle", BundleOptions::default())
        .unwrap()
        .to("output", watch)
        .start(StartOptions { wait: Wait::Spin, ..StartOptions::default() })
        .unwrap();
    assert!(run.wait().unwrap().balanced);
    let counted = counted.load(Ordering::Relaxed);
    assert_ne!(counted, u64::MAX, "the run ended before the watch did");
    counted
}

fn poisson(per_second: f64, count: u64) -> Box<dyn Arrivals> {
    Box::new(Poisson::new(PoissonOptions { per_second, count: Some(count), seed: 3 }).unwrap())
}

#[test]
fn made_up_arrivals_allocate_nothing() {
    assert_eq!(watched(poisson(1e5, 200_000), Pace::Max, (20_000, 190_000), None), 0);
}

#[test]
fn recorded_arrivals_allocate_nothing_once_the_buffers_are_warm() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/btcusdt-usdm-20240808.gz");
    let replay = Replay::open(data, ReplayOptions::default()).unwrap();
    assert_eq!(watched(Box::new(replay), Pace::Max, (4_000, 11_000), None), 0);
}

#[test]
fn the_small_stages_allocate_nothing() {
    let plan = |name: &str| {
        let column = Expr::Column { name: name.into() };
        Plan::<Transaction>::new(&column, &Scales::default(), 0).unwrap()
    };
    let counted = Arc::new(AtomicU64::new(u64::MAX));
    let counts = Arc::clone(&counted);
    let watch = Watch { from: 10_000, to: 90_000, seen: 0, counted: counts, begin: None, marks: None };
    let run = Pipeline::from("source", Paced::new(poisson(1e5, 200_000), Pace::Max, &[]))
        .trades("trades")
        .transactions("transactions")
        .sample_every("sample", 2)
        .unwrap()
        .dedupe("dedupe", plan("id"), DedupeOptions::new(Duration::from_millis(10)))
        .unwrap()
        .conflate("conflate", plan("price"), ConflateOptions::default())
        .unwrap()
        .rate_limit("limit", 1e12)
        .unwrap()
        .bundle("bundle", BundleOptions::default())
        .unwrap()
        .to("output", watch)
        .start(StartOptions { wait: Wait::Spin, ..StartOptions::default() })
        .unwrap();
    let report = run.wait().unwrap();
    assert!(report.balanced && report.stats.stages[8].taken > 0, "{report}");
    assert_eq!(report.non_deterministic.len(), 2, "conflation and the rate limit: {report}");
    assert_eq!(counted.load(Ordering::Relaxed), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn threads_have_touched_their_memory_before_the_source_goes() {
    for threads in [Threads::Count(1), Threads::Count(2)] {
        let arrivals = poisson(1e5, 200_000);
        let instrument = arrivals.instruments()[0].clone();
        let book = L2Book::new(instrument.clone());
        let since = Arc::new(AtomicU64::new(u64::MAX));
        let faults = Faults { stat: None, before: 0, since: Arc::clone(&since) };
        let run = Pipeline::from("source", Paced::new(arrivals, Pace::Max, &[instrument.id()]))
            .book("book", &book, true)
            .unwrap()
            .trades("trades")
            .transactions("transactions")
            .bundle("bundle", BundleOptions::default())
            .unwrap()
            .to("output", faults)
            .start(StartOptions { threads, ..StartOptions::default() })
            .unwrap();
        let report = run.wait().unwrap();
        assert!(report.stage("output").unwrap().taken > 10_000, "{report}");
        let faults = since.load(Ordering::Relaxed);
        assert!(faults < 8, "{faults} page faults since the source went");
    }
}

const MARKS: [&str; 2] = ["/velox-watch-begins", "/velox-watch-ends"];

#[test]
fn a_spinning_pipeline_makes_no_system_call() {
    const CHILD: &str = "VELOX_TRACED";
    if std::env::var_os(CHILD).is_some() {
        watched(poisson(20_000.0, 20_000), Pace::Recorded, (2_000, 18_000), Some(MARKS));
        return;
    }
    let trace = std::env::temp_dir().join(format!("velox-trace-{}", std::process::id()));
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&trace)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "a_spinning_pipeline_makes_no_system_call"])
        .env(CHILD, "1")
        .output();
    let Ok(traced) = traced else {
        println!("skipped: strace is not on this machine");
        return;
    };
    assert!(traced.status.success(), "{}", String::from_utf8_lossy(&traced.stdout));
    let text = fs::read_to_string(&trace).unwrap();
    fs::remove_file(&trace).unwrap();
    let begin = text.lines().position(|line| line.contains(MARKS[0])).expect("the first mark");
    let thread = text.lines().nth(begin).unwrap().split(' ').next().unwrap();
    let own = text.lines().skip(begin + 1).filter(|line| line.starts_with(thread));
    // Where another thread called meanwhile (the hiccup meter does), the mark's own call takes two lines.
    let own: Vec<&str> = own.skip_while(|line| line.contains("resumed>")).collect();
    let end = own.iter().position(|line| line.contains(MARKS[1])).expect("the second mark");
    assert_eq!(own[..end], [""; 0], "system calls between the marks");
}
