//! What one message says of books, all of it read before any of it counts: a message with a fault changes nothing.

use std::ops::Range;
use std::sync::Arc;

use velox_record::{ASK, BID, EventKind, Instrument, MarketEvent};

use super::depth::{Keep, Text};
use super::level::written;
use crate::error::Fault;
use crate::json::{Level, Value, Written};

/// The most levels a side that are kept for a checksum, more than any venue sends: what goes on for ever is cut off.
pub(super) const MOST_LEVELS: usize = 20_000;

/// One level that was set, or removed at 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) side: u8,
    pub(super) ticks: i64,
    pub(super) lots: i64,
}

/// One exchange event of one book.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) market: usize,
    pub(super) is_snapshot: bool,
    /// The venue's number; 0 where it has none.
    pub(super) sequence: u64,
    /// The number of the event before it, where it says so.
    pub(super) previous: Option<u64>,
    pub(super) checksum: Option<u32>,
    /// Epoch ns; 0 where it says none.
    pub(super) exchange_ts: u64,
    /// How many levels a side has at most; further ones fall out without being removed.
    pub(super) limit: usize,
}

impl Event {
    pub(super) fn of(market: usize, is_snapshot: bool) -> Self {
        let (sequence, exchange_ts, limit) = (0, 0, MOST_LEVELS);
        Self { market, is_snapshot, sequence, previous: None, checksum: None, exchange_ts, limit }
    }
}

#[derive(Debug, Default)]
pub(super) struct Batch {
    changes: Vec<Change>,
    /// Price and quantity of each change as a checksum wants them, where there is one.
    texts: Vec<Text>,
    /// Each with its changes.
    events: Vec<(Event, Range<usize>)>,
    /// The number of the message on its connection, where messages have one.
    pub(super) number: Option<u64>,
    /// Where the event that is being read begins.
    start: usize,
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.changes.clear();
        self.texts.clear();
        self.events.clear();
        self.number = None;
        self.start = 0;
    }

    /// Adds a level to the event that is being read.
    pub(super) fn level(
        &mut self,
        instrument: &Arc<Instrument>,
        side: u8,
        [price, qty]: [Written<'_>; 2],
        field: &str,
        keep: Keep,
    ) -> Result<(), Fault> {
        let ticks = written(instrument.tick(), price, 1, field)?;
        let lots = written(instrument.lot(), qty, 0, field)?;
        if keep != Keep::Nothing {
            self.texts.push(if lots > 0 { Text::of([price, qty], keep, field)? } else { Text::NONE });
        }
        self.changes.push(Change { side, ticks, lots });
        Ok(())
    }

    /// Adds the levels of both sides, bids first, by the names of their fields.
    pub(super) fn sides(
        &mut self,
        instrument: &Arc<Instrument>,
        data: Value<'_>,
        keys: [&str; 2],
        keep: Keep,
    ) -> Result<(), Fault> {
        for (key, side) in keys.into_iter().zip([BID, ASK]) {
            for level in data.levels(key)? {
                let Level { price, qty, .. } = level?;
                self.level(instrument, side, [price, qty], key, keep)?;
            }
        }
        Ok(())
    }

    /// Ends the event that is being read.
    pub(super) fn event(&mut self, event: &Event) {
        self.events.push((*event, self.start..self.changes.len()));
        self.start = self.changes.len();
    }

    /// Each event with its changes, and their texts where those are kept.
    pub(super) fn events(&self) -> impl Iterator<Item = (&Event, &[Change], &[Text])> {
        self.events.iter().map(|(event, changes)| {
            let texts = self.texts.get(changes.clone()).unwrap_or_default();
            (event, &self.changes[changes.clone()], texts)
        })
    }
}

impl Change {
    /// The event that it is, with the instrument, times and number of `stamp`.
    pub(super) fn stamped(&self, stamp: MarketEvent) -> MarketEvent {
        MarketEvent { kind: EventKind::LEVEL, side: self.side, price: self.ticks, qty: self.lots, ..stamp }
    }
}
