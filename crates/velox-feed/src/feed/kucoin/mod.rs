//! KuCoin spot: `/market/level2`, whose `sequenceStart` and `sequenceEnd` chain events to each other and to a snapshot by
//! REST, and `/market/match`. The public snapshot has the best 100 levels a side: a level beyond it is in the book once it
//! changes.
//!
//! Sources: <https://www.kucoin.com/docs-new/3470068w0> (increments), <https://www.kucoin.com/docs-new/3470086w0> (matches),
//! <https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-part-orderbook>.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use velox_record::{ASK, BID, EventKind, Instrument, MarketEvent};

use super::level::{self, is_zero, one_of, written};
use super::sync::{Late, Rule, Sync, Update};
use super::time::millis;
use super::url::query_value;
use super::{Applied, FeedState, Heartbeat, Protocol};
use crate::FeedError;
use crate::error::{ACCEPTED, Fault};
use crate::json::{Doc, Level, Value};

/// The most symbols in one topic.
const SYMBOLS_A_TOPIC: usize = 100;

pub(super) struct Kucoin {
    by_symbol: HashMap<Vec<u8>, usize>,
    markets: Vec<(Arc<Instrument>, Sync)>,
    doc: Doc,
}

impl Kucoin {
    pub(super) fn new(instruments: &[Arc<Instrument>]) -> Self {
        let named = |(market, known): (usize, &Arc<Instrument>)| (known.symbol().into(), market);
        let market = |known: &Arc<Instrument>| (Arc::clone(known), Sync::new(Rule::Overlapping, Late::Forgets));
        Self {
            by_symbol: instruments.iter().enumerate().map(named).collect(),
            markets: instruments.iter().map(market).collect(),
            doc: Doc::default(),
        }
    }

    /// Appends the levels of both sides.
    fn levels(
        instrument: &Instrument,
        object: Value<'_>,
        stamp: MarketEvent,
        out: &mut Vec<MarketEvent>,
    ) -> Result<(), Fault> {
        for (key, side) in [("bids", BID), ("asks", ASK)] {
            for level in object.levels(key)? {
                let Level { price, qty, .. } = level?;
                // A change of price 0 only keeps the numbers whole.
                if is_zero(price.text) {
                    continue;
                }
                let (price, qty) =
                    (written(instrument.tick(), price, 1, key)?, written(instrument.lot(), qty, 0, key)?);
                out.push(MarketEvent { kind: EventKind::LEVEL, side, price, qty, ..stamp });
            }
        }
        Ok(())
    }

    fn update(
        (instrument, sync): &mut (Arc<Instrument>, Sync),
        data: Value<'_>,
        stamp: MarketEvent,
        out: &mut Vec<MarketEvent>,
    ) -> Result<Applied, Fault> {
        let (first, last) = (data.number("sequenceStart")?, data.number("sequenceEnd")?);
        if first > last {
            return Err(Fault::new(format!("field `sequenceStart`: at most `sequenceEnd`, {last}"), first.to_string()));
        }
        let start = out.len();
        let exchange_ts = if data.get("time").is_some() { millis(data, "time")? } else { 0 };
        let stamp = MarketEvent { instrument: instrument.id(), sequence: last, exchange_ts, ..stamp };
        Self::levels(instrument, data.object("changes")?, stamp, out)?;
        let never = |_| Fault::new("room for one more event", "none");
        sync.depth(Update { first, last, previous: 0, stamp }, out, start).map_err(never)
    }

    fn read(
        markets: &mut [(Arc<Instrument>, Sync)],
        by_symbol: &HashMap<Vec<u8>, usize>,
        message: Value<'_>,
        stamp: MarketEvent,
        out: &mut Vec<MarketEvent>,
    ) -> Result<Applied, Fault> {
        match message.text("type")? {
            b"message" => {}
            b"error" => {
                let reason = message.get("data").and_then(Value::as_text).unwrap_or(b"an error");
                return Err(Fault::new(ACCEPTED, reason));
            }
            _ => return Ok(Applied::Ignored),
        }
        let subject = message.text("subject")?;
        if subject != b"trade.l2update" && subject != b"trade.l3match" {
            return Ok(Applied::Ignored);
        }
        let data = message.object("data")?;
        let Some(&market) = by_symbol.get(data.text("symbol")?) else { return Ok(Applied::Ignored) };
        if subject == b"trade.l2update" {
            return Self::update(&mut markets[market], data, stamp, out);
        }
        let instrument = &markets[market].0;
        out.push(MarketEvent {
            side: one_of(data, "side", [("buy", BID), ("sell", ASK)])?,
            sequence: data.digits("sequence")?,
            exchange_ts: data.digits("time")?,
            ..level::trade(data, instrument, ["price", "size"], stamp)?
        });
        Ok(Applied::Applied)
    }
}

impl Protocol for Kucoin {
    fn apply(&mut self, message: &[u8], receive_ts: u64, out: &mut Vec<MarketEvent>) -> Result<Applied, Fault> {
        let stamp = MarketEvent { receive_ts, ..MarketEvent::default() };
        Self::read(&mut self.markets, &self.by_symbol, self.doc.read(message)?, stamp, out)
    }

    fn snapshot(
        &mut self,
        market: usize,
        body: &[u8],
        receive_ts: u64,
        out: &mut Vec<MarketEvent>,
    ) -> Result<Applied, Fault> {
        let data = answer(self.doc.read(body)?)?;
        let (instrument, sync) = &mut self.markets[market];
        let sequence = data.digits("sequence")?;
        let exchange_ts = if data.get("time").is_some() { millis(data, "time")? } else { 0 };
        let stamp =
            MarketEvent { instrument: instrument.id(), sequence, exchange_ts, receive_ts, ..MarketEvent::default() };
        let start = out.len();
        Self::levels(instrument, data, stamp, out)?;
        Ok(sync.snapshot(sequence, stamp, out, start))
    }

    fn state(&self, market: usize) -> FeedState {
        self.markets[market].1.state()
    }

    fn snapshot_path(&self, market: usize) -> Option<String> {
        Some(format!("/api/v1/market/orderbook/level2_100?symbol={}", query_value(self.markets[market].0.symbol())))
    }

    fn subscribe(&self) -> Vec<String> {
        let symbols: Vec<&str> = self.markets.iter().map(|(market, _)| market.symbol()).collect();
        let topics = ["/market/level2", "/market/match"].into_iter();
        let topics = topics.flat_map(|topic| {
            symbols.chunks(SYMBOLS_A_TOPIC).map(move |symbols| format!("{topic}:{}", symbols.join(",")))
        });
        let request = |(nth, topic): (usize, String)| {
            json!({ "id": (nth + 1).to_string(), "type": "subscribe", "topic": topic, "response": true }).to_string()
        };
        topics.enumerate().map(request).collect()
    }

    /// The venue's `pingInterval`.
    fn heartbeat(&self) -> Option<Heartbeat> {
        let message = json!({ "id": "ping", "type": "ping" }).to_string();
        Some(Heartbeat { message, every: Duration::from_secs(18) })
    }

    fn disconnected(&mut self, out: &mut Vec<MarketEvent>) {
        for (instrument, sync) in &mut self.markets {
            sync.disconnected(MarketEvent { instrument: instrument.id(), ..MarketEvent::default() }, out);
        }
    }
}

/// The `data` of an answer by REST.
fn answer(body: Value<'_>) -> Result<Value<'_>, Fault> {
    match body.text("code")? {
        b"200000" => body.object("data"),
        code => Err(Fault::new("field `code`: 200000", code)),
    }
}

/// The address to connect to, of the answer to a request for a token.
pub(super) fn token_url(body: &[u8]) -> Result<String, FeedError> {
    let mut doc = Doc::default();
    let url = doc.read(body).and_then(answer).and_then(|data| {
        let server = data.list("instanceServers")?.next();
        let server = server.ok_or_else(|| Fault::new("field `instanceServers`: a server", "none"))?;
        let [endpoint, token] = [server.text("endpoint")?, data.text("token")?].map(String::from_utf8_lossy);
        Ok(format!("{endpoint}?token={token}"))
    });
    url.map_err(|fault| fault.of(super::Venue::Kucoin))
}
