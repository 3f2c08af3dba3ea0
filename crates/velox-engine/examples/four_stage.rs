//! Ingress → OrderBook → Bundle → Output on recorded market data: `cargo run --release --example four_stage -- [FILE]`.

use std::error::Error;
use std::process::ExitCode;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use velox_engine::feed::{Arrivals, Replay, ReplayOptions};
use velox_engine::pipeline::{
    Batch, EngineError, Input, Nothing, Pace, Paced, Pipeline, Report, Stage, StartOptions, Tally,
};
use velox_engine::stages::BundleOptions;
use velox_engine::{Bundle, L2Book};

/// The output: hashes what the bundles hold (FNV-1a by 64-bit words), so that two runs can be held against each other.
pub struct HashStage {
    hash: u64,
    result: Arc<AtomicU64>,
}

impl HashStage {
    fn add(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x100_0000_01b3);
    }
}

impl Stage for HashStage {
    type In = Bundle;
    type Out = Nothing;

    fn poll(
        &mut self,
        input: &mut Input<'_, Bundle>,
        _: &mut Batch<Nothing>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while let Some((bundle, _)) = input.next() {
            for t in bundle.active_transactions() {
                for word in [t.id, t.price as u64, t.size.into(), t.side.into()] {
                    self.add(word);
                }
            }
            self.add(bundle.created_ts_ns());
            tally.consumed += 1;
        }
        self.result.store(self.hash, Ordering::Relaxed);
        Ok(())
    }
}

/// Runs the four stages over a recorded file; gives the report and the hash of the bundles.
///
/// # Errors
/// A file that can't be read, a stage that fails.
pub fn run(file: &str, options: StartOptions) -> Result<(Report, u64), Box<dyn Error>> {
    let market = Replay::open(file, ReplayOptions::default())?;
    let instrument = market.instruments()[0].clone();
    let book = L2Book::new(instrument.clone());
    let result = Arc::new(AtomicU64::new(0));

    let run = Pipeline::from("replay", Paced::new(Box::new(market), Pace::Max, &[instrument.id()]))
        .book("book", &book, true)?
        .trades("trades")
        .transactions("transactions")
        .bundle("bundle", BundleOptions::default())?
        .to("output", HashStage { hash: 0xcbf2_9ce4_8422_2325, result: Arc::clone(&result) })
        .start(options)?;
    let report = run.wait()?;
    Ok((report, result.load(Ordering::Relaxed)))
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/btcusdt-usdm-20240808.gz");
    let file = std::env::args().nth(1).unwrap_or_else(|| sample.into());
    let (report, hash) = run(&file, StartOptions::default())?;
    println!("{report}\n  bundles: {hash:016x}");

    let is_right = report.verified.as_ref().is_none_or(|verified| verified.checked == verified.agreed);
    Ok(ExitCode::from(u8::from(!(report.balanced && is_right))))
}
