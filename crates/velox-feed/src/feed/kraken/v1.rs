//! `[channelID, payload, .., channelName, pair]`: a book's payload has `as` and `bs` (a snapshot), or `a`, `b` or both
//! (in two payloads) and the checksum `c`; a trade's is a list.

use velox_record::{ASK, BID, EventKind, MarketEvent};

use crate::error::Fault;
use crate::feed::batch::{Batch, Event, MOST_LEVELS};
use crate::feed::connection::Markets;
use crate::feed::depth::Keep;
use crate::feed::level::written;
use crate::feed::time::seconds;
use crate::json::{Level, Value, Written, whole};

pub(super) fn read(
    message: Value<'_>,
    markets: &Markets,
    stamp: MarketEvent,
    batch: &mut Batch,
    out: &mut Vec<MarketEvent>,
) -> Result<(), Fault> {
    let items = || message.items().into_iter().flatten();
    let payloads = items().count().saturating_sub(3);
    let mut names = items().skip(1 + payloads).filter_map(Value::as_text);
    let (Some(channel), Some(symbol)) = (names.next(), names.next()) else {
        return Err(Fault::new("a list that ends with the channel's name and the pair", message.describe()));
    };
    let Some((market, instrument)) = markets.find(symbol) else { return Ok(()) };
    let payloads = items().skip(1).take(payloads);
    if let Some(depth) = channel.strip_prefix(b"book-") {
        let limit = whole(depth).and_then(|depth| usize::try_from(depth).ok());
        let limit = limit.ok_or_else(|| Fault::new("a channel like book-100", channel))?;
        let mut event = Event { limit: limit.min(MOST_LEVELS), ..Event::of(market, false) };
        for payload in payloads {
            for (key, side, is_snapshot) in [("as", ASK, true), ("bs", BID, true), ("a", ASK, false), ("b", BID, false)]
            {
                if payload.get(key).is_none() {
                    continue;
                }
                event.is_snapshot |= is_snapshot;
                for level in payload.levels(key)? {
                    let level = level?;
                    batch.level(instrument, side, [level.price, level.qty], key, Keep::Digits)?;
                    event.exchange_ts = event.exchange_ts.max(third_seconds(level, key)?);
                }
            }
            if payload.get("c").is_some() {
                let checksum = payload.digits("c")?;
                let wrong = |_| Fault::new("field `c`: 32 bits", checksum.to_string());
                event.checksum = Some(u32::try_from(checksum).map_err(wrong)?);
            }
        }
        if !event.is_snapshot && event.checksum.is_none() {
            return Err(Fault::new("a book with `as` and `bs`, or with `c`", "neither"));
        }
        batch.event(&event);
    } else if channel == b"trade" {
        for trade in payloads.filter_map(Value::items).flatten() {
            let level = trade.level("trade")?;
            let side = match trade.items().and_then(|mut items| items.nth(3)?.as_text()) {
                Some(b"b") => BID,
                Some(b"s") => ASK,
                _ => return Err(Fault::new("field `trade`: b or s as its fourth", trade.describe())),
            };
            out.push(MarketEvent {
                kind: EventKind::TRADE,
                instrument: instrument.id(),
                side,
                price: written(instrument.tick(), level.price, 1, "trade")?,
                qty: written(instrument.lot(), level.qty, 1, "trade")?,
                exchange_ts: third_seconds(level, "trade")?,
                ..stamp
            });
        }
    }
    Ok(())
}

/// The time of a level or a trade, its third text.
fn third_seconds(level: Level<'_>, field: &str) -> Result<u64, Fault> {
    let third = level.third.unwrap_or(Written::of(b""));
    let fault = || Fault::new(format!("field `{field}`: epoch seconds like 1618678132.925632"), third.text);
    seconds(third).ok_or_else(fault)
}
