//! OKX v5: `{"arg":{"channel":"books","instId":..},"action":"snapshot","data":[{"asks":[..],"bids":[..],"ts":..,"checksum":..,
//! "seqId":..,"prevSeqId":..}]}` and `trades`.
//!
//! `prevSeqId` names the event before; `seqId` may begin again after maintenance. Messages of 2022 had no such numbers,
//! and a checksum of the 25 best levels; those that have numbers may say 0 for the checksum, which then says nothing.
//!
//! Source: <https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel>.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use velox_record::{ASK, BID, Instrument, MarketEvent};

use super::Heartbeat;
use super::batch::{Batch, Event};
use super::connection::{Book, Dialect, Markets, Verdict};
use super::depth::{Depth, Keep, Line};
use super::level::{self, answer, checksum, one_of};
use super::time::millis;
use crate::error::Fault;
use crate::json::Value;

pub(super) struct Okx;

impl Dialect for Okx {
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
        let Some((market, instrument)) = markets.find(arg.text("instId").unwrap_or_default()) else { return Ok(()) };
        match arg.text("channel")? {
            b"books" | b"books-l2-tbt" | b"books50-l2-tbt" => {
                let is_snapshot = one_of(message, "action", [("snapshot", true), ("update", false)])?;
                for data in message.list("data")? {
                    batch.sides(instrument, data, ["bids", "asks"], Keep::Written)?;
                    batch.event(&event(data, Event::of(market, is_snapshot))?);
                }
            }
            b"trades" => {
                for trade in message.list("data")? {
                    out.push(MarketEvent {
                        side: one_of(trade, "side", [("buy", BID), ("sell", ASK)])?,
                        sequence: trade.digits("tradeId")?,
                        exchange_ts: millis(trade, "ts")?,
                        ..level::trade(trade, instrument, ["px", "sz"], stamp)?
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn judge(&self, book: &Book, event: &Event) -> Verdict {
        let is_same = event.sequence == book.sequence && event.previous == book.previous;
        let is_older = event.sequence <= book.sequence && event.exchange_ts < book.exchange_ts;
        match event.previous {
            // Without numbers the checksum alone speaks, and an old snapshot has a right one.
            None if event.sequence == 0 && book.sequence == 0 => {
                let is_old = event.is_snapshot && event.exchange_ts < book.exchange_ts;
                if is_old { Verdict::Old } else { Verdict::Next }
            }
            None if event.is_snapshot && (is_same || is_older) => Verdict::Old,
            None if event.is_snapshot => Verdict::Next,
            Some(previous) if previous == book.sequence => Verdict::Next,
            Some(_) if is_same || is_older => Verdict::Old,
            _ => Verdict::Gap,
        }
    }

    fn subscribe(&self, markets: &[Arc<Instrument>]) -> Vec<String> {
        let channels = |market: &Arc<Instrument>| {
            ["books", "trades"].map(|channel| json!({ "channel": channel, "instId": market.symbol() }))
        };
        let args: Vec<_> = markets.iter().flat_map(channels).collect();
        // A request has at most 64 kB.
        args.chunks(500).map(|args| json!({ "op": "subscribe", "args": args }).to_string()).collect()
    }

    fn resubscribe(&self, market: &Instrument) -> Vec<String> {
        let request =
            |op: &str| json!({ "op": op, "args": [{ "channel": "books", "instId": market.symbol() }] }).to_string();
        vec![request("unsubscribe"), request("subscribe")]
    }

    /// The connection is cut after 30 s of silence.
    fn heartbeat(&self) -> Option<Heartbeat> {
        Some(Heartbeat { message: "ping".to_owned(), every: Duration::from_secs(20) })
    }
}

/// The numbers, time and checksum of one event.
fn event(data: Value<'_>, event: Event) -> Result<Event, Fault> {
    let sequence = if data.get("seqId").is_some() { data.number("seqId")? } else { 0 };
    // -1 in a snapshot.
    let has_previous = sequence != 0 && !event.is_snapshot;
    let checksum = data.get("checksum").map(|_| checksum(data)).transpose()?;
    let previous = if has_previous { Some(data.number("prevSeqId")?) } else { None };
    if sequence == 0 && checksum.is_none() {
        return Err(Fault::new("field `seqId` or `checksum`", "neither"));
    }
    let checksum = checksum.filter(|checksum| *checksum != 0 || sequence == 0);
    Ok(Event { sequence, previous, checksum, exchange_ts: millis(data, "ts")?, ..event })
}
