//! One instrument of the file: what of its book was told so far.

use std::mem;
use std::sync::Arc;

use ::dbn::{BidAskPair, FlagSet, RecordHeader, UNDEF_PRICE};
use velox_record::{ASK, BID, EventKind, Instrument, MarketEvent, flags};

use super::fixed::Fixed;
use super::levels::Levels;
use crate::error::Fault;

/// Decimals of a price in DBN.
pub(super) const PRICE_DECIMALS: u32 = 9;

/// A record of market data, whatever its schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) header: &'a RecordHeader,
    pub(super) price: i64,
    pub(super) size: u32,
    pub(super) action: u8,
    pub(super) side: u8,
    pub(super) flags: FlagSet,
    pub(super) ts_recv: u64,
    pub(super) sequence: u32,
    /// None in the schema `trades`.
    pub(super) levels: &'a [BidAskPair],
}

/// What a record added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Added {
    /// A gap was told.
    pub(super) gap: bool,
    /// A trade was left out: it has no aggressor, or no size.
    pub(super) left_out: bool,
}

pub(super) struct Market {
    pub(super) instrument: Arc<Instrument>,
    tick: Fixed,
    lot: Fixed,
    /// The levels as they were told; `None` before the first and after a gap.
    told: Option<Levels>,
    /// Levels of an event that hasn't ended yet, and the stamp of their record.
    open: Option<(MarketEvent, Levels)>,
    gap: bool,
    /// Whose book it is. A symbol's instrument id changes where it names another contract from some day on.
    id: u32,
    publisher: Option<u16>,
}

impl Market {
    pub(super) fn new(instrument: Arc<Instrument>) -> Self {
        Self {
            tick: Fixed::new(instrument.tick(), PRICE_DECIMALS),
            lot: Fixed::new(instrument.lot(), 0),
            instrument,
            told: None,
            open: None,
            gap: false,
            id: 0,
            publisher: None,
        }
    }

    /// Appends the events of a record; on a fault nothing changed. `stamp` carries its instrument, number and times.
    pub(super) fn take(
        &mut self,
        message: &Message<'_>,
        stamp: MarketEvent,
        out: &mut Vec<MarketEvent>,
    ) -> Result<Added, Fault> {
        let levels = match message.levels {
            [] => None,
            pairs => Some(Levels::of(pairs, &self.tick, &self.lot)?),
        };
        let trade = self.trade(message, stamp)?;
        if levels.is_some() {
            let (expected, got) =
                (*self.publisher.get_or_insert(message.header.publisher_id), message.header.publisher_id);
            if expected != got {
                let expected = format!("one book of {}, that of publisher {expected}", self.instrument.symbol());
                return Err(Fault::new(expected, format!("publisher {got}")));
            }
        }
        if mem::replace(&mut self.id, message.header.instrument_id) != self.id {
            (self.told, self.open) = (None, None);
        }
        let is_bad = message.flags.is_maybe_bad_book();
        let was_bad = mem::replace(&mut self.gap, is_bad);
        let mut added = Added { gap: is_bad && !was_bad, left_out: false };
        if added.gap {
            (self.told, self.open) = (None, None);
            out.push(MarketEvent { kind: EventKind::STATUS, flags: flags::GAP, ..stamp });
        }
        if self.open.as_ref().is_some_and(|(before, _)| before.exchange_ts != stamp.exchange_ts) {
            self.end(out);
        }
        match trade {
            Some(trade) if trade.qty > 0 => out.push(trade),
            Some(_) => added.left_out = true,
            None => {}
        }
        if let Some(levels) = levels.filter(|_| !is_bad) {
            if message.flags.is_snapshot() {
                self.told = None;
            }
            self.open = (self.told != Some(levels)).then_some((stamp, levels));
            if message.flags.is_last() {
                self.end(out);
            }
        }
        Ok(added)
    }

    /// The event is over: its levels are told.
    pub(super) fn end(&mut self, out: &mut Vec<MarketEvent>) {
        if let Some((stamp, levels)) = self.open.take() {
            levels.append_changes(self.told.as_ref(), stamp, out);
            self.told = Some(levels);
        }
    }

    /// The trade of a record that is one; its quantity is 0 where nobody can be told what it was.
    fn trade(&self, message: &Message<'_>, stamp: MarketEvent) -> Result<Option<MarketEvent>, Fault> {
        if message.action != b'T' {
            return match message.levels {
                [] => Err(Fault::new("field `action`: T, a trade", [message.action])),
                _ => Ok(None),
            };
        }
        let (side, aggressor) = match message.side {
            b'B' => (BID, true),
            b'A' => (ASK, true),
            b'N' => (BID, false),
            other => return Err(Fault::new("field `side`: A, B or N", [other])),
        };
        if message.price == UNDEF_PRICE {
            return Err(Fault::new("field `price`: a price", "none"));
        }
        let price = self.tick.count(message.price, "price")?;
        let qty = if aggressor { self.lot.count(i64::from(message.size), "size")? } else { 0 };
        Ok(Some(MarketEvent { kind: EventKind::TRADE, side, price, qty, ..stamp }))
    }
}
