//! Bybit v5: `orderbook.200.BTCUSDT`, where `u` counts by one and `seq` is the matching engine's number, and `publicTrade`.
//! A service that begins again sends a snapshot, with `u` 1.
//!
//! Recordings of the former `realtime_public` are understood too ([`former`]). They are unverifiable: `cross_seq` only
//! grows, so a repeated or reordered message is noticed, and a lost one is not.
//!
//! Sources: <https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook>,
//! <https://bybit-exchange.github.io/docs/v5/websocket/public/trade>.

mod former;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use velox_record::{ASK, BID, Instrument, MarketEvent};

use super::Heartbeat;
use super::batch::{Batch, Event};
use super::connection::{Book, Dialect, Markets, Verdict};
use super::depth::Keep;
use super::level::{self, one_of};
use super::time::millis;
use crate::error::{ACCEPTED, Fault};
use crate::json::{Value, whole};

/// Topics in one request: spot takes no more.
const TOPICS_A_REQUEST: usize = 10;

pub(super) struct Bybit;

impl Dialect for Bybit {
    fn read(
        &mut self,
        message: Value<'_>,
        markets: &Markets,
        stamp: MarketEvent,
        batch: &mut Batch,
        out: &mut Vec<MarketEvent>,
    ) -> Result<(), Fault> {
        let Some(topic) = message.get("topic") else {
            return match message.get("success").map(|_| message.bool("success")).transpose()? {
                Some(false) => Err(Fault::new(ACCEPTED, message.text("ret_msg").unwrap_or(b"a refusal"))),
                Some(true) => Ok(()),
                None if message.get("op").is_some() => Ok(()),
                None => Err(Fault::new("a message with `topic`, `success` or `op`", message.describe())),
            };
        };
        let topic = topic.as_text().ok_or_else(|| Fault::new("field `topic`: a text", topic.describe()))?;
        let symbol = topic.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
        let Some((market, instrument)) = markets.find(symbol) else { return Ok(()) };
        let stamp = MarketEvent { instrument: instrument.id(), ..stamp };
        let kind = topic.split(|&byte| byte == b'.').next().unwrap_or_default();
        match kind {
            b"orderbook" => {
                let data = message.object("data")?;
                batch.sides(instrument, data, ["b", "a"], Keep::Nothing)?;
                batch.event(&Event {
                    sequence: data.number("u")?,
                    previous: Some(data.number("seq")?),
                    exchange_ts: millis(message, if message.get("cts").is_some() { "cts" } else { "ts" })?,
                    ..Event::of(market, is_snapshot(message)?)
                });
                Ok(())
            }
            b"publicTrade" => {
                for trade in message.list("data")? {
                    out.push(MarketEvent {
                        side: taker(trade, "S")?,
                        // Ids of futures are UUIDs.
                        sequence: whole(trade.text("i")?).unwrap_or(0),
                        exchange_ts: millis(trade, "T")?,
                        ..level::trade(trade, instrument, ["p", "v"], stamp)?
                    });
                }
                Ok(())
            }
            _ if kind.starts_with(b"orderBook") => former::book(message, market, instrument, batch),
            b"trade" => former::trades(message, instrument, stamp, out),
            _ => Ok(()),
        }
    }

    /// `previous` is the matching engine's number, which nothing resets; the former messages have only that.
    fn judge(&self, book: &Book, event: &Event) -> Verdict {
        let Some(engine) = event.previous else {
            return match event.sequence.cmp(&book.sequence) {
                std::cmp::Ordering::Equal => Verdict::Old,
                std::cmp::Ordering::Greater => Verdict::Next,
                std::cmp::Ordering::Less => Verdict::Gap,
            };
        };
        let is_same = event.sequence == book.sequence && event.previous == book.previous;
        let is_older = book.previous.is_some_and(|of_book| engine < of_book);
        match (is_same || is_older, event.is_snapshot) {
            (true, _) => Verdict::Old,
            (false, true) => Verdict::Next,
            (false, false) if book.sequence.checked_add(1) == Some(event.sequence) => Verdict::Next,
            (false, false) => Verdict::Gap,
        }
    }

    fn subscribe(&self, markets: &[Arc<Instrument>]) -> Vec<String> {
        let topics = |market: &Arc<Instrument>| {
            [format!("orderbook.200.{}", market.symbol()), format!("publicTrade.{}", market.symbol())]
        };
        let topics: Vec<String> = markets.iter().flat_map(topics).collect();
        let request = |topics: &[String]| json!({ "op": "subscribe", "args": topics }).to_string();
        topics.chunks(TOPICS_A_REQUEST).map(request).collect()
    }

    fn resubscribe(&self, market: &Instrument) -> Vec<String> {
        let request =
            |op: &str| json!({ "op": op, "args": [format!("orderbook.200.{}", market.symbol())] }).to_string();
        vec![request("unsubscribe"), request("subscribe")]
    }

    fn heartbeat(&self) -> Option<Heartbeat> {
        Some(Heartbeat { message: json!({ "op": "ping" }).to_string(), every: Duration::from_secs(20) })
    }
}

fn is_snapshot(message: Value<'_>) -> Result<bool, Fault> {
    one_of(message, "type", [("snapshot", true), ("delta", false)])
}

fn taker(trade: Value<'_>, key: &str) -> Result<u8, Fault> {
    one_of(trade, key, [("Buy", BID), ("Sell", ASK)])
}
