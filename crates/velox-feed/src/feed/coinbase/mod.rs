//! Coinbase Advanced Trade: `l2_data` and `market_trades`. Every message of a connection has a `sequence_num`, one more than
//! that of the message before: where one is missing, every book of the connection is stale. A product that ends in
//! `-USDC` answers as the one in `-USD`: subscribe to that.
//!
//! Source: <https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels>.

use std::sync::Arc;

use serde_json::json;
use velox_record::{ASK, BID, Instrument, MarketEvent, flags};

use super::Heartbeat;
use super::batch::{Batch, Event};
use super::connection::{Book, Dialect, Markets, Verdict};
use super::depth::Keep;
use super::level::{self, one_of};
use super::time::iso;
use crate::error::{ACCEPTED, Fault};
use crate::json::{Value, Written};

pub(super) struct Coinbase;

impl Dialect for Coinbase {
    fn read(
        &mut self,
        message: Value<'_>,
        markets: &Markets,
        stamp: MarketEvent,
        batch: &mut Batch,
        out: &mut Vec<MarketEvent>,
    ) -> Result<(), Fault> {
        if message.get("type").and_then(Value::as_text) == Some(b"error") {
            return Err(Fault::new(ACCEPTED, message.text("message").unwrap_or(b"an error")));
        }
        let channel = message.text("channel")?;
        let number = message.number("sequence_num")?;
        batch.number = Some(number);
        if channel != b"l2_data" && channel != b"market_trades" {
            return Ok(());
        }
        let exchange_ts = iso(message, "timestamp")?;
        for event in message.list("events")? {
            let is_snapshot = one_of(event, "type", [("snapshot", true), ("update", false)])?;
            if channel == b"market_trades" {
                for trade in event.list("trades")? {
                    self::trade(trade, is_snapshot, markets, stamp, out)?;
                }
                continue;
            }
            let Some((market, instrument)) = markets.find(event.text("product_id")?) else { continue };
            for update in event.list("updates")? {
                let side = one_of(update, "side", [("bid", BID), ("offer", ASK)])?;
                let level = [update.text("price_level")?, update.text("new_quantity")?].map(Written::of);
                batch.level(instrument, side, level, "updates", Keep::Nothing)?;
            }
            batch.event(&Event { sequence: number, exchange_ts, ..Event::of(market, is_snapshot) });
        }
        Ok(())
    }

    /// The number of the message has been judged.
    fn judge(&self, _: &Book, _: &Event) -> Verdict {
        Verdict::Next
    }

    fn subscribe(&self, markets: &[Arc<Instrument>]) -> Vec<String> {
        let symbols: Vec<&str> = markets.iter().map(|market| market.symbol()).collect();
        // Without heartbeats a quiet channel is closed.
        ["level2", "market_trades", "heartbeats"].map(|channel| request("subscribe", channel, &symbols)).to_vec()
    }

    fn resubscribe(&self, market: &Instrument) -> Vec<String> {
        ["unsubscribe", "subscribe"].map(|kind| request(kind, "level2", &[market.symbol()])).to_vec()
    }

    fn heartbeat(&self) -> Option<Heartbeat> {
        None
    }
}

fn request(kind: &str, channel: &str, symbols: &[&str]) -> String {
    json!({ "type": kind, "product_ids": symbols, "channel": channel }).to_string()
}

/// A trade says the side of the maker.
fn trade(
    trade: Value<'_>,
    is_snapshot: bool,
    markets: &Markets,
    stamp: MarketEvent,
    out: &mut Vec<MarketEvent>,
) -> Result<(), Fault> {
    let Some((_, instrument)) = markets.find(trade.text("product_id")?) else { return Ok(()) };
    out.push(MarketEvent {
        side: one_of(trade, "side", [("BUY", ASK), ("SELL", BID)])?,
        flags: if is_snapshot { flags::SNAPSHOT } else { 0 },
        sequence: trade.digits("trade_id")?,
        exchange_ts: iso(trade, "time")?,
        ..level::trade(trade, instrument, ["price", "size"], stamp)?
    });
    Ok(())
}
