//! Raw messages of the captures through a new feed, to events and to books: one JSON line for each, in nanoseconds a message.
//!
//! Reads the shared data; prints nothing for what is absent. An argument picks the captures with that in their names;
//! `ROUNDS=200` is for a profiler.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use velox_feed::{Applied, Arrivals, BookFeed, Feed, FeedError, LineReader, Replay, ReplayOptions, Venue};
use velox_record::MarketEvent;

const CAPTURES: [(&str, Venue); 6] = [
    ("exchange-captures/KRAKEN.ws.50.0", Venue::Kraken),
    ("exchange-captures/OKX.ws.1.0", Venue::Okx),
    ("exchange-captures/BYBIT.ws.25.0", Venue::Bybit),
    ("binance/usdm-btcusdt_20240808.gz", Venue::BinanceUsdm),
    ("binance/cm-btcusd_perp_20240808.gz", Venue::BinanceCoinm),
    ("binance/spot-btcusdt_20240808.gz", Venue::BinanceSpot),
];
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

/// The least seconds of `rounds` runs over the messages. `of` makes what takes a message, which is part of the run: a
/// capture is short enough to be made of its beginning.
fn least<T>(
    rounds: usize,
    messages: &[Vec<u8>],
    of: impl Fn() -> T,
    mut take: impl FnMut(&mut T, &[u8], bool) -> Result<Applied, FeedError>,
) -> f64 {
    let mut least = f64::MAX;
    for _ in 0..rounds {
        let start = Instant::now();
        let mut target = of();
        for message in messages {
            // The snapshots of these days stand among the messages, without a symbol.
            let is_snapshot = message.starts_with(b"{\"lastUpdateId\"");
            black_box(take(&mut target, message, is_snapshot).expect("a message"));
        }
        drop(target);
        least = least.min(start.elapsed().as_secs_f64());
    }
    least
}

fn main() {
    let rounds = std::env::var("ROUNDS").map_or(9, |rounds| rounds.parse().expect("a number of rounds"));
    let only: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for (name, venue) in CAPTURES {
        let path = folder.join(name);
        if fs::metadata(&path).is_err() || only.iter().any(|only| !name.contains(only.as_str())) {
            continue;
        }
        let messages = messages(&path);
        let bytes: usize = messages.iter().map(Vec::len).sum();
        let replay = Replay::open(&path, ReplayOptions::default()).expect("a capture");
        let symbol = replay.instruments()[0].symbol();
        let feed = || Feed::new(venue, replay.instruments().to_vec()).expect("a feed");
        let mut out: Vec<MarketEvent> = Vec::new();
        let events = least(rounds, &messages, feed, |feed, message, is_snapshot| {
            out.clear();
            if is_snapshot { feed.snapshot(symbol, message, 1, &mut out) } else { feed.apply(message, 1, &mut out) }
        });
        let books = least(
            rounds,
            &messages,
            || BookFeed::new(feed()),
            |books, message, is_snapshot| {
                if is_snapshot { books.snapshot(symbol, message, 1, |_| ()) } else { books.apply(message, 1, |_| ()) }
            },
        );
        let count = messages.len();
        println!(
            "{{\"capture\":\"{name}\",\"messages\":{count},\"nsToEvents\":{:.0},\"nsToBooks\":{:.0},\"MBs\":{:.0}}}",
            events * 1e9 / count as f64,
            books * 1e9 / count as f64,
            bytes as f64 / books / 1e6
        );
    }
}
