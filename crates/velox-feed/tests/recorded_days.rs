//! Whole recorded days against a naive book and the exchange's own quotes.

mod common;

use common::{Model, day, events};
use velox_feed::{Arrivals, LineReader, Replay, ReplayOptions};
use velox_record::{EventKind, MarketEvent, flags};

/// A day, its venue, the lines it has, the levels that reach a book and the quotes that can be checked.
const DAYS: [(&str, &str, u64, u64, u64); 3] = [
    ("usdm-btcusdt_20240808.gz", "binance-usdm", 93_954, 445_262, 629),
    ("cm-btcusd_perp_20240808.gz", "binance-coinm", 48_270, 297_747, 1_124),
    ("spot-btcusdt_20240808.gz", "binance-spot", 41_249, 126_073, 564),
];

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded days are not on this machine")]
fn every_day_decodes_without_a_gap_and_the_book_agrees_with_every_quote() {
    for (name, venue, lines, levels, checks) in DAYS {
        let mut replay = Replay::open(day(name), ReplayOptions::default()).unwrap();
        assert_eq!(replay.venue(), venue);
        let (mut model, mut out, mut arrivals, mut trades) = (Model::default(), Vec::new(), 0, 0);
        while replay.next(&mut out).unwrap().is_some() {
            arrivals += 1;
            trades += out.iter().filter(|event| event.kind == EventKind::TRADE).count();
            out.drain(..).for_each(|event| model.apply(&event));
        }
        assert_eq!((arrivals, model.levels, model.gaps), (lines, levels, 0), "{name}");
        let comparable = replay.comparable(replay.instrument(None).unwrap().id());
        assert_eq!((model.checks, model.wrong, comparable), (checks, 0, checks), "{name}");
        assert_eq!((replay.counts().repeated, replay.counts().skipped), (0, 0), "{name}");
        assert!(trades > 2_000, "{name}");
    }
}

/// The first lines of a day, and which of them are depth events after the snapshot.
fn head(name: &str) -> (Vec<Vec<u8>>, Vec<usize>) {
    let mut reader = LineReader::open(day(name)).unwrap();
    let (mut lines, mut depth, mut live) = (Vec::new(), Vec::new(), false);
    while lines.len() < 6_000
        && let Some(line) = reader.next_line().unwrap()
    {
        let has = |text: &[u8]| line.windows(text.len()).any(|window| window == text);
        if has(b"\"lastUpdateId\"") {
            live = true;
        } else if live && has(b"\"depthUpdate\"") {
            depth.push(lines.len());
        }
        lines.push([line, b"\n"].concat());
    }
    (lines, depth)
}

fn dozen(depth: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let step = (depth.len() - 2) / 12;
    (0..12).map(move |nth| (depth[nth * step], depth[nth * step + 1]))
}

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded days are not on this machine")]
fn a_lost_depth_line_is_a_gap_at_the_next_one_and_depth_is_silent_after_it() {
    for (name, ..) in DAYS {
        let (lines, depth) = head(name);
        for (lost, next) in dozen(&depth) {
            let end = (next + 200).min(lines.len());
            let expected = events(lines[..lost].concat());
            let got = events([&lines[..lost], &lines[lost + 1..end]].concat().concat());
            assert_eq!(got[..expected.len()], expected[..], "{name}, line {lost}");
            let rest = &got[expected.len()..];
            let gap = rest.iter().position(|event| event.kind == EventKind::STATUS).expect("no gap was told");
            let time = std::str::from_utf8(&lines[next]).unwrap().split(' ').next().unwrap();
            assert_eq!((rest[gap].flags, rest[gap].receive_ts.to_string()), (flags::GAP, time.to_owned()), "{name}");
            let is_free = |event: &MarketEvent| matches!(event.kind, EventKind::QUOTE | EventKind::TRADE);
            assert!(rest[..gap].iter().all(is_free) && rest[gap + 1..].iter().all(is_free), "{name}, line {lost}");
        }
    }
}

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded days are not on this machine")]
fn a_repeated_depth_line_changes_nothing() {
    for (name, ..) in DAYS {
        let (mut lines, depth) = head(name);
        let expected = events(lines.concat());
        for (repeated, next) in dozen(&depth) {
            lines[next] = [lines[next].clone(), lines[repeated].clone(), lines[next].clone()].concat();
        }
        assert_eq!(events(lines.concat()), expected, "{name}");
    }
}
