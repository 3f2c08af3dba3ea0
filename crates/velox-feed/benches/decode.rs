//! Raw messages of the captures through a feed, to events: one JSON line for each, in nanoseconds a message and a level.
//!
//! Reads the shared data; prints nothing for what is absent.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use velox_feed::{Arrivals, Feed, LineReader, Replay, ReplayOptions, Venue};

const CAPTURES: [(&str, Venue); 6] = [
    ("exchange-captures/KRAKEN.ws.50.0", Venue::Kraken),
    ("exchange-captures/OKX.ws.1.0", Venue::Okx),
    ("exchange-captures/BYBIT.ws.25.0", Venue::Bybit),
    ("binance/usdm-btcusdt_20240808.gz", Venue::BinanceUsdm),
    ("binance/cm-btcusd_perp_20240808.gz", Venue::BinanceCoinm),
    ("binance/spot-btcusdt_20240808.gz", Venue::BinanceSpot),
];
const ROUNDS: usize = 9;

/// The messages that were received, a snapshot by REST among them.
fn messages(path: &Path) -> Vec<Vec<u8>> {
    let mut lines = LineReader::open(path).expect("a capture");
    let mut messages = Vec::new();
    while let Some(line) = lines.next_line().expect("a line") {
        let json = line.iter().position(|byte| matches!(byte, b'{' | b'[')).filter(|_| !line.starts_with(b"wss"));
        messages.extend(json.map(|at| line[at..].to_vec()));
    }
    messages
}

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for (name, venue) in CAPTURES {
        let path = folder.join(name);
        if fs::metadata(&path).is_err() {
            continue;
        }
        let messages = messages(&path);
        let bytes: usize = messages.iter().map(Vec::len).sum();
        let replay = Replay::open(&path, ReplayOptions::default()).expect("a capture");
        let symbol = replay.instruments()[0].symbol().to_owned();
        let (mut best, mut events) = (f64::MAX, 0);
        for _ in 0..ROUNDS {
            let mut feed = Feed::new(venue, replay.instruments().to_vec()).expect("a feed");
            let mut out = Vec::new();
            events = 0;
            let start = Instant::now();
            for message in &messages {
                out.clear();
                // The snapshots of these days stand among the messages, without a symbol.
                let is_snapshot = message.starts_with(b"{\"lastUpdateId\"");
                let applied = if is_snapshot {
                    feed.snapshot(&symbol, message, 1, &mut out)
                } else {
                    feed.apply(message, 1, &mut out)
                };
                black_box(applied.expect("a message"));
                events += out.len();
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!(
            "{{\"capture\":\"{name}\",\"messages\":{},\"events\":{events},\"nsMessage\":{:.0},\"nsEvent\":{:.1},\"MBs\":{:.0}}}",
            messages.len(),
            best * 1e9 / messages.len() as f64,
            best * 1e9 / events as f64,
            bytes as f64 / best / 1e6
        );
    }
}
