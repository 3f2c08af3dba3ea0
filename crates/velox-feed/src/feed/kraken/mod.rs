//! Kraken spot. The book of a symbol has as many levels a side as were subscribed to: further ones fall out without being
//! removed, which is told here by removing them. Events have no numbers, so those of a book are counted from 1; a lost one
//! is noticed when the checksum of the ten best levels is wrong.
//!
//! Sources: WebSocket [v1] and [v2], and the guides to their checksums, [v1][crc1] and [v2][crc2].
//!
//! [v1]: https://docs.kraken.com/api/docs/websocket-v1/book
//! [v2]: https://docs.kraken.com/api/docs/websocket-v2/book
//! [crc1]: https://docs.kraken.com/api/docs/guides/spot-ws-book-v1
//! [crc2]: https://docs.kraken.com/api/docs/guides/spot-ws-book-v2

mod v1;
mod v2;

use std::sync::Arc;

use serde_json::json;
use velox_record::{Instrument, MarketEvent};

use super::Heartbeat;
use super::batch::{Batch, Event};
use super::connection::{Book, Dialect, Markets, Verdict};
use super::depth::{Depth, Line};
use crate::error::{ACCEPTED, Fault};
use crate::json::Value;

/// Levels a side that are subscribed to: the most there are.
const DEPTH: usize = 1_000;

pub(super) struct Kraken {
    /// Levels a side that a v2 subscription was confirmed with, by market; messages of v1 say it themselves.
    depths: Vec<usize>,
}

impl Kraken {
    pub(super) fn new(markets: usize) -> Self {
        Self { depths: vec![DEPTH; markets] }
    }
}

impl Dialect for Kraken {
    const CHECKSUM: Option<fn(&mut Depth, &mut Line) -> u32> = Some(Depth::digits_checksum);

    fn read(
        &mut self,
        message: Value<'_>,
        markets: &Markets,
        stamp: MarketEvent,
        batch: &mut Batch,
        out: &mut Vec<MarketEvent>,
    ) -> Result<(), Fault> {
        if message.is_list() {
            return v1::read(message, markets, stamp, batch, out);
        }
        let text = |key| message.get(key).and_then(Value::as_text);
        let refused = text("status") == Some(b"error") || message.get("error").is_some();
        if refused {
            let reason = text("errorMessage").or_else(|| text("error"));
            return Err(Fault::new(ACCEPTED, reason.unwrap_or(b"an error without a text")));
        }
        match (text("channel"), text("method")) {
            (Some(channel), _) => v2::read(channel, message, &self.depths, markets, stamp, batch, out),
            (_, Some(b"subscribe")) => {
                if let Some((market, depth)) = v2::confirmed(message, markets) {
                    self.depths[market] = depth;
                }
                Ok(())
            }
            _ if text("event").is_some() || text("method").is_some() => Ok(()),
            _ => Err(Fault::new("a list, or an object with `event`, `method` or `channel`", message.describe())),
        }
    }

    /// Nothing says what is missing but the checksum. A snapshot that is older than the book was sent twice.
    fn judge(&self, book: &Book, event: &Event) -> Verdict {
        let is_older = event.is_snapshot && event.exchange_ts != 0 && event.exchange_ts < book.exchange_ts;
        if is_older { Verdict::Old } else { Verdict::Next }
    }

    fn subscribe(&self, markets: &[Arc<Instrument>]) -> Vec<String> {
        let pairs: Vec<&str> = markets.iter().map(|market| market.symbol()).collect();
        let request = |subscription: serde_json::Value| {
            json!({ "event": "subscribe", "pair": pairs, "subscription": subscription }).to_string()
        };
        vec![request(json!({ "name": "book", "depth": DEPTH })), request(json!({ "name": "trade" }))]
    }

    fn resubscribe(&self, market: &Instrument) -> Vec<String> {
        let request = |event: &str| {
            let subscription = json!({ "name": "book", "depth": DEPTH });
            json!({ "event": event, "pair": [market.symbol()], "subscription": subscription }).to_string()
        };
        vec![request("unsubscribe"), request("subscribe")]
    }

    fn heartbeat(&self) -> Option<Heartbeat> {
        None
    }
}
