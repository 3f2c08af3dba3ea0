use crate::rival::{Bests, Rival};
use crate::stream::Stream;

/// A sorted array a side, the best level last: bids ascending, asks by the price negated.
#[derive(Default)]
pub struct SortedVec([Vec<(i64, i64)>; 2]);

fn key(side: u8, price: i64) -> i64 {
    if side == 0 { price } else { -price }
}

impl Rival for SortedVec {
    const NAME: &'static str = "sorted Vec";
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
                let (levels, key) = (&mut self.0[usize::from(side)], key(side, price));
                match (levels.binary_search_by_key(&key, |level| level.0), qty) {
                    (Ok(at), 0) => drop(levels.remove(at)),
                    (Ok(at), _) => levels[at].1 = qty,
                    (Err(_), 0) => {}
                    (Err(at), _) => levels.insert(at, (key, qty)),
                }
            }
            let [bids, asks] = &self.0;
            bests.add(bids.last().map_or(0, |level| level.0), asks.last().map_or(0, |level| -level.0));
        }
        bests
    }

    fn quantities(&self, prices: &[(u8, i64)]) -> Vec<Option<i64>> {
        let qty = |&(side, price): &(u8, i64)| {
            let levels = &self.0[usize::from(side)];
            let found = levels.binary_search_by_key(&key(side, price), |level| level.0);
            Some(found.map_or(0, |at| levels[at].1))
        };
        prices.iter().map(qty).collect()
    }
}
