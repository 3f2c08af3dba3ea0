//! Who reads a run's metrics costs the run nothing: its thread executes the same instructions with a reader and without.
//!
//! Counted by callgrind, thread by thread, of a child that runs the four stages as fast as they go. Prints one line of JSON:
//! instructions of the engine's thread, which `npm run bench` takes into bench/RESULTS.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use velox_engine::L2Book;
use velox_engine::feed::{Poisson, PoissonOptions};
use velox_engine::metrics::running_in;
use velox_engine::pipeline::{Pace, Paced, Pipeline, StartOptions, Wait};
use velox_engine::stages::{BundleOptions, Count};

const TEST: &str = "a_reader_costs_the_engine_no_instruction";
/// Set where this is the child: whether it has metrics.
const CHILD: &str = "VELOX_COUNTED";
const ARRIVALS: u64 = 20_000;

/// The four stages over arrivals that never let the thread idle, so that the count is of records and not of time.
fn run(metrics: bool) {
    let market = Poisson::new(PoissonOptions { per_second: 1e6, count: Some(ARRIVALS), seed: 1 }).unwrap();
    let book = L2Book::new(market.instrument());
    let run = Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Max, &[]))
        .book("book", &book, false)
        .unwrap()
        .trades("trades")
        .transactions("transactions")
        .bundle("bundle", BundleOptions::default())
        .unwrap()
        .to("output", Count::default())
        .start(StartOptions { wait: Wait::Spin, metrics, ..StartOptions::default() })
        .unwrap();
    assert!(run.wait().unwrap().balanced);
}

/// A folder of a child's own, for its metrics and its counts; removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("velox-attached-{name}-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a child's engine executed, and how often it was read meanwhile.
struct Counted {
    instructions: u64,
    reads: u64,
}

/// Reads the child's metrics as `velox top` does, and far more often, until it ends.
fn watch(child: &mut Child, folder: &Path) -> u64 {
    let (mut attached, mut reads) = (None, 0);
    while child.try_wait().unwrap().is_none() {
        attached = attached.or_else(|| running_in(&folder.join("velox-engine")).pop()?.run.ok());
        reads += u64::from(attached.as_ref().is_some_and(|run| run.read().is_ok_and(|numbers| !numbers.ended())));
        sleep(Duration::from_millis(2));
    }
    reads
}

/// The instructions of the thread that the stages ran on, from the file that callgrind wrote of it.
fn of_engine(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let texts: Vec<String> = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    let engines: Vec<&String> =
        texts.iter().filter(|text| text.contains("velox_engine::pipeline::thread::run")).collect();
    let [engine] = engines[..] else {
        panic!("expected one thread of the engine, got {} of {}", engines.len(), texts.len())
    };
    let total = engine.lines().find_map(|line| line.strip_prefix("totals: ")).expect("a sum");
    total.trim().parse().unwrap()
}

fn count(name: &str, metrics: bool, is_read: bool) -> Counted {
    let folder = Folder::new(name);
    let mut child = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", folder.0.join("counts").display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(CHILD, metrics.to_string())
        .env("XDG_RUNTIME_DIR", &folder.0)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let reads = if is_read { watch(&mut child, &folder.0) } else { 0 };
    assert!(child.wait().unwrap().success(), "{name}");
    Counted { instructions: of_engine(&folder.0), reads }
}

#[test]
#[cfg_attr(valgrind_absent, ignore = "valgrind is not on this machine")]
fn a_reader_costs_the_engine_no_instruction() {
    if let Some(metrics) = std::env::var_os(CHILD) {
        return run(metrics == "true");
    }
    let alone = count("alone", true, false).instructions;
    let Counted { instructions: attached, reads } = count("attached", true, true);
    let without = count("without", false, false).instructions;
    println!(
        "\n{{\"arrivals\":{ARRIVALS},\"alone\":{alone},\"attached\":{attached},\"reads\":{reads},\"without\":{without}}}"
    );
    assert!(reads >= 20, "the reader was attached: {reads}");
    assert!(alone > 100 * ARRIVALS, "the records were counted: {alone}");
    let thousandths = |a: u64, b: u64| 1_000 * a.abs_diff(b) / b;
    assert_eq!(thousandths(attached, alone), 0, "attached {attached}, alone {alone}");
    // What it can't fail to see: what the metrics themselves take. In this build, of the tests; in a release build it is at most 3 %.
    let own = thousandths(alone, without);
    assert!((2..=45).contains(&own), "with metrics {alone}, without {without}: {own} in a thousand");
}
