//! What a message is, from the fields it has.

use std::ops::Range;

use super::fields::{Fields, Raw};
use crate::error::Fault;

/// A message of Binance's market streams or its REST snapshot. Levels are places in the decoder's buffer, prices and
/// quantities are still texts.
#[derive(Debug)]
pub(super) enum Message<'a> {
    Depth {
        symbol: &'a str,
        first: u64,
        last: u64,
        previous: Option<u64>,
        bids: Range<usize>,
        asks: Range<usize>,
    },
    Snapshot {
        /// What names the market, if anything does: spot and USD-M answer without a symbol.
        symbol: Option<&'a str>,
        last_update_id: u64,
        bids: Range<usize>,
        asks: Range<usize>,
    },
    Ticker {
        symbol: &'a str,
        update: u64,
        bid: [&'a str; 2],
        ask: [&'a str; 2],
    },
    Trade {
        symbol: &'a str,
        id: u64,
        price: &'a str,
        qty: &'a str,
        buyer_is_maker: bool,
    },
    /// Well-formed, and nothing of a book, a quote or a trade.
    Other,
}

impl<'a> Message<'a> {
    pub(super) fn of(fields: &Fields<'a>) -> Result<Self, Fault> {
        match &fields.event {
            Raw::Text("depthUpdate") if is_partial(fields) => Ok(Self::Other),
            Raw::Text("depthUpdate") => Self::depth(fields),
            Raw::Text("bookTicker") => Self::ticker(fields),
            Raw::Text("trade") => Self::trade(fields),
            Raw::Text(_) => Ok(Self::Other),
            Raw::Absent if !fields.last_update_id.is_absent() && is_partial(fields) => Ok(Self::Other),
            Raw::Absent if !fields.last_update_id.is_absent() => Self::snapshot(fields),
            // The spot market's bookTicker doesn't name itself.
            Raw::Absent if !fields.last.is_absent() => Self::ticker(fields),
            Raw::Absent if !fields.result.is_absent() => Ok(Self::Other),
            Raw::Absent => Err(Fault::new(
                "a depthUpdate, bookTicker or trade event or a snapshot of Binance",
                "an object without `e`, `u` or `lastUpdateId`",
            )),
            wrong => Err(wrong.text("e").err().unwrap_or_else(|| Fault::new("field `e`: a text", "nothing"))),
        }
    }

    fn depth(fields: &Fields<'a>) -> Result<Self, Fault> {
        let first = fields.first.number("U")?;
        let last = fields.last.number("u")?;
        if first > last {
            return Err(Fault::new(format!("field `U`: at most `u`, {last}"), first.to_string()));
        }
        Ok(Self::Depth {
            symbol: fields.s.text("s")?,
            first,
            last,
            previous: if fields.previous.is_absent() { None } else { Some(fields.previous.number("pu")?) },
            bids: fields.b.levels("b")?,
            asks: fields.a.levels("a")?,
        })
    }

    fn snapshot(fields: &Fields<'a>) -> Result<Self, Fault> {
        let symbol = match (&fields.symbol, &fields.s, &fields.stream) {
            (Raw::Text(symbol), ..) | (_, Raw::Text(symbol), _) => Some(*symbol),
            (.., Raw::Text(stream)) => stream.split('@').next(),
            _ => None,
        };
        Ok(Self::Snapshot {
            symbol,
            last_update_id: fields.last_update_id.number("lastUpdateId")?,
            bids: fields.bids.levels("bids")?,
            asks: fields.asks.levels("asks")?,
        })
    }

    fn ticker(fields: &Fields<'a>) -> Result<Self, Fault> {
        Ok(Self::Ticker {
            symbol: fields.s.text("s")?,
            update: fields.last.number("u")?,
            bid: [fields.b.text("b")?, fields.bid_qty.text("B")?],
            ask: [fields.a.text("a")?, fields.ask_qty.text("A")?],
        })
    }

    fn trade(fields: &Fields<'a>) -> Result<Self, Fault> {
        Ok(Self::Trade {
            symbol: fields.s.text("s")?,
            id: fields.t.number("t")?,
            price: fields.p.text("p")?,
            qty: fields.q.text("q")?,
            buyer_is_maker: fields.m.bool("m")?,
        })
    }

    /// The symbol that the message names.
    pub(super) fn symbol(&self) -> Option<&'a str> {
        match self {
            Self::Depth { symbol, .. } | Self::Ticker { symbol, .. } | Self::Trade { symbol, .. } => Some(symbol),
            Self::Snapshot { symbol, .. } => *symbol,
            Self::Other => None,
        }
    }
}

/// Whether it is of a partial book stream (`btcusdt@depth20@100ms`): the best levels over again, not a difference.
fn is_partial(fields: &Fields<'_>) -> bool {
    let Raw::Text(stream) = fields.stream else { return false };
    let mut parts = stream.split('@').skip(1);
    parts.next().and_then(|kind| kind.strip_prefix("depth")).is_some_and(|levels| !levels.is_empty())
}

/// When the venue says it happened, in epoch ns: `T`, else `E`, else 0.
pub(super) fn exchange_ts(fields: &Fields<'_>) -> Result<u64, Fault> {
    let (name, field) = match (&fields.transact_ms, &fields.event_ms) {
        (Raw::Absent, Raw::Absent) => return Ok(0),
        (Raw::Absent, event) => ("E", event),
        (transact, _) => ("T", transact),
    };
    let millis = field.number(name)?;
    millis
        .checked_mul(1_000_000)
        .ok_or_else(|| Fault::new(format!("field `{name}`: epoch milliseconds"), millis.to_string()))
}
