//! What a message is, from the fields it has.

use crate::error::{ACCEPTED, Fault};
use crate::json::{Levels, Value};

/// A message of Binance's market streams or its REST snapshot. Prices and quantities are still texts.
pub(super) enum Message<'a> {
    Depth {
        symbol: &'a [u8],
        first: u64,
        last: u64,
        previous: Option<u64>,
        bids: Levels<'a>,
        asks: Levels<'a>,
    },
    Snapshot {
        /// What names the market, if anything does: spot and USD-M answer without a symbol.
        symbol: Option<&'a [u8]>,
        last_update_id: u64,
        bids: Levels<'a>,
        asks: Levels<'a>,
    },
    Ticker {
        symbol: &'a [u8],
        update: u64,
        bid: [&'a [u8]; 2],
        ask: [&'a [u8]; 2],
    },
    Trade {
        symbol: &'a [u8],
        id: u64,
        price: &'a [u8],
        qty: &'a [u8],
        buyer_is_maker: bool,
    },
    /// Well-formed, and nothing of a book, a quote or a trade.
    Other,
}

impl<'a> Message<'a> {
    pub(super) fn of(envelope: Value<'a>) -> Result<Self, Fault> {
        if !envelope.is_object() {
            return Err(Fault::new("a message of Binance: an object", envelope.describe()));
        }
        let fields = fields(envelope);
        match fields.get("e").map(|_| fields.text("e")).transpose()? {
            Some(b"depthUpdate") if is_partial(envelope) => Ok(Self::Other),
            Some(b"depthUpdate") => Self::depth(fields),
            Some(b"bookTicker") => Self::ticker(fields),
            Some(b"trade") => Self::trade(fields),
            Some(_) => Ok(Self::Other),
            None if fields.get("lastUpdateId").is_some() && is_partial(envelope) => Ok(Self::Other),
            None if fields.get("lastUpdateId").is_some() => Self::snapshot(envelope, fields),
            // The spot market's bookTicker doesn't name itself.
            None if fields.get("u").is_some() => Self::ticker(fields),
            // The answer to a subscription, which recorders keep too.
            None if fields.get("result").is_some() => Ok(Self::Other),
            None if fields.get("error").is_some() || fields.get("msg").is_some() => {
                let reason = fields.get("error").unwrap_or(fields).get("msg").and_then(Value::as_text);
                Err(Fault::new(ACCEPTED, reason.unwrap_or(b"an error")))
            }
            None => Err(Fault::new(
                "a depthUpdate, bookTicker or trade event or a snapshot of Binance",
                "an object without `e`, `u` or `lastUpdateId`",
            )),
        }
    }

    fn depth(fields: Value<'a>) -> Result<Self, Fault> {
        let first = fields.number("U")?;
        let last = fields.number("u")?;
        if first > last {
            return Err(Fault::new(format!("field `U`: at most `u`, {last}"), first.to_string()));
        }
        Ok(Self::Depth {
            symbol: fields.text("s")?,
            first,
            last,
            previous: fields.get("pu").map(|_| fields.number("pu")).transpose()?,
            bids: fields.levels("b")?,
            asks: fields.levels("a")?,
        })
    }

    fn snapshot(envelope: Value<'a>, fields: Value<'a>) -> Result<Self, Fault> {
        let text = |of: Value<'a>, key| of.get(key).and_then(Value::as_text);
        let of_stream = || text(envelope, "stream")?.split(|&byte| byte == b'@').next();
        Ok(Self::Snapshot {
            symbol: text(fields, "symbol").or_else(|| text(fields, "s")).or_else(of_stream),
            last_update_id: fields.number("lastUpdateId")?,
            bids: fields.levels("bids")?,
            asks: fields.levels("asks")?,
        })
    }

    fn ticker(fields: Value<'a>) -> Result<Self, Fault> {
        Ok(Self::Ticker {
            symbol: fields.text("s")?,
            update: fields.number("u")?,
            bid: [fields.text("b")?, fields.text("B")?],
            ask: [fields.text("a")?, fields.text("A")?],
        })
    }

    fn trade(fields: Value<'a>) -> Result<Self, Fault> {
        Ok(Self::Trade {
            symbol: fields.text("s")?,
            id: fields.number("t")?,
            price: fields.text("p")?,
            qty: fields.text("q")?,
            buyer_is_maker: fields.bool("m")?,
        })
    }

    /// The symbol that the message names.
    pub(super) fn symbol(&self) -> Option<&'a [u8]> {
        match self {
            Self::Depth { symbol, .. } | Self::Ticker { symbol, .. } | Self::Trade { symbol, .. } => Some(symbol),
            Self::Snapshot { symbol, .. } => *symbol,
            Self::Other => None,
        }
    }
}

/// The message itself, without the envelope of a combined stream.
pub(super) fn fields(envelope: Value<'_>) -> Value<'_> {
    envelope.get("data").filter(|data| data.is_object()).unwrap_or(envelope)
}

/// Whether it is of a partial book stream (`btcusdt@depth20@100ms`): the best levels over again, not a difference.
fn is_partial(envelope: Value<'_>) -> bool {
    let Some(stream) = envelope.get("stream").and_then(Value::as_text) else { return false };
    let kind = stream.split(|&byte| byte == b'@').nth(1);
    kind.and_then(|kind| kind.strip_prefix(b"depth")).is_some_and(|levels| !levels.is_empty())
}

/// When the venue says it happened, in epoch ns: `T`, else `E`, else 0.
pub(super) fn exchange_ts(fields: Value<'_>) -> Result<u64, Fault> {
    let Some(key) = ["T", "E"].into_iter().find(|key| fields.get(key).is_some()) else { return Ok(0) };
    let millis = fields.number(key)?;
    millis
        .checked_mul(1_000_000)
        .ok_or_else(|| Fault::new(format!("field `{key}`: epoch milliseconds"), millis.to_string()))
}
