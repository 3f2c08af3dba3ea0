//! A recording, or lines of messages behind a byte that chooses the venue. A time before a message is left out; a snapshot stands
//! behind an exclamation mark, or as in recordings behind its symbol. No panic, and a refused message appends nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use velox_feed::{Feed, Venue};
use velox_record::Instrument;

/// In the order of `Venue::ALL`: those of the corpus, whatever a header says, as a process holds so many instruments only.
const SYMBOLS: [&[&str]; 9] = [
    &["BTCUSDT"],
    &["BTCUSDT"],
    &["BTCUSD_PERP"],
    &["ADA/XBT", "XBT/USD", "MATIC/USD"],
    &["BTC-USDT", "BTC-USD-220527"],
    &["BTCUSDT", "BCHUSDT"],
    &["BTC-USD"],
    &["BTC-USDT"],
    &["BTCUSDT"],
];

/// The venue by its place, and the lines of messages.
fn venue(data: &[u8]) -> Option<(usize, &[u8])> {
    if !data.starts_with(b"{\"velox\":\"messages\"") {
        return data.split_first().map(|(first, text)| (usize::from(*first) % Venue::ALL.len(), text));
    }
    let (header, text) = data.split_at(data.iter().position(|&byte| byte == b'\n')? + 1);
    let (_, named) = std::str::from_utf8(header).ok()?.split_once("\"venue\":\"")?;
    let venue = Venue::from_name(named.split('"').next()?)?;
    Some((Venue::ALL.iter().position(|&known| known == venue)?, text))
}

/// What stands behind the time of receipt, where there is one.
fn timeless(line: &[u8]) -> &[u8] {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && line.get(digits) == Some(&b' ') { &line[digits + 1..] } else { line }
}

/// A snapshot's symbol and body.
fn snapshot<'a>(line: &'a [u8], first: &'a str) -> Option<(&'a str, &'a [u8])> {
    if let Some(body) = line.strip_prefix(b"!") {
        return Some((first, body));
    }
    let named = line.strip_prefix(b"snapshot ")?;
    let end = named.iter().position(|&byte| byte == b' ')?;
    Some((std::str::from_utf8(&named[..end]).ok()?, &named[end + 1..]))
}

fuzz_target!(|data: &[u8]| {
    let Some((at, text)) = venue(data) else { return };
    let made = |symbol: &&str| Instrument::new(symbol, "fuzz", "0.00000001", "0.00000001").expect("an instrument");
    let mut feed = Feed::new(Venue::ALL[at], SYMBOLS[at].iter().map(made).collect()).expect("a feed");
    let mut out = Vec::new();
    for line in text.split(|&byte| byte == b'\n').map(timeless) {
        let before = out.len();
        let applied = match snapshot(line, SYMBOLS[at][0]) {
            Some((symbol, body)) => feed.snapshot(symbol, body, 1, &mut out),
            None => feed.apply(line, 1, &mut out),
        };
        assert!(applied.is_ok() || out.len() == before);
    }
    assert!(out.iter().all(|event| event.side <= 1 && event.price >= 0 && event.qty >= 0));
});
