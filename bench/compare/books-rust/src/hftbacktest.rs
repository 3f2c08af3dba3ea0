//! hftbacktest's market depths, by `update_bid_depth` and `update_ask_depth`, as its own backtests feed them.

use hftbacktest::depth::{HashMapMarketDepth, L2MarketDepth, MarketDepth, ROIVectorMarketDepth};

use crate::rival::{Bests, Rival, decimal, lots};
use crate::stream::{LOT, Stream, TICK};

/// The range that the vector keeps, in USD: 40 % around the day's prices.
const RANGE: (f64, f64) = (45_000.0, 75_000.0);

pub struct Roi(ROIVectorMarketDepth);
pub struct HashMap(HashMapMarketDepth);

type Levels = Vec<Vec<(u8, f64, f64)>>;

fn prepare(stream: &Stream) -> Levels {
    let level = |&(side, price, qty): &(u8, i64, i64)| {
        let (price, qty) = decimal(price, qty);
        (side, price, qty)
    };
    stream.events.iter().map(|event| stream.of(event).iter().map(level).collect()).collect()
}

fn run(depth: &mut (impl L2MarketDepth + MarketDepth), input: &Levels) -> Bests {
    let mut bests = Bests::default();
    for levels in input {
        for &(side, price, qty) in levels {
            if side == 0 {
                depth.update_bid_depth(price, qty, 0)
            } else {
                depth.update_ask_depth(price, qty, 0)
            };
        }
        bests.add(depth.best_bid_tick(), depth.best_ask_tick());
    }
    bests
}

fn qty(depth: &impl MarketDepth, side: u8, price: i64) -> i64 {
    lots(if side == 0 { depth.bid_qty_at_tick(price) } else { depth.ask_qty_at_tick(price) })
}

impl Rival for Roi {
    const NAME: &'static str = "hftbacktest ROI";
    type Input = Levels;

    fn prepare(stream: &Stream) -> Levels {
        prepare(stream)
    }

    fn new() -> Self {
        Self(ROIVectorMarketDepth::new(TICK, LOT, RANGE.0, RANGE.1))
    }

    fn run(&mut self, input: &Levels) -> Bests {
        run(&mut self.0, input)
    }

    fn quantities(&self, prices: &[(u8, i64)]) -> Vec<Option<i64>> {
        let (low, high) = self.0.roi_tick();
        let kept = |price| (low..=high).contains(&price);
        prices.iter().map(|&(side, price)| kept(price).then(|| qty(&self.0, side, price))).collect()
    }
}

impl Rival for HashMap {
    const NAME: &'static str = "hftbacktest HashMap";
    type Input = Levels;

    fn prepare(stream: &Stream) -> Levels {
        prepare(stream)
    }

    fn new() -> Self {
        Self(HashMapMarketDepth::new(TICK, LOT))
    }

    fn run(&mut self, input: &Levels) -> Bests {
        run(&mut self.0, input)
    }

    fn quantities(&self, prices: &[(u8, i64)]) -> Vec<Option<i64>> {
        prices.iter().map(|&(side, price)| Some(qty(&self.0, side, price))).collect()
    }
}
