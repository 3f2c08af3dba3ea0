//! Captures of raw data as cryptofeed writes them, lines of five kinds, with times in epoch seconds:
//!
//! | line | what it is |
//! |---|---|
//! | `wss://.. <-> 1618678132.38` | a connection begins |
//! | `wss://.. <- 1618678132.82: {..}` | what was sent |
//! | `1618678133.62: {..}` | what was received |
//! | `https://.. -> 1633998512.32: {..}` | the answer to a REST request |
//! | empty | |
//!
//! Source: <https://github.com/bmoscon/cryptofeed/blob/master/cryptofeed/raw_data_collection.py>.

use super::Said;
use crate::ahead::AheadLines;
use crate::error::Fault;
use crate::feed::{Venue, seconds};
use crate::json::{Doc, Value, Written};

/// Hosts by what their name ends with, the first that fits.
const HOSTS: [(&str, Venue); 14] = [
    ("fstream.binance.com", Venue::BinanceUsdm),
    ("fapi.binance.com", Venue::BinanceUsdm),
    ("dstream.binance.com", Venue::BinanceCoinm),
    ("dapi.binance.com", Venue::BinanceCoinm),
    ("binance.com", Venue::BinanceSpot),
    ("binance.vision", Venue::BinanceSpot),
    ("kraken.com", Venue::Kraken),
    ("okx.com", Venue::Okx),
    ("okex.com", Venue::Okx),
    ("bybit.com", Venue::Bybit),
    ("bytick.com", Venue::Bybit),
    ("coinbase.com", Venue::Coinbase),
    ("kucoin.com", Venue::Kucoin),
    ("bitget.com", Venue::Bitget),
];

/// An address, what lies between it and the time, the time and the rest.
struct Addressed<'l> {
    url: &'l str,
    arrow: &'l [u8],
    time: u64,
    rest: &'l [u8],
}

fn addressed(line: &[u8]) -> Option<Addressed<'_>> {
    if !is_first(line) {
        return None;
    }
    let mut parts = line.splitn(3, |&byte| byte == b' ');
    let (url, arrow, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (time, rest) = timed(rest)?;
    Some(Addressed { url: str::from_utf8(url).ok()?, arrow, time, rest })
}

/// A time and what follows it behind `: `, if anything does.
fn timed(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|&byte| byte == b':').unwrap_or(text.len());
    let rest = text.get(end + 1..).unwrap_or_default();
    Some((seconds(Written::of(&text[..end]))?, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// Whether a file that begins with this line is a capture.
pub(super) fn is_first(line: &[u8]) -> bool {
    [&b"wss://"[..], b"ws://", b"https://", b"http://"].iter().any(|scheme| line.starts_with(scheme))
}

/// When and what a line says; `None` for one that nothing was received with.
pub(super) fn line(line: &[u8]) -> Result<Option<(u64, Said<'_>)>, Fault> {
    let fault = || Fault::new("a line like `<epoch seconds>: <message>` or `<address> <- <epoch seconds>`", line);
    if line.is_empty() {
        return Ok(None);
    }
    if !is_first(line) {
        return timed(line).map(|(time, message)| Some((time, Said::Message(message)))).ok_or_else(fault);
    }
    let addressed = addressed(line).ok_or_else(fault)?;
    Ok(match addressed.arrow {
        b"<->" => Some((addressed.time, Said::Disconnected)),
        b"->" => query(addressed.url, "symbol")
            .map(|symbol| (addressed.time, Said::Snapshot { symbol, body: addressed.rest })),
        _ => None,
    })
}

/// The value of a parameter of an address.
fn query<'u>(url: &'u str, key: &str) -> Option<&'u str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// The venue, and the symbols that were subscribed to or asked for, of what was read ahead.
pub(super) fn look(lines: &AheadLines) -> Result<(Venue, Vec<String>), Fault> {
    let (mut venue, mut symbols, mut doc) = (None, Vec::<String>::new(), Doc::default());
    let mut add = |symbol: &str| {
        if !symbol.is_empty() && !symbols.iter().any(|known| known == symbol) {
            symbols.push(symbol.to_owned());
        }
    };
    for Addressed { url, arrow, rest, .. } in lines.ahead().filter_map(addressed) {
        let host = url.split_once("://").and_then(|(_, rest)| rest.split(['/', ':', '?']).next()).unwrap_or_default();
        venue = venue.or(HOSTS.iter().find(|(end, _)| host.ends_with(end)).map(|(_, venue)| *venue));
        let streams = query(url, "streams").unwrap_or_default().split('/');
        streams.for_each(|stream| add(&of_stream(stream)));
        query(url, "symbol").into_iter().for_each(&mut add);
        if arrow == b"<-"
            && let Ok(request) = doc.read(rest)
        {
            requested(request, &mut add);
        }
    }
    let venue = venue.ok_or_else(|| Fault::new("the address of a known venue", "a capture without one"))?;
    if symbols.is_empty() {
        return Err(Fault::new("a subscription to a symbol in the first lines", "none"));
    }
    Ok((venue, symbols))
}

/// `BTCUSDT` of `btcusdt@depth`.
fn of_stream(stream: &str) -> String {
    stream.split('@').next().unwrap_or_default().to_uppercase()
}

/// The symbols that a request of any venue names.
fn requested(request: Value<'_>, add: &mut impl FnMut(&str)) {
    let texts = |value: Option<Value<'_>>| -> Vec<String> {
        let items = value.and_then(Value::items).into_iter().flatten();
        items.filter_map(Value::as_text).map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    };
    for key in ["pair", "product_ids"] {
        for symbol in texts(request.get(key)) {
            add(&symbol);
        }
    }
    // Kraken v2 has an object of parameters, Binance a list of streams.
    let params = request.get("params");
    for symbol in texts(params.and_then(|params| params.get("symbol"))) {
        add(&symbol);
    }
    for stream in texts(params) {
        add(&of_stream(&stream));
    }
    // Bybit has topics, OKX and Bitget objects.
    let args = request.get("args");
    for topic in texts(args) {
        add(topic.rsplit('.').next().unwrap_or_default());
    }
    for arg in args.and_then(Value::items).into_iter().flatten() {
        let symbol = arg.text("instId").ok().and_then(|symbol| str::from_utf8(symbol).ok());
        symbol.into_iter().for_each(&mut *add);
    }
    // KuCoin names several behind a colon.
    let topic = request.get("topic").and_then(Value::as_text).and_then(|topic| str::from_utf8(topic).ok());
    let symbols = topic.and_then(|topic| topic.split_once(':')).map_or("", |(_, symbols)| symbols);
    symbols.split(',').for_each(add);
}
