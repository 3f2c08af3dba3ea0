//! Ingress → OrderBook → Bundle → Output on recorded market data: `cargo run --release --example four_stage -- [FILE]`.

use std::error::Error;
use std::process::ExitCode;

use velox_engine::L2Book;
use velox_engine::feed::{Arrivals, Replay, ReplayOptions};
use velox_engine::pipeline::{Pace, Paced, Pipeline, StartOptions};
use velox_engine::stages::{BundleOptions, Count};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/btcusdt-usdm-20240808.gz");
    let file = std::env::args().nth(1).unwrap_or_else(|| sample.into());
    let market = Replay::open(file, ReplayOptions::default())?;
    let instrument = market.instruments()[0].clone();
    let book = L2Book::new(instrument.clone());

    let run = Pipeline::from("replay", Paced::new(Box::new(market), Pace::Max, &[instrument.id()]))
        .book("book", &book, true)?
        .trades("trades")
        .transactions("transactions")
        .bundle("bundle", BundleOptions::default())?
        .to("output", Count::default())
        .start(StartOptions::default())?;
    let report = run.wait()?;
    println!("{report}");

    let is_right = report.verified.as_ref().is_none_or(|verified| verified.checked == verified.agreed);
    Ok(ExitCode::from(u8::from(!(report.balanced && is_right))))
}
