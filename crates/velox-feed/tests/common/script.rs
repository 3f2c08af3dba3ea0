//! Made-up books in each venue's own messages: the formats are those of the fixtures in `corpus/`.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use velox_feed::Venue;

/// Side, price in ticks of 0.1, quantity in lots of 0.001.
pub type Change = (u8, i64, i64);

/// The changes of each event; the first event is the snapshot.
#[derive(Debug, Clone)]
pub struct Script {
    pub events: Vec<Vec<Change>>,
}

/// Scripts of a snapshot and 3 to 24 events. Bids and asks never meet, as the levels of a side have their own prices.
pub fn script() -> impl Strategy<Value = Script> {
    let change = (0u8..2, 1i64..40, 0i64..6)
        .prop_map(|(side, at, qty)| (side, if side == 0 { 6_000 - at } else { 6_000 + at }, qty * 1_250));
    let snapshot = prop::collection::vec(change.clone(), 2..30)
        .prop_map(|levels| levels.into_iter().map(|(side, price, qty)| (side, price, qty + 1)).collect::<Vec<_>>());
    let events = prop::collection::vec(prop::collection::vec(change, 1..4), 3..25);
    (snapshot, events).prop_map(|(snapshot, mut events)| {
        // A price stands once in an event.
        for event in &mut events {
            event.sort_unstable();
            event.dedup_by_key(|change| (change.0, change.1));
        }
        events.insert(0, snapshot);
        Script { events }
    })
}

impl Script {
    /// The levels after each event.
    pub fn truth(&self) -> Vec<Vec<Change>> {
        let mut book = BTreeMap::new();
        let after = |event: &Vec<Change>| {
            for &(side, price, qty) in event {
                if qty == 0 {
                    book.remove(&(side, price))
                } else {
                    book.insert((side, price), qty)
                };
            }
            book.iter().map(|(&(side, price), &qty)| (side, price, qty)).collect()
        };
        self.events.iter().map(after).collect()
    }

    /// The message of an event, from 1 on, of this symbol.
    pub fn message(&self, venue: Venue, symbol: &str, event: usize) -> String {
        message(venue, symbol, event as u64, &self.events[event], false, self.checksum(event))
    }

    /// What a snapshot after an event says: by REST, or as the message of number `number` on the connection.
    pub fn snapshot(&self, venue: Venue, symbol: &str, event: usize, number: usize) -> String {
        let levels = &self.truth()[event];
        let numbered = if venue == Venue::Coinbase { number } else { event };
        match venue {
            Venue::BinanceSpot | Venue::BinanceUsdm | Venue::BinanceCoinm => {
                json!({ "lastUpdateId": last(event as u64), "bids": pairs(levels, 0), "asks": pairs(levels, 1) })
                    .to_string()
            }
            Venue::Kucoin => json!({ "code": "200000", "data": { "sequence": last(event as u64).to_string(),
                "bids": pairs(levels, 0), "asks": pairs(levels, 1) } })
            .to_string(),
            _ => message(venue, symbol, numbered as u64, levels, true, self.checksum(event)),
        }
    }

    /// `price:quantity` of the best 25 bids and asks in turn, or Kraken's digits of the best ten.
    fn checksum(&self, event: usize) -> [u32; 2] {
        let truth = &self.truth()[event];
        let mut sides = [0, 1].map(|side| truth.iter().copied().filter(|level| level.0 == side).collect::<Vec<_>>());
        sides[0].reverse();
        let text = |&(_, price, qty): &Change| format!("{}:{}", decimal(price, 1), decimal(qty, 3));
        let paired: Vec<String> =
            (0..25).flat_map(|at| sides.iter().filter_map(move |side| side.get(at))).map(text).collect();
        let best_ten = [1, 0].into_iter().flat_map(|side: usize| sides[side].iter().take(10));
        let digits: Vec<String> = best_ten.map(|&(_, price, qty)| format!("{price}{qty}")).collect();
        [crc32fast::hash(paired.join(":").as_bytes()), crc32fast::hash(digits.concat().as_bytes())]
    }
}

/// The number that an event ends with; they begin right behind the one before.
fn last(event: u64) -> u64 {
    1_000 + 10 * event
}

fn decimal(steps: i64, decimals: u32) -> String {
    let unit = 10i64.pow(decimals);
    format!("{}.{:0width$}", steps / unit, steps % unit, width = decimals as usize)
}

fn pairs(levels: &[Change], side: u8) -> Value {
    let of_side = levels.iter().filter(|level| level.0 == side);
    of_side.map(|&(_, price, qty)| json!([decimal(price, 1), decimal(qty, 3)])).collect()
}

fn message(venue: Venue, symbol: &str, event: u64, levels: &[Change], is_snapshot: bool, checksum: [u32; 2]) -> String {
    let (bids, asks) = (pairs(levels, 0), pairs(levels, 1));
    let (millis, kind) = (1_700_000_000_000 + event, if is_snapshot { "snapshot" } else { "update" });
    match venue {
        Venue::BinanceSpot => json!({ "e": "depthUpdate", "E": millis, "s": symbol, "U": last(event - 1) + 1,
            "u": last(event), "b": bids, "a": asks }),
        Venue::BinanceUsdm | Venue::BinanceCoinm => json!({ "e": "depthUpdate", "T": millis, "s": symbol,
            "U": last(event - 1) + 3, "u": last(event), "pu": last(event - 1), "b": bids, "a": asks }),
        Venue::Kucoin => json!({ "type": "message", "topic": "/market/level2", "subject": "trade.l2update", "data": {
            "symbol": symbol, "sequenceStart": last(event - 1) + 1, "sequenceEnd": last(event),
            "changes": { "bids": bids, "asks": asks } } }),
        Venue::Okx => {
            let previous = if is_snapshot { -1 } else { last(event - 1) as i64 };
            json!({ "arg": { "channel": "books", "instId": symbol }, "action": kind, "data": [{ "asks": asks,
                "bids": bids, "ts": millis.to_string(), "checksum": checksum[0].cast_signed(),
                "prevSeqId": previous, "seqId": last(event) }] })
        }
        Venue::Bitget => json!({ "arg": { "instType": "SPOT", "channel": "books", "instId": symbol }, "action": kind,
            "data": [{ "asks": asks, "bids": bids, "ts": millis.to_string(), "checksum": checksum[0].cast_signed(),
            "seq": last(event) }] }),
        Venue::Bybit => {
            json!({ "topic": format!("orderbook.200.{symbol}"), "type": if is_snapshot { kind } else { "delta" },
            "ts": millis, "cts": millis, "data": { "s": symbol, "b": bids, "a": asks, "u": event + 7,
            "seq": last(event) } })
        }
        Venue::Coinbase => {
            let update = |&(side, price, qty): &Change| {
                json!({ "side": if side == 0 { "bid" } else { "offer" }, "event_time": "2026-11-25T08:00:00Z",
                    "price_level": decimal(price, 1), "new_quantity": decimal(qty, 3) })
            };
            let updates: Vec<Value> = levels.iter().map(update).collect();
            json!({ "channel": "l2_data", "client_id": "", "timestamp": "2026-11-25T08:00:00.5Z",
                "sequence_num": event, "events": [{ "type": kind, "product_id": symbol, "updates": updates }] })
        }
        Venue::Kraken => {
            let level = |&(_, price, qty): &Change| json!([decimal(price, 1), decimal(qty, 3), "1700000000.000001"]);
            let of = |side: u8| levels.iter().filter(|level| level.0 == side).map(level).collect::<Vec<_>>();
            if is_snapshot {
                json!([7, { "as": of(1), "bs": of(0) }, "book-1000", symbol])
            } else {
                json!([7, { "a": of(1) }, { "b": of(0), "c": checksum[1].to_string() }, "book-1000", symbol])
            }
        }
    }
    .to_string()
}
