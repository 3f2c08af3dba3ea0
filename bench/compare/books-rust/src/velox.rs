use velox_book::L2Book;
use velox_record::Instrument;

use crate::rival::{Bests, Rival};
use crate::stream::{LOT, Stream, TICK};

/// The book as a pipeline uses it: one event, one instant for its readers.
pub struct Velox(pub L2Book);

impl Rival for Velox {
    const NAME: &'static str = "velox L2Book";
    type Input = Vec<(bool, u64, Vec<(u8, i64, i64)>)>;

    fn prepare(stream: &Stream) -> Self::Input {
        let events = stream.events.iter();
        events.map(|event| (event.is_snapshot, event.sequence, stream.of(event).to_vec())).collect()
    }

    fn new() -> Self {
        Self(L2Book::new(Instrument::new("BTCUSDT", "", &TICK.to_string(), &LOT.to_string()).expect("an instrument")))
    }

    fn run(&mut self, input: &Self::Input) -> Bests {
        let (mut bests, mut writer) = (Bests::default(), self.0.claim("the benchmark").expect("no writer yet"));
        for (is_snapshot, sequence, levels) in input {
            let mut event = writer.begin();
            if *is_snapshot {
                event.clear();
            }
            for &(side, price, qty) in levels {
                event.set(side, price, qty).expect("a level");
            }
            event.finish(*sequence);
            bests.add(self.0.best_bid().unwrap_or(0), self.0.best_ask().unwrap_or(0));
        }
        bests
    }

    fn quantities(&self, prices: &[(u8, i64)]) -> Vec<Option<i64>> {
        prices.iter().map(|&(side, price)| Some(self.0.qty_at(side, price))).collect()
    }
}
