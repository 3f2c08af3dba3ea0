//! Binance's market streams, live and recorded; a recording has one message a line,
//! `<local receive time, epoch ns> <JSON as received>`.
//!
//! A message is a combined stream's (`{"stream":..,"data":{..}}`), a raw stream's, or the answer of the REST `depth` call.
//!
//! | message | events |
//! |---|---|
//! | depth update | one level each, sequence `u`, the last flagged LAST; nothing before a snapshot or after a gap ([`sync`](super::sync)) |
//! | snapshot | one level each, sequence `lastUpdateId`, the first flagged SNAPSHOT, the last LAST; then what waited for it |
//! | book ticker | two quotes, bid and ask, sequence `u`, the second flagged LAST |
//! | trade | one trade, the aggressor's side, sequence `t` |
//! | anything else | nothing: counted |

mod message;
mod requests;
mod venue;

use std::collections::HashMap;
use std::sync::Arc;

use velox_record::{ASK, BID, EventKind, Instrument, MarketEvent, flags};

use self::message::Message;
pub(crate) use self::venue::Sniffed;
use super::level::{steps, written};
use super::sync::{Late, MOST_EVENTS, Rule, Sync, Update};
use super::{Applied, Venue};
use crate::error::Fault;
use crate::json::{Doc, Level, Levels, Value, whole};
use crate::{FeedError, decimals};

/// The most symbols of one file or feed: each keeps an instrument for the life of the process.
const MOST_SYMBOLS: usize = 4_096;

/// What became of the messages that gave no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages of other kinds or symbols.
    pub skipped: u64,
    /// Depth events and snapshots that were older than the book.
    pub repeated: u64,
    /// How often depth events were missing.
    pub gaps: u64,
    /// Depth events let go while a snapshot was missing after a gap.
    pub discarded: u64,
}

/// Turns messages into events.
pub(crate) struct Decoder {
    venue: Venue,
    /// Where each symbol's state is.
    by_symbol: HashMap<Vec<u8>, usize>,
    /// Whether symbols that are not in `by_symbol` are to be skipped.
    only_known: bool,
    late: Late,
    /// Whether the file names one symbol only, which a snapshot without a name must then be of.
    sole: bool,
    instruments: Vec<Arc<Instrument>>,
    syncs: Vec<Sync>,
    doc: Doc,
    skipped: u64,
}

/// The receive time and the JSON of a line.
fn split(line: &[u8]) -> Result<(u64, &[u8]), Fault> {
    let fault = || Fault::new("a line like `<receive time, epoch ns> <JSON>`", line);
    let space = line.iter().position(|&byte| byte == b' ').ok_or_else(fault)?;
    let (time, json) = (&line[..space], &line[space + 1..]);
    Ok((whole(time).ok_or_else(fault)?, json))
}

impl Decoder {
    /// The decoder of a recording. `instruments` are those whose events are wanted; with `only_known` no other symbol's
    /// are. `sole` says that the file speaks of one symbol.
    pub(crate) fn of_file(venue: Venue, instruments: Vec<Arc<Instrument>>, only_known: bool, sole: bool) -> Self {
        Self::new(venue, instruments, Late::Refused, only_known, sole)
    }

    /// The decoder of a connection: of these symbols only.
    pub(super) fn of_feed(venue: Venue, instruments: &[Arc<Instrument>]) -> Self {
        Self::new(venue, instruments.to_vec(), Late::Forgets, true, false)
    }

    fn new(venue: Venue, instruments: Vec<Arc<Instrument>>, late: Late, only_known: bool, sole: bool) -> Self {
        let mut decoder = Self {
            venue,
            by_symbol: HashMap::new(),
            only_known,
            late,
            sole,
            instruments: Vec::new(),
            syncs: Vec::new(),
            doc: Doc::default(),
            skipped: 0,
        };
        for instrument in instruments {
            decoder.add(instrument);
        }
        decoder
    }

    pub(crate) fn instruments(&self) -> &[Arc<Instrument>] {
        &self.instruments
    }

    pub(crate) fn comparable(&self, instrument: u16) -> u64 {
        let of = self.instruments.iter().position(|known| known.id() == instrument);
        of.map_or(0, |market| self.syncs[market].pairs.count())
    }

    /// The data is over.
    pub(crate) fn end(&mut self) {
        self.syncs.iter_mut().for_each(Sync::end);
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts { skipped: self.skipped, ..Counts::default() };
        for sync in &self.syncs {
            counts.repeated += sync.repeated;
            counts.gaps += sync.gaps;
            counts.discarded += sync.discarded;
        }
        counts
    }

    /// Appends the events of one line and gives its receive time; on a fault `out` is as it was.
    pub(crate) fn decode_line(&mut self, line: &[u8], out: &mut Vec<MarketEvent>) -> Result<u64, Fault> {
        let (receive_ts, json) = split(line)?;
        let start = out.len();
        self.decode(json, None, receive_ts, out).inspect_err(|_| out.truncate(start))?;
        Ok(receive_ts)
    }

    /// Appends the events of one message; what a fault left behind is the caller's to take back. `answer_of` is the
    /// market that was asked for a snapshot, where that is what it must be.
    fn decode(
        &mut self,
        json: &[u8],
        answer_of: Option<usize>,
        receive_ts: u64,
        out: &mut Vec<MarketEvent>,
    ) -> Result<Applied, Fault> {
        let mut doc = std::mem::take(&mut self.doc);
        let applied = self.decode_value(doc.read(json), answer_of, receive_ts, out);
        self.doc = doc;
        applied
    }

    fn decode_value(
        &mut self,
        envelope: Result<Value<'_>, Fault>,
        answer_of: Option<usize>,
        receive_ts: u64,
        out: &mut Vec<MarketEvent>,
    ) -> Result<Applied, Fault> {
        let envelope = envelope?;
        let message = Message::of(envelope)?;
        let market = match answer_of {
            Some(market) => self.answered(market, &message).map(Some),
            None => self.market(&message),
        };
        let Some(market) = market? else {
            self.skipped += 1;
            return Ok(Applied::Ignored);
        };
        let stamp = MarketEvent {
            instrument: self.instruments[market].id(),
            exchange_ts: message::exchange_ts(message::fields(envelope))?,
            receive_ts,
            ..MarketEvent::default()
        };
        let start = out.len();
        Ok(match message {
            Message::Depth { first, last, previous, bids, asks, .. } => {
                let previous = self.previous(previous)?;
                let stamp = MarketEvent { sequence: last, ..stamp };
                self.append_levels(market, stamp, [bids, asks], ["b", "a"], out)?;
                let update = Update { first, last, previous, stamp };
                self.syncs[market].depth(update, out, start).map_err(|_| {
                    let got = "one more depth update";
                    Fault::new(format!("a snapshot line within the first {MOST_EVENTS} depth updates"), got)
                })?
            }
            Message::Snapshot { last_update_id, bids, asks, .. } => {
                let stamp = MarketEvent { sequence: last_update_id, ..stamp };
                self.append_levels(market, stamp, [bids, asks], ["bids", "asks"], out)?;
                self.syncs[market].snapshot(last_update_id, stamp, out, start)
            }
            Message::Ticker { update, bid, ask, .. } => {
                let stamp = MarketEvent { kind: EventKind::QUOTE, sequence: update, ..stamp };
                out.push(self.priced(market, MarketEvent { side: BID, ..stamp }, bid, ["b", "B"])?);
                let stamp = MarketEvent { side: ASK, flags: flags::LAST, ..stamp };
                out.push(self.priced(market, stamp, ask, ["a", "A"])?);
                self.syncs[market].ticker(update);
                Applied::Applied
            }
            Message::Trade { id, price, qty, buyer_is_maker, .. } => {
                let side = if buyer_is_maker { ASK } else { BID };
                let stamp = MarketEvent { kind: EventKind::TRADE, sequence: id, side, ..stamp };
                let trade = self.priced(market, stamp, [price, qty], ["p", "q"])?;
                // Futures streams carry entries of nothing at price 0 (`X` is `NA`) to keep their numbers whole.
                if trade.qty == 0 {
                    self.skipped += 1;
                    return Ok(Applied::Ignored);
                }
                out.push(trade);
                Applied::Applied
            }
            Message::Other => Applied::Ignored,
        })
    }

    /// The market whose snapshot was asked for, once it is clear that the answer is one.
    fn answered(&self, market: usize, message: &Message<'_>) -> Result<usize, Fault> {
        let asked = self.instruments[market].symbol();
        match message {
            Message::Snapshot { symbol: Some(symbol), .. } if !symbol.eq_ignore_ascii_case(asked.as_bytes()) => {
                Err(Fault::new(format!("a snapshot of {asked}"), symbol))
            }
            Message::Snapshot { .. } => Ok(market),
            _ => Err(Fault::new(format!("a snapshot of {asked}"), "another kind of message")),
        }
    }

    /// `pu`, which futures have and spot doesn't: it decides by which rule events are chained.
    fn previous(&self, previous: Option<u64>) -> Result<u64, Fault> {
        match (self.venue, previous) {
            (Venue::BinanceSpot, Some(previous)) => {
                Err(Fault::new("a depth update of binance-spot, without field `pu`", previous.to_string()))
            }
            (Venue::BinanceUsdm | Venue::BinanceCoinm, None) => {
                Err(Fault::new(format!("field `pu`: a whole number ({})", self.venue.name()), "nothing"))
            }
            (_, previous) => Ok(previous.unwrap_or(0)),
        }
    }

    /// Whose message it is; `None` for one that is not wanted.
    fn market(&mut self, message: &Message<'_>) -> Result<Option<usize>, Fault> {
        let symbol = match (message, message.symbol()) {
            (Message::Other, _) => return Ok(None),
            (_, Some(symbol)) => symbol,
            (_, None) if self.sole && self.instruments.len() == 1 => return Ok(Some(0)),
            (_, None) if self.sole => return Ok(None),
            (_, None) => {
                return Err(Fault::new("field `symbol` in a snapshot, as there are several symbols", "nothing"));
            }
        };
        if let Some(&market) = self.by_symbol.get(symbol) {
            return Ok(Some(market));
        }
        if let Message::Snapshot { .. } = message {
            // A stream's name spells the symbol in lower case.
            let found =
                self.instruments.iter().position(|known| known.symbol().as_bytes().eq_ignore_ascii_case(symbol));
            if found.is_some() {
                return Ok(found);
            }
        }
        // From here on a snapshot without a name could be of either.
        self.sole = false;
        if self.only_known {
            return Ok(None);
        }
        if self.instruments.len() == MOST_SYMBOLS {
            return Err(Fault::new(format!("at most {MOST_SYMBOLS} symbols"), symbol));
        }
        let name = str::from_utf8(symbol).unwrap_or_default();
        let instrument = decimals::instrument(self.venue.name(), name).map_err(|error| match error {
            FeedError::InvalidValue { expected, got, .. } => Fault::new(expected, got),
            other => Fault::new(other.to_string(), symbol),
        })?;
        Ok(Some(self.add(instrument)))
    }

    fn add(&mut self, instrument: Arc<Instrument>) -> usize {
        let rule = if self.venue == Venue::BinanceSpot { Rule::Spot } else { Rule::Futures };
        self.by_symbol.insert(instrument.symbol().as_bytes().to_vec(), self.instruments.len());
        self.instruments.push(instrument);
        self.syncs.push(Sync::new(rule, self.late));
        self.instruments.len() - 1
    }

    fn append_levels(
        &self,
        market: usize,
        stamp: MarketEvent,
        sides: [Levels<'_>; 2],
        names: [&str; 2],
        out: &mut Vec<MarketEvent>,
    ) -> Result<(), Fault> {
        let (tick, lot) = (self.instruments[market].tick(), self.instruments[market].lot());
        for ((side, levels), name) in [BID, ASK].into_iter().zip(sides).zip(names) {
            for level in levels {
                let Level { price, qty, .. } = level?;
                let price = written(tick, price, 1, name)?;
                let qty = written(lot, qty, 0, name)?;
                out.push(MarketEvent { kind: EventKind::LEVEL, side, price, qty, ..stamp });
            }
        }
        Ok(())
    }

    /// The event with this price and quantity; 0 stands for a side that is empty.
    fn priced(
        &self,
        market: usize,
        event: MarketEvent,
        [price, qty]: [&[u8]; 2],
        [price_name, qty_name]: [&str; 2],
    ) -> Result<MarketEvent, Fault> {
        let instrument = &self.instruments[market];
        Ok(MarketEvent {
            price: steps(instrument.tick(), price, 0, price_name)?,
            qty: steps(instrument.lot(), qty, 0, qty_name)?,
            ..event
        })
    }
}
