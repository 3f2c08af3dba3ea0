//! A strategy's own stage on recorded market data: only transactions between two prices go on.
//!
//! `cargo run --release --example price_filter -- [FILE [MIN MAX]]`

use std::error::Error;

use velox_engine::Transaction;
use velox_engine::feed::{Arrivals, Replay, ReplayOptions};
use velox_engine::pipeline::{
    Batch, EngineError, Input, Nothing, Pace, Paced, Pipeline, Report, Stage, StartOptions, Tally,
};
use velox_engine::stages::Count;

/// Passes transactions from `min_price` to `max_price`, in ticks.
pub(crate) struct PriceFilterStage {
    pub(crate) min_price: i64,
    pub(crate) max_price: i64,
}

impl Stage for PriceFilterStage {
    type In = Transaction;
    type Out = Transaction;

    fn poll(
        &mut self,
        input: &mut Input<'_, Transaction>,
        out: &mut Batch<Transaction>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while let Some((transaction, stamp)) = input.next_for(out) {
            if (self.min_price..=self.max_price).contains(&transaction.price) {
                out.push(transaction, stamp);
                tally.consumed += 1;
            } else {
                tally.filtered += 1;
            }
        }
        Ok(())
    }
}

/// The trades of a recorded file between two prices, as transactions for a sink.
pub(crate) fn run<S>(file: &str, [min, max]: [&str; 2], sink: S) -> Result<Report, Box<dyn Error>>
where
    S: Stage<In = Transaction, Out = Nothing>,
{
    let market = Replay::open(file, ReplayOptions::default())?;
    let tick = market.instruments()[0].tick();
    let filter = PriceFilterStage { min_price: tick.count(min.as_bytes())?, max_price: tick.count(max.as_bytes())? };
    let run = Pipeline::from("replay", Paced::new(Box::new(market), Pace::Max, &[]))
        .trades("trades")
        .transactions("transactions")
        .stage("price-filter", filter)
        .to("output", sink)
        .start(StartOptions::default())?;
    Ok(run.wait()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/btcusdt-usdm-20240808.gz");
    let file = args.next().unwrap_or_else(|| sample.into());
    let (min, max) = (args.next(), args.next());
    let prices = [min.as_deref().unwrap_or("61650.00"), max.as_deref().unwrap_or("61800.00")];

    let report = run(&file, prices, Count::default())?;
    let stage = &report.stats.stages[3];
    println!("Stage Stats - Processed: {}, Passed: {}, Filtered: {}", stage.taken, stage.consumed, stage.filtered);
    Ok(())
}
