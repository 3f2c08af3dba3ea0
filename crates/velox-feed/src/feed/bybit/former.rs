//! The messages of `realtime_public`, as recorded in 2021: `orderBookL2_25.BTCUSDT`, `orderBook_200.100ms.BTCUSDT`, and
//! `trade`. Levels are `{"price":"1053.05","symbol":..,"id":..,"side":"Buy","size":2.63}`, in `order_book` or in `delete`,
//! `update` and `insert`.
//!
//! Source: <https://bybit-exchange.github.io/docs-legacy/futuresV2/linear/>.

use std::sync::Arc;

use velox_record::{EventKind, Instrument, MarketEvent};

use super::{is_snapshot, taker};
use crate::error::Fault;
use crate::feed::batch::{Batch, Event};
use crate::feed::depth::Keep;
use crate::feed::level::steps;
use crate::feed::time::{micros, millis};
use crate::json::{Sided, Value, Written};

pub(super) fn book(
    message: Value<'_>,
    market: usize,
    instrument: &Arc<Instrument>,
    batch: &mut Batch,
) -> Result<(), Fault> {
    let is_snapshot = is_snapshot(message)?;
    let mut levels = |of: Value<'_>, key: &str| -> Result<(), Fault> {
        if let Some(levels) = of.sided(key) {
            for Sided { side, price, qty } in levels {
                let qty = qty.unwrap_or(Written::of(b"0"));
                batch.level(instrument, side, [price, qty], key, Keep::Nothing)?;
            }
            return Ok(());
        }
        for level in of.list(key)? {
            let qty = if key == "delete" { b"0" } else { level.decimal("size")? };
            batch.level(
                instrument,
                taker(level, "side")?,
                [level.text("price")?, qty].map(Written::of),
                key,
                Keep::Nothing,
            )?;
        }
        Ok(())
    };
    if is_snapshot {
        // Inverse contracts have the list itself.
        match message.get("data") {
            Some(data) if data.is_object() => levels(data, "order_book")?,
            _ => levels(message, "data")?,
        }
    } else {
        let data = message.object("data")?;
        ["delete", "update", "insert"].into_iter().try_for_each(|key| levels(data, key))?;
    }
    batch.event(&Event {
        sequence: message.digits("cross_seq")?,
        exchange_ts: micros(message, "timestamp_e6")?,
        ..Event::of(market, is_snapshot)
    });
    Ok(())
}

pub(super) fn trades(
    message: Value<'_>,
    instrument: &Arc<Instrument>,
    stamp: MarketEvent,
    out: &mut Vec<MarketEvent>,
) -> Result<(), Fault> {
    for trade in message.list("data")? {
        out.push(MarketEvent {
            kind: EventKind::TRADE,
            side: taker(trade, "side")?,
            price: steps(instrument.tick(), trade.decimal("price")?, 1, "price")?,
            qty: steps(instrument.lot(), trade.decimal("size")?, 1, "size")?,
            exchange_ts: millis(trade, "trade_time_ms")?,
            ..stamp
        });
    }
    Ok(())
}
