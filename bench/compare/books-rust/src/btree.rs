use std::collections::BTreeMap;

use crate::rival::{Bests, Rival};
use crate::stream::Stream;

/// A map a side.
#[derive(Default)]
pub struct BTree([BTreeMap<i64, i64>; 2]);

impl Rival for BTree {
    const NAME: &'static str = "std BTreeMap";
    type Input = Vec<Vec<(u8, i64, i64)>>;

    fn prepare(stream: &Stream) -> Self::Input {
        stream.events.iter().map(|event| stream.of(event).to_vec()).collect()
    }

    fn new() -> Self {
        Self::default()
    }

    fn run(&mut self, input: &Self::Input) -> Bests {
        let mut bests = Bests::default();
        for levels in input {
            for &(side, price, qty) in levels {
                let levels = &mut self.0[usize::from(side)];
                if qty == 0 {
                    levels.remove(&price)
                } else {
                    levels.insert(price, qty)
                };
            }
            let [bids, asks] = &self.0;
            let (bid, ask) = (bids.last_key_value(), asks.first_key_value());
            bests.add(bid.map_or(0, |(price, _)| *price), ask.map_or(0, |(price, _)| *price));
        }
        bests
    }

    fn quantities(&self, prices: &[(u8, i64)]) -> Vec<Option<i64>> {
        let qty = |&(side, price): &(u8, i64)| Some(self.0[usize::from(side)].get(&price).copied().unwrap_or(0));
        prices.iter().map(qty).collect()
    }
}
