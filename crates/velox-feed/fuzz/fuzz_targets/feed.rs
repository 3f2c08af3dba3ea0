//! The first byte chooses the venue; each further line is a message, or a snapshot behind an exclamation mark. No panic, and a
//! refused message appends nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use velox_feed::{Feed, Venue};
use velox_record::Instrument;

const SYMBOLS: [&str; 9] =
    ["BTCUSDT", "BTCUSDT", "BTCUSD_PERP", "ADA/XBT", "BTC-USDT", "BTCUSDT", "BTC-USD", "BTC-USDT", "BTCUSDT"];

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    let at = usize::from(*first) % Venue::ALL.len();
    let symbol = SYMBOLS[at];
    let instrument = Instrument::new(symbol, "fuzz", "0.00000001", "0.00000001").expect("an instrument");
    let mut feed = Feed::new(Venue::ALL[at], vec![instrument]).expect("a feed");
    let mut out = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let before = out.len();
        let applied = match line.strip_prefix(b"!") {
            Some(body) => feed.snapshot(symbol, body, 1, &mut out),
            None => feed.apply(line, 1, &mut out),
        };
        assert!(applied.is_ok() || out.len() == before);
    }
    assert!(out.iter().all(|event| event.side <= 1 && event.price >= 0 && event.qty >= 0));
});
