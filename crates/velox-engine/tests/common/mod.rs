//! The pipeline that the tests run, and a sink that keeps what it gets.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use velox_engine::feed::{Arrivals, LineReader, Replay, ReplayOptions};
use velox_engine::pipeline::{
    Batch, EngineError, Flow, Input, Nothing, Pace, Paced, Pipeline, Report, RunError, Stage, StartOptions, Tally,
    Threads, Wait,
};
use velox_engine::stages::BundleOptions;
use velox_engine::{Bundle, L2Book};

pub fn project_data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../data/btcusdt-usdm-20240808.gz")
}

pub fn shared_day(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/binance").join(name)
}

/// The first lines of the project's own data, as text.
pub fn lines(count: usize) -> Vec<String> {
    let mut reader = LineReader::open(project_data()).unwrap();
    (0..count).map(|_| String::from_utf8(reader.next_line().unwrap().unwrap().to_vec()).unwrap()).collect()
}

pub fn replay(text: impl Into<Vec<u8>>) -> Replay {
    let text: Box<dyn Read + Send> = Box::new(Cursor::new(text.into()));
    Replay::from_reader("test", text, ReplayOptions::default()).unwrap()
}

/// Keeps every record.
#[derive(Clone)]
pub struct Keep<T>(pub Arc<Mutex<Vec<T>>>);

impl<T> Default for Keep<T> {
    fn default() -> Self {
        Self(Arc::default())
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

pub fn options(threads: Threads, wait: Wait) -> StartOptions {
    StartOptions { threads, wait, ..StartOptions::default() }
}

/// The four stages over a replay; gives the report, the book and the bundles.
pub fn four_stages(
    replay: Replay,
    pace: Pace,
    options: StartOptions,
) -> (Result<Report, RunError>, L2Book, Vec<Bundle>) {
    let instrument = replay.instruments()[0].clone();
    let (book, kept) = (L2Book::new(instrument.clone()), Keep::default());
    let run = Pipeline::from("replay", Paced::new(Box::new(replay), pace, &[instrument.id()]))
        .book("book", &book, true)
        .unwrap()
        .trades("trades")
        .transactions("transactions")
        .bundle("bundle", BundleOptions::default())
        .unwrap()
        .to("output", kept.clone())
        .start(options)
        .unwrap();
    let report = run.wait();
    let bundles = std::mem::take(&mut *kept.0.lock().unwrap());
    (report, book, bundles)
}
