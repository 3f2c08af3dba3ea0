//! Which of Binance's three markets a file is of, and which symbols it speaks of, from its first lines.

use super::message::{self, Message};
use super::split;
use crate::feed::Venue;
use crate::json::Doc;

/// What the first lines say.
#[derive(Debug, Default)]
pub(crate) struct Sniffed {
    venue: Option<Venue>,
    /// From a trade alone: COIN-M's don't name their pair, so this is only asked when nothing else speaks.
    guess: Option<Venue>,
    /// Every symbol named, in the order of the file.
    pub(crate) symbols: Vec<String>,
    doc: Doc,
}

impl Sniffed {
    /// Looks at one more line; what it can't read it leaves to the decoder to report.
    pub(crate) fn look(&mut self, line: &[u8]) {
        let Ok((_, json)) = split(line) else { return };
        let Ok(envelope) = self.doc.read(json) else { return };
        let Ok(message) = Message::of(envelope) else { return };
        let fields = message::fields(envelope);
        let has = |key: &str| fields.get(key).is_some();
        let futures = if has("ps") || has("pair") { Venue::BinanceCoinm } else { Venue::BinanceUsdm };
        let (certain, guess) = match message {
            Message::Other => return,
            Message::Depth { previous: Some(_), .. } => (Some(futures), None),
            Message::Ticker { .. } if has("e") => (Some(futures), None),
            Message::Snapshot { .. } if has("T") => (Some(futures), None),
            Message::Trade { symbol, .. } if has("X") => {
                let inverse = symbol
                    .split(|&byte| byte == b'_')
                    .next()
                    .is_some_and(|pair| pair != symbol && pair.ends_with(b"USD"));
                (None, Some(if inverse { Venue::BinanceCoinm } else { Venue::BinanceUsdm }))
            }
            Message::Trade { .. } if !has("M") => (None, Some(Venue::BinanceSpot)),
            _ => (Some(Venue::BinanceSpot), None),
        };
        self.venue = self.venue.or(certain);
        self.guess = self.guess.or(guess);
        // A snapshot in an envelope is named by its stream, in lower case: the events around it spell the symbol.
        let named = match message {
            Message::Snapshot { .. } if !has("symbol") && !has("s") => None,
            _ => message.symbol(),
        };
        if let Some(symbol) = named
            && let Ok(symbol) = str::from_utf8(symbol)
            && !self.symbols.iter().any(|known| known == symbol)
        {
            self.symbols.push(symbol.to_owned());
        }
    }

    /// The market; `None` when no line was a message.
    pub(crate) fn venue(&self) -> Option<Venue> {
        self.venue.or(self.guess)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn venue(lines: &[&str]) -> Option<&'static str> {
        let mut sniffed = Sniffed::default();
        for line in lines {
            sniffed.look(line.as_bytes());
        }
        sniffed.venue().map(Venue::name)
    }

    #[test]
    fn each_market_is_known_by_any_of_its_messages() {
        for (line, expected) in [
            (r#"1 {"data":{"e":"depthUpdate","s":"X","U":1,"u":2,"pu":0,"b":[],"a":[]}}"#, "binance-usdm"),
            (r#"1 {"data":{"e":"depthUpdate","s":"X","ps":"X","U":1,"u":2,"pu":0,"b":[],"a":[]}}"#, "binance-coinm"),
            (r#"1 {"data":{"e":"depthUpdate","s":"X","U":1,"u":2,"b":[],"a":[]}}"#, "binance-spot"),
            (r#"1 {"data":{"u":1,"s":"X","b":"1","B":"1","a":"1","A":"1"}}"#, "binance-spot"),
            (r#"1 {"data":{"e":"bookTicker","u":1,"s":"X","b":"1","B":"1","a":"1","A":"1"}}"#, "binance-usdm"),
            (r#"1 {"lastUpdateId":1,"bids":[],"asks":[]}"#, "binance-spot"),
            (r#"1 {"lastUpdateId":1,"T":1,"bids":[],"asks":[]}"#, "binance-usdm"),
            (r#"1 {"lastUpdateId":1,"T":1,"symbol":"X","pair":"X","bids":[],"asks":[]}"#, "binance-coinm"),
            (r#"1 {"e":"trade","s":"BTCUSDT","t":1,"p":"1","q":"1","X":"MARKET","m":true}"#, "binance-usdm"),
            (r#"1 {"e":"trade","s":"BTCUSD_PERP","t":1,"p":"1","q":"1","X":"MARKET","m":true}"#, "binance-coinm"),
            (r#"1 {"e":"trade","s":"BTCUSDT","t":1,"p":"1","q":"1","m":true,"M":true}"#, "binance-spot"),
        ] {
            assert_eq!(venue(&[line]), Some(expected), "{line}");
        }
    }

    #[test]
    fn a_message_that_is_certain_outweighs_a_trade_that_is_not() {
        let trade = r#"1 {"e":"trade","s":"BTCUSDT","t":1,"p":"1","q":"1","X":"MARKET","m":true}"#;
        let depth = r#"1 {"e":"depthUpdate","s":"X","ps":"X","U":1,"u":2,"pu":0,"b":[],"a":[]}"#;
        assert_eq!(venue(&[trade, depth]), Some("binance-coinm"));
        assert_eq!(venue(&["", "x", "1 {}", r#"1 {"result":null,"id":1}"#]), None);
    }
}
