//! Bitget v2: `{"action":"snapshot","arg":{"instType":"SPOT","channel":"books","instId":..},"data":[{"asks":[..],"bids":[..],
//! "checksum":..,"seq":..,"ts":..}]}` and `trade`.
//!
//! `seq` grows, by how much nobody says, so a repeated or reordered event is noticed by it and a lost one by the checksum
//! of the 25 best levels; where `pseq` names the event before, a lost one is noticed by that. A checksum of 0 says nothing.
//!
//! Source: <https://www.bitget.com/api-doc/spot/websocket/public/Depth-Channel>.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use velox_record::{ASK, BID, Instrument, MarketEvent, flags};

use super::Heartbeat;
use super::batch::{Batch, Event};
use super::connection::{Book, Dialect, Markets, Verdict};
use super::depth::{Depth, Keep, Line};
use super::level::{self, answer, checksum, one_of};
use super::time::millis;
use crate::error::Fault;
use crate::json::Value;

/// Channels in one request: it has at most 4,096 bytes.
const CHANNELS_A_REQUEST: usize = 50;

pub(super) struct Bitget;

impl Dialect for Bitget {
    const CHECKSUM: Option<fn(&mut Depth, &mut Line) -> u32> = Some(Depth::paired_checksum);

    fn read(
        &mut self,
        message: Value<'_>,
        markets: &Markets,
        stamp: MarketEvent,
        batch: &mut Batch,
        out: &mut Vec<MarketEvent>,
    ) -> Result<(), Fault> {
        if let Some(answer) = answer(message) {
            return answer;
        }
        let arg = message.object("arg")?;
        let channel = arg.text("channel")?;
        let Some((market, instrument)) = markets.find(arg.text("instId").unwrap_or_default()) else { return Ok(()) };
        if channel != b"books" && channel != b"trade" {
            return Ok(());
        }
        let is_snapshot = one_of(message, "action", [("snapshot", true), ("update", false)])?;
        for data in message.list("data")? {
            if channel == b"trade" {
                out.push(MarketEvent {
                    side: one_of(data, "side", [("buy", BID), ("sell", ASK)])?,
                    flags: if is_snapshot { flags::SNAPSHOT } else { 0 },
                    sequence: data.digits("tradeId")?,
                    exchange_ts: millis(data, "ts")?,
                    ..level::trade(data, instrument, ["price", "size"], stamp)?
                });
                continue;
            }
            batch.sides(instrument, data, ["bids", "asks"], Keep::Written)?;
            batch.event(&Event {
                sequence: data.digits("seq")?,
                previous: data.get("pseq").filter(|_| !is_snapshot).map(|_| data.digits("pseq")).transpose()?,
                checksum: Some(checksum(data)?).filter(|checksum| *checksum != 0),
                exchange_ts: millis(data, "ts")?,
                ..Event::of(market, is_snapshot)
            });
        }
        Ok(())
    }

    fn judge(&self, book: &Book, event: &Event) -> Verdict {
        match (event.sequence.cmp(&book.sequence), event.previous) {
            (Ordering::Equal, _) => Verdict::Old,
            (Ordering::Less, _) if event.exchange_ts < book.exchange_ts => Verdict::Old,
            // A snapshot that nobody asked for: the venue began again.
            _ if event.is_snapshot => Verdict::Next,
            (Ordering::Less, _) => Verdict::Gap,
            (Ordering::Greater, Some(previous)) if previous != book.sequence => Verdict::Gap,
            (Ordering::Greater, _) => Verdict::Next,
        }
    }

    fn subscribe(&self, markets: &[Arc<Instrument>]) -> Vec<String> {
        let args = |market: &Arc<Instrument>| ["books", "trade"].map(|channel| arg(market, channel));
        let args: Vec<_> = markets.iter().flat_map(args).collect();
        let request = |args: &[serde_json::Value]| json!({ "op": "subscribe", "args": args }).to_string();
        args.chunks(CHANNELS_A_REQUEST).map(request).collect()
    }

    fn resubscribe(&self, market: &Instrument) -> Vec<String> {
        ["unsubscribe", "subscribe"].map(|op| json!({ "op": op, "args": [arg(market, "books")] }).to_string()).to_vec()
    }

    /// The connection is cut after two minutes of silence; a ping every 30 s is asked for.
    fn heartbeat(&self) -> Option<Heartbeat> {
        Some(Heartbeat { message: "ping".to_owned(), every: Duration::from_secs(30) })
    }
}

fn arg(market: &Instrument, channel: &str) -> serde_json::Value {
    json!({ "instType": "SPOT", "channel": channel, "instId": market.symbol() })
}
