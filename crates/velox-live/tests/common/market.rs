//! A market that moves: its true book, every message that it ever said, and its best prices after each.

use std::collections::BTreeMap;
use std::fmt::Write;

pub const SYMBOL: &str = "BTCUSDT";

/// Prices in cents, quantities in 0.00001.
#[derive(Default)]
pub struct Market {
    pub bids: BTreeMap<i64, i64>,
    pub asks: BTreeMap<i64, i64>,
    /// The `u` of the last message.
    pub sequence: u64,
    pub log: Vec<String>,
    /// Price and quantity of the best bid and ask after each `u`.
    pub tops: BTreeMap<u64, [(i64, i64); 2]>,
    /// A snapshot from a moment ago.
    pub old: Option<String>,
    random: u64,
}

impl Market {
    pub fn new() -> Self {
        let mut market = Self { sequence: 1_000, random: 7, ..Self::default() };
        for i in 0..50 {
            market.bids.insert(100_000 - i, 1 + i);
            market.asks.insert(100_001 + i, 1 + i);
        }
        market.old = Some(market.snapshot());
        market
    }

    fn random(&mut self, below: u64) -> i64 {
        // xorshift64
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % below) as i64
    }

    /// One depth update of one to three levels, and its trade.
    pub fn step(&mut self) {
        let first = self.sequence + 1;
        let (mut bids, mut asks) = (Vec::new(), Vec::new());
        for _ in 0..=self.random(3) {
            self.sequence += 1;
            let qty = if self.random(4) == 0 { 0 } else { 1 + self.random(1_000_000) };
            let [(best_bid, _), (best_ask, _)] = self.best();
            if self.random(2) == 0 {
                let price = best_ask - 1 - self.random(20);
                set(&mut self.bids, price, qty);
                bids.push((price, qty));
            } else {
                let price = best_bid + 1 + self.random(20);
                set(&mut self.asks, price, qty);
                asks.push((price, qty));
            }
        }
        let (u, last) = (first, self.sequence);
        let depth = format!(
            r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1,"s":"{SYMBOL}","U":{u},"u":{last},"b":{},"a":{}}}}}"#,
            levels(&bids),
            levels(&asks)
        );
        self.log.push(depth);
        self.tops.insert(last, self.best());
    }

    fn best(&self) -> [(i64, i64); 2] {
        let level = |(&price, &qty): (&i64, &i64)| (price, qty);
        let bid = self.bids.last_key_value().map_or((100_000, 0), level);
        [bid, self.asks.first_key_value().map_or((100_001, 0), level)]
    }

    pub fn snapshot(&self) -> String {
        let bids: Vec<_> = self.bids.iter().rev().map(|(price, qty)| (*price, *qty)).collect();
        let asks: Vec<_> = self.asks.iter().map(|(price, qty)| (*price, *qty)).collect();
        format!(r#"{{"lastUpdateId":{},"bids":{},"asks":{}}}"#, self.sequence, levels(&bids), levels(&asks))
    }
}

fn set(side: &mut BTreeMap<i64, i64>, price: i64, qty: i64) {
    if qty == 0 {
        side.remove(&price);
    } else {
        side.insert(price, qty);
    }
}

fn levels(levels: &[(i64, i64)]) -> String {
    let mut text = String::from("[");
    for (price, qty) in levels {
        let comma = if text.len() > 1 { "," } else { "" };
        let (whole, cents) = (price / 100, price % 100);
        let (units, parts) = (qty / 100_000, qty % 100_000);
        write!(text, r#"{comma}["{whole}.{cents:02}","{units}.{parts:05}"]"#).unwrap();
    }
    text + "]"
}
