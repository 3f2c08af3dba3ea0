//! Pipelines into files and back.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{four_stages, lines, project_data};
use velox_engine::expr::Table;
use velox_engine::feed::{Arrivals, Native, Replay, ReplayOptions, Schema};
use velox_engine::pipeline::{EngineError, Pace, Paced, Pipeline, Report, RunError, StartOptions};
use velox_engine::stages::{Count, FileFormat, FileSink};
use velox_engine::{Bundle, MarketEvent, Trade, Transaction};

fn temporary(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn sink(path: &PathBuf, format: FileFormat) -> FileSink<MarketEvent> {
    FileSink::create(path, format, &Schema::of::<MarketEvent>()).unwrap()
}

fn record(replay: Replay, path: &PathBuf, format: FileFormat) -> Result<Report, RunError> {
    Pipeline::from("replay", Paced::new(Box::new(replay), Pace::Max, &[]))
        .to("file", sink(path, format))
        .start(StartOptions::default())
        .unwrap()
        .wait()
}

#[test]
fn a_recording_replays_to_the_same_bundles_checks_and_book() {
    let open = || Replay::open(project_data(), ReplayOptions::default()).unwrap();
    let path = temporary("sample.velox");
    let report = record(open(), &path, FileFormat::Velox).unwrap();
    assert!(report.balanced && report.non_deterministic.is_empty(), "{report}");

    let (expected, book, bundles) = four_stages(open(), Pace::Max, StartOptions::default());
    let replay = Replay::open(&path, ReplayOptions::default()).unwrap();
    assert_eq!(replay.instruments(), open().instruments());
    let (report, again, same) = four_stages(replay, Pace::Max, StartOptions::default());
    let (report, expected) = (report.unwrap(), expected.unwrap());
    let checked = |report: &Report| report.verified.as_ref().map(|verified| (verified.checked, verified.agreed));
    assert_eq!((checked(&report), checked(&expected)), (Some((423, 423)), Some((423, 423))));
    assert!(report.balanced && same == bundles && bundles.len() > 700);
    assert!(again.top() == book.top() && book.top().is_some());
}

#[test]
fn a_file_holds_one_run_and_a_pipeline_that_never_ran_leaves_it_alone() {
    let path = temporary("again.csv");
    let open = || common::replay(lines(300).join("\n"));
    let report = record(open(), &path, FileFormat::Csv).unwrap();
    let first = fs::read_to_string(&path).unwrap();
    assert_eq!(first.lines().count() as u64, 1 + report.stage("file").unwrap().consumed);
    drop(sink(&path, FileFormat::Velox));
    assert_eq!(fs::read_to_string(&path).unwrap(), first);
    record(open(), &path, FileFormat::Csv).unwrap();
    assert!(fs::read_to_string(&path).unwrap() == first);
}

#[test]
fn an_aborted_run_leaves_a_file_that_reads_to_its_end() {
    let path = temporary("aborted.velox");
    let replay = Replay::open(project_data(), ReplayOptions::default()).unwrap();
    let run = Pipeline::from("replay", Paced::new(Box::new(replay), Pace::PerSecond(20_000.0), &[]))
        .to("file", sink(&path, FileFormat::Velox))
        .start(StartOptions::default())
        .unwrap();
    let handle = run.handle();
    while handle.stats().stages[1].taken < 5_000 {
        std::thread::yield_now();
    }
    handle.abort();
    let Err(RunError::Aborted { report }) = run.wait() else { panic!("aborted") };
    let replay = Replay::open(&path, ReplayOptions::default()).unwrap();
    let again = Pipeline::from("replay", Paced::new(Box::new(replay), Pace::Max, &[]))
        .to("count", Count::default())
        .start(StartOptions::default())
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(again.stage("count").unwrap().consumed, report.stage("file").unwrap().consumed);
}

#[test]
fn what_can_not_be_written_is_said_with_its_path() {
    let refused = |path: PathBuf| {
        let Err(EngineError::File { path: named, reason }) =
            FileSink::<Trade>::create(&path, FileFormat::Csv, &Schema::of::<Trade>())
        else {
            panic!("{} was opened", path.display())
        };
        assert_eq!(named, path.display().to_string());
        reason
    };
    assert!(!refused(env!("CARGO_MANIFEST_DIR").into()).is_empty());
    assert!(!refused("no/such/folder/day.csv".into()).is_empty());
    let other = FileSink::<Trade>::create(temporary("other.csv"), FileFormat::Csv, &Schema::of::<MarketEvent>());
    assert!(matches!(other, Err(EngineError::File { .. })));
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_fails_the_run_by_the_stage() {
    for format in [FileFormat::Csv, FileFormat::Velox] {
        let result = record(common::replay(lines(3_000).join("\n")), &"/dev/full".into(), format);
        let Err(RunError::Failed { stage, cause: EngineError::File { path, reason }, report }) = result else {
            panic!("it had room")
        };
        assert_eq!((stage.as_str(), path.as_str()), ("file", "/dev/full"));
        assert!(reason.contains("space") && report.balanced, "{reason}\n{report}");
    }
}

/// A file's fields and those of expressions are two lists of the same.
#[test]
fn the_schemas_of_native_records_are_the_columns_of_expressions() {
    fn check<T: Table + Native>() {
        for column in T::COLUMNS {
            let schema = Schema::of::<T>();
            let field = schema.fields().iter().find(|field| field.name == column.name);
            let bytes = field.map(|field| serde_json::to_value(&field.kind).unwrap()["kind"].clone());
            let (kind, name) = (format!("{:?}", column.kind), &column.name);
            let is_one = |expected: &str| kind.to_lowercase().starts_with(expected);
            let stored = bytes.as_ref().and_then(|kind| kind.as_str()).unwrap_or("none").to_lowercase();
            let as_column = match stored.as_str() {
                "nanos" => "u64",
                "side" => "names",
                other => other,
            };
            assert!(is_one(as_column) || is_one(&stored), "{}.{name}: {kind} and {stored}", T::NAME);
        }
    }
    check::<MarketEvent>();
    check::<Trade>();
    check::<Transaction>();
    assert_eq!(Schema::of::<Bundle>().fields().len(), 3);
}
