//! A naive book, and how the tests read sources.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod damage;
pub mod script;

use std::collections::BTreeMap;
use std::path::PathBuf;

use velox_feed::{Arrivals, FeedError, Replay, ReplayOptions};
use velox_record::{EventKind, MarketEvent, flags};

/// One side's price and size.
pub type Best = Option<(i64, i64)>;

/// Levels in two sorted maps, and the exchange's quotes held until the book stands at the same sequence.
#[derive(Default)]
pub struct Model {
    sides: [BTreeMap<i64, i64>; 2],
    sequence: u64,
    stands: bool,
    /// Quotes by sequence: price and size by side.
    held: BTreeMap<u64, [(i64, i64); 2]>,
    quote: [(i64, i64); 2],
    pub checks: u64,
    pub wrong: u64,
    pub levels: u64,
    pub gaps: u64,
}

impl Model {
    pub fn best(&self) -> [Best; 2] {
        let pair = |(&price, &qty): (&i64, &i64)| (price, qty);
        [self.sides[0].last_key_value().map(pair), self.sides[1].first_key_value().map(pair)]
    }

    /// Every level: side, price and quantity.
    pub fn levels(&self) -> Vec<(u8, i64, i64)> {
        let of_side = |side: u8| self.sides[usize::from(side)].iter().map(move |(&price, &qty)| (side, price, qty));
        (0..2).flat_map(of_side).collect()
    }

    pub fn depth(&self) -> usize {
        self.sides[0].len() + self.sides[1].len()
    }

    pub fn holds(&self, side: u8, price: i64) -> bool {
        self.sides[usize::from(side)].contains_key(&price)
    }

    pub fn apply(&mut self, event: &MarketEvent) {
        match event.kind {
            EventKind::LEVEL => {
                if event.has(flags::SNAPSHOT) {
                    self.sides = Default::default();
                }
                let side = &mut self.sides[usize::from(event.side)];
                if event.qty == 0 {
                    side.remove(&event.price);
                } else {
                    side.insert(event.price, event.qty);
                }
                self.levels += 1;
                self.stands = event.has(flags::LAST);
                self.sequence = event.sequence;
                if self.stands {
                    self.check(event.sequence);
                }
            }
            EventKind::QUOTE => {
                self.quote[usize::from(event.side)] = (event.price, event.qty);
                if event.has(flags::LAST) {
                    self.held.insert(event.sequence, self.quote);
                    if self.stands && self.sequence == event.sequence {
                        self.check(event.sequence);
                    }
                }
            }
            EventKind::STATUS => self.gaps += 1,
            _ => {}
        }
    }

    fn check(&mut self, sequence: u64) {
        if let Some(quote) = self.held.remove(&sequence) {
            self.checks += 1;
            self.wrong += u64::from(self.best() != quote.map(Some));
        }
    }
}

/// Everything a source gives, by message: its time and events, or its error.
pub type Messages = Vec<Result<(u64, Vec<MarketEvent>), FeedError>>;

/// Reads to the end, past lines that can't be decoded, until an error repeats.
pub fn drain(source: &mut impl Arrivals) -> Messages {
    let mut messages = Vec::new();
    loop {
        let mut out = Vec::new();
        match source.next(&mut out) {
            Ok(Some(time)) => messages.push(Ok((time, out))),
            Ok(None) => return messages,
            Err(error) => {
                assert!(out.is_empty(), "an error left events behind");
                let repeats = messages.last() == Some(&Err(error.clone()));
                messages.push(Err(error));
                if repeats {
                    return messages;
                }
            }
        }
    }
}

/// The events of a text that must be without fault.
pub fn events(text: impl Into<Vec<u8>>) -> Vec<MarketEvent> {
    let text = std::io::Cursor::new(text.into());
    let mut replay = Replay::from_reader("memory", text, ReplayOptions::default()).unwrap();
    drain(&mut replay).into_iter().flat_map(|message| message.unwrap().1).collect()
}

/// A recorded day, where this machine has it.
pub fn day(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/binance").join(name)
}

pub const FIXTURE: &str = include_str!("../fixtures/usdm-btcusdt-head.txt");
