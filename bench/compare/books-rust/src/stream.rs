//! The recorded day as plain levels, decoded before anything is timed.

use std::ops::Range;
use std::path::PathBuf;

use velox_feed::{Arrivals, Replay, ReplayOptions};
use velox_record::{EventKind, Instrument, flags};

pub const TICK: f64 = 0.1;
pub const LOT: f64 = 0.001;

pub struct Event {
    pub is_snapshot: bool,
    pub sequence: u64,
    /// Of `Stream::levels`.
    pub levels: Range<usize>,
}

pub struct Stream {
    pub events: Vec<Event>,
    /// Side, ticks, lots.
    pub levels: Vec<(u8, i64, i64)>,
}

impl Stream {
    /// The file of the first argument, else the recorded day of Binance USD-M.
    pub fn open() -> Self {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data/binance/usdm-btcusdt_20240808.gz");
        let path = std::env::args_os().nth(1).map_or_else(|| PathBuf::from(beside), PathBuf::from);
        let instrument = Instrument::new("BTCUSDT", "", &TICK.to_string(), &LOT.to_string()).expect("an instrument");
        let options = ReplayOptions { instruments: vec![instrument], ..ReplayOptions::default() };
        let mut replay = Replay::open(&path, options).expect("a recorded file");
        let (mut stream, mut events) = (Self { events: vec![], levels: vec![] }, vec![]);
        let (mut begin, mut is_snapshot) = (0, false);
        while replay.next(&mut events).expect("a readable file").is_some() {
            for event in events.drain(..).filter(|event| event.kind == EventKind::LEVEL) {
                is_snapshot |= event.has(flags::SNAPSHOT);
                stream.levels.push((event.side, event.price, event.qty));
                if event.has(flags::LAST) {
                    let levels = begin..stream.levels.len();
                    begin = levels.end;
                    stream.events.push(Event { is_snapshot, sequence: event.sequence, levels });
                    is_snapshot = false;
                }
            }
        }
        assert!(stream.events.iter().skip(1).all(|event| !event.is_snapshot), "one snapshot, at the beginning");
        stream
    }

    /// The levels of an event.
    pub fn of(&self, event: &Event) -> &[(u8, i64, i64)] {
        &self.levels[event.levels.clone()]
    }

    /// Each price of a side that ever came, once.
    pub fn prices(&self) -> Vec<(u8, i64)> {
        let mut prices: Vec<(u8, i64)> = self.levels.iter().map(|&(side, price, _)| (side, price)).collect();
        prices.sort_unstable();
        prices.dedup();
        prices
    }
}
