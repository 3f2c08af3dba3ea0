//! Recorded trades two ways: bundled, and added up by instrument, side and price.
//!
//! `cargo run --release --example aggregation -- [FILE]`

use std::error::Error;
use std::time::Duration;

use velox_engine::feed::{Replay, ReplayOptions};
use velox_engine::pipeline::{
    Batch, EngineError, Flow, Input, Nothing, Pace, Paced, Pipeline, Report, Stage, StartOptions, Tally,
};
use velox_engine::stages::{BundleOptions, Count};
use velox_engine::{Transaction, record};

record! {
    /// What was traded at one price within a window.
    #[derive(Debug, Default, PartialEq, Eq)]
    pub(crate) struct LevelVolume {
        pub(crate) instrument: u16,
        pub(crate) side: u8,
        /// How many transactions.
        pub(crate) count: u32,
        /// Ticks.
        pub(crate) price: i64,
        /// Lots.
        pub(crate) size: u64,
        /// When the window closed, ns of record time.
        pub(crate) closed_ts_ns: u64,
    }
}

impl Flow for LevelVolume {
    type Stamp = u64;
}

/// Adds up transactions by instrument, side and price, until there are `max` of them or the first is `window_ns` old;
/// gives a record a level then, in the order of instrument, side and price.
pub(crate) struct AggregationStage {
    max: usize,
    window_ns: u64,
    /// The levels of the open window in order, each with the arrival of its last transaction.
    levels: Vec<(LevelVolume, u64)>,
    /// How many transactions are in them.
    count: usize,
    /// When the first and the last of them came, in record time.
    first: u64,
    last: u64,
    /// When the window closed.
    closed: Option<u64>,
    /// How many levels of a closed window have left.
    given: usize,
}

impl AggregationStage {
    pub(crate) fn new(max: usize, window: Duration) -> Self {
        let window_ns = window.as_nanos() as u64;
        let levels = Vec::with_capacity(max);
        Self { max, window_ns, levels, count: 0, first: 0, last: 0, closed: None, given: 0 }
    }

    fn add(&mut self, transaction: &Transaction, arrived: u64) {
        let Transaction { instrument, side, price, size, ingress_ts_ns, .. } = *transaction;
        let key = |level: &LevelVolume| (level.instrument, level.side, level.price);
        let found = self.levels.binary_search_by_key(&(instrument, side, price), |(level, _)| key(level));
        let at = found.unwrap_or_else(|at| {
            self.levels.insert(at, (LevelVolume { instrument, side, price, ..LevelVolume::default() }, 0));
            at
        });
        let (level, stamp) = &mut self.levels[at];
        level.count += 1;
        level.size += u64::from(size);
        *stamp = arrived;
        if self.count == 0 {
            self.first = ingress_ts_ns;
        }
        self.last = ingress_ts_ns;
        self.count += 1;
    }

    /// Gives what a closed window still has; whether nothing stands in the way of the next.
    fn give(&mut self, out: &mut Batch<LevelVolume>, tally: &mut Tally) -> bool {
        let Some(closed_ts_ns) = self.closed else { return true };
        while let Some(&(level, stamp)) = self.levels.get(self.given) {
            if out.room() == 0 {
                return false;
            }
            out.push(LevelVolume { closed_ts_ns, ..level }, stamp);
            self.given += 1;
            tally.consumed += u64::from(level.count);
            tally.held -= u64::from(level.count);
        }
        self.levels.clear();
        (self.count, self.given, self.closed) = (0, 0, None);
        true
    }
}

impl Stage for AggregationStage {
    type In = Transaction;
    type Out = LevelVolume;

    fn poll(
        &mut self,
        input: &mut Input<'_, Transaction>,
        out: &mut Batch<LevelVolume>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        while self.give(out, tally) {
            // Record time has come so far: to the next transaction, or as far as the source promises.
            let now = input.peek().map_or(input.watermark(), |(next, _)| next.ingress_ts_ns);
            if let Some(deadline) = self.deadline().filter(|deadline| now >= *deadline) {
                self.closed = Some(deadline);
                continue;
            }
            let Some((transaction, arrived)) = input.next() else { break };
            self.add(&transaction, arrived);
            tally.held += 1;
            if self.count == self.max {
                self.closed = Some(self.last);
            }
        }
        Ok(())
    }

    fn deadline(&self) -> Option<u64> {
        (self.count > 0 && self.closed.is_none()).then(|| self.first.saturating_add(self.window_ns))
    }

    fn finish(&mut self, out: &mut Batch<LevelVolume>, tally: &mut Tally) -> Result<bool, EngineError> {
        if self.count > 0 {
            self.closed.get_or_insert(self.last);
        }
        Ok(self.give(out, tally))
    }
}

fn transactions(file: &str) -> Result<Pipeline<Transaction>, Box<dyn Error>> {
    let market = Replay::open(file, ReplayOptions::default())?;
    let source = Paced::new(Box::new(market), Pace::Max, &[]);
    Ok(Pipeline::from("replay", source).trades("trades").transactions("transactions"))
}

/// The trades of a recorded file in bundles: what the library's own stage does.
pub(crate) fn bundles(file: &str) -> Result<Report, Box<dyn Error>> {
    let pipeline = transactions(file)?.bundle("bundle", BundleOptions::default())?;
    Ok(pipeline.to("output", Count::default()).start(StartOptions::default())?.wait()?)
}

/// The trades of a recorded file by level, for a sink.
pub(crate) fn levels<S>(file: &str, stage: AggregationStage, sink: S) -> Result<Report, Box<dyn Error>>
where
    S: Stage<In = LevelVolume, Out = Nothing>,
{
    let pipeline = transactions(file)?.stage("levels", stage).to("output", sink);
    Ok(pipeline.start(StartOptions::default())?.wait()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/btcusdt-usdm-20240808.gz");
    let file = std::env::args().nth(1).unwrap_or_else(|| sample.into());

    let report = bundles(&file)?;
    println!("Bundles: {} of {} transactions", report.stats.stages[3].out, report.stats.stages[3].taken);
    let report = levels(&file, AggregationStage::new(256, Duration::from_millis(100)), Count::default())?;
    println!("Levels: {} of {} transactions", report.stats.stages[3].out, report.stats.stages[3].taken);
    Ok(())
}
