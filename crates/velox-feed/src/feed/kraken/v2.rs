//! `{"channel":"book","type":"snapshot","data":[{"symbol":..,"bids":[{"price":..,"qty":..}],"asks":[..],"checksum":..}]}`, and
//! the same of `trade`. Prices and quantities are JSON numbers in full precision, whose digits the checksum is of.

use velox_record::{ASK, BID, EventKind, MarketEvent, flags};

use crate::error::Fault;
use crate::feed::batch::{Batch, Event, MOST_LEVELS};
use crate::feed::connection::Markets;
use crate::feed::depth::Keep;
use crate::feed::level::{one_of, steps};
use crate::feed::time::iso;
use crate::json::{Value, Written};

/// What is subscribed to where the request doesn't say.
const DEFAULT_DEPTH: usize = 10;

/// The market and the depth of a confirmed subscription to a book.
pub(super) fn confirmed(message: Value<'_>, markets: &Markets) -> Option<(usize, usize)> {
    let result = message.object("result").ok()?;
    let is_book = result.text("channel").ok()? == b"book";
    let (market, _) = markets.find(result.text("symbol").ok()?).filter(|_| is_book)?;
    let depth = result.number("depth").ok().and_then(|depth| usize::try_from(depth).ok());
    Some((market, depth.unwrap_or(DEFAULT_DEPTH)))
}

pub(super) fn read(
    channel: &[u8],
    message: Value<'_>,
    depths: &[usize],
    markets: &Markets,
    stamp: MarketEvent,
    batch: &mut Batch,
    out: &mut Vec<MarketEvent>,
) -> Result<(), Fault> {
    if channel != b"book" && channel != b"trade" {
        return Ok(());
    }
    let is_snapshot = one_of(message, "type", [("snapshot", true), ("update", false)])?;
    for data in message.list("data")? {
        let Some((market, instrument)) = markets.find(data.text("symbol")?) else { continue };
        let stamp = MarketEvent { instrument: instrument.id(), ..stamp };
        if channel == b"trade" {
            out.push(MarketEvent {
                kind: EventKind::TRADE,
                side: one_of(data, "side", [("buy", BID), ("sell", ASK)])?,
                flags: if is_snapshot { flags::SNAPSHOT } else { 0 },
                price: steps(instrument.tick(), data.decimal("price")?, 1, "price")?,
                qty: steps(instrument.lot(), data.decimal("qty")?, 1, "qty")?,
                sequence: data.number("trade_id")?,
                exchange_ts: iso(data, "timestamp")?,
                ..stamp
            });
            continue;
        }
        for (key, side) in [("bids", BID), ("asks", ASK)] {
            for level in data.list(key)? {
                let level = [level.decimal("price")?, level.decimal("qty")?].map(Written::of);
                batch.level(instrument, side, level, key, Keep::Digits)?;
            }
        }
        let checksum = data.number("checksum")?;
        let checksum =
            u32::try_from(checksum).map_err(|_| Fault::new("field `checksum`: 32 bits", checksum.to_string()))?;
        batch.event(&Event {
            checksum: Some(checksum),
            exchange_ts: if data.get("timestamp").is_some() { iso(data, "timestamp")? } else { 0 },
            limit: depths[market].min(MOST_LEVELS),
            ..Event::of(market, is_snapshot)
        });
    }
    Ok(())
}
