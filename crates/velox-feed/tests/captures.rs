//! Captures of four exchanges through the feed, against a naive book, checksums and quotes.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use common::Model;
use velox_feed::{Applied, Arrivals, Feed, FeedState, Replay, ReplayOptions, Venue};
use velox_record::{EventKind, MarketEvent, flags};

fn capture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/exchange-captures").join(name)
}

/// The messages of a capture that were received, without their times.
fn messages(name: &str) -> Vec<String> {
    let text = fs::read_to_string(capture(name)).unwrap();
    let received = |line: &str| line.starts_with(|first: char| first.is_ascii_digit());
    text.lines().filter(|line| received(line)).map(|line| line.split_once(": ").unwrap().1.to_owned()).collect()
}

fn feed(venue: Venue, name: &str) -> Feed {
    let replay = Replay::open(capture(name), ReplayOptions::default()).unwrap();
    assert_eq!(replay.venue(), venue.name());
    Feed::new(venue, replay.instruments().to_vec()).unwrap()
}

/// How often a feed says what, over messages.
fn applied<'m>(feed: &mut Feed, messages: impl IntoIterator<Item = &'m String>) -> BTreeMap<Applied, u64> {
    let (mut counts, mut out) = (BTreeMap::new(), Vec::new());
    for message in messages {
        *counts.entry(feed.apply(message.as_bytes(), 1, &mut out).unwrap()).or_default() += 1;
    }
    counts
}

#[test]
#[cfg_attr(shared_absent, ignore = "the captures are not on this machine")]
fn every_checksum_of_kraken_is_right() {
    let messages = messages("KRAKEN.ws.50.0");
    let with_checksum = messages.iter().filter(|message| message.contains("\"c\":\"")).count();
    let mut feed = feed(Venue::Kraken, "KRAKEN.ws.50.0");
    let counts = applied(&mut feed, &messages);
    assert_eq!((with_checksum, counts[&Applied::Applied]), (4_269, 4_269 + 10));
    assert_eq!(counts.keys().max(), Some(&Applied::Ignored), "no checksum failed");
    assert!(feed.instruments().iter().all(|market| feed.state(market.symbol()) == Some(FeedState::Live)));
}

#[test]
#[cfg_attr(shared_absent, ignore = "the captures are not on this machine")]
fn every_checksum_of_okx_is_right() {
    let messages = messages("OKX.ws.1.0");
    let mut feed = feed(Venue::Okx, "OKX.ws.1.0");
    let books: Vec<_> = messages.iter().filter(|message| message.contains("\"checksum\"")).cloned().collect();
    assert_eq!(applied(&mut feed, &books), [(Applied::Applied, 290)].into());
}

/// A checksum sees the best levels only: a change below them may go unnoticed for a while.
#[test]
#[cfg_attr(shared_absent, ignore = "the captures are not on this machine")]
fn a_level_that_was_changed_on_the_way_is_noticed_and_the_book_waits_for_its_snapshot() {
    let messages = messages("OKX.ws.1.0");
    let books: Vec<_> = messages.iter().filter(|message| message.contains("\"checksum\"")).cloned().collect();
    let mut tried = 0;
    for at in (3..books.len()).step_by(7) {
        let Some(level) = books[at].find("\"asks\":[[\"").map(|found| found + 10) else { continue };
        let end = level + books[at][level..].find("\",\"0\",\"").unwrap();
        let size = books[at][..end].rfind('"').unwrap() + 1;
        if &books[at][size..end] == "0" {
            continue;
        }
        let mut feed = feed(Venue::Okx, "OKX.ws.1.0");
        applied(&mut feed, &books[..at]);
        let symbol = books[at].split("\"instId\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let wrong = [&books[at][..size], "123456", &books[at][end..]].concat();
        let mut out = Vec::new();
        match feed.apply(wrong.as_bytes(), 1, &mut out).unwrap() {
            Applied::Applied => continue,
            applied => assert_eq!(applied, Applied::Checksum),
        }
        assert!(out.len() == 1 && out[0].kind == EventKind::STATUS && out[0].flags == flags::GAP, "{out:?}");
        assert_eq!((feed.state(&symbol), feed.stale_symbols()), (Some(FeedState::Stale), vec![&symbol[..]]));
        assert!(feed.resubscribe_messages(&symbol)[1].contains(&symbol));
        assert_eq!(feed.apply(books[at].as_bytes(), 1, &mut out).unwrap(), Applied::Ignored);
        let snapshot = books[..3].iter().find(|message| message.contains(&symbol)).unwrap();
        assert_eq!(feed.apply(snapshot.as_bytes(), 1, &mut out).unwrap(), Applied::Applied);
        assert!(feed.stale_symbols().is_empty());
        tried += 1;
    }
    assert!(tried >= 5, "{tried}");
}

/// The books that a capture makes, by instrument, checked by `check` after each event.
fn replayed(name: &str, mut check: impl FnMut(&Model, &MarketEvent)) -> (BTreeMap<u16, Model>, u64) {
    let mut replay = Replay::open(capture(name), ReplayOptions::default()).unwrap();
    let (mut books, mut out, mut trades) = (BTreeMap::<u16, Model>::new(), Vec::new(), 0);
    while replay.next(&mut out).unwrap().is_some() {
        for event in out.drain(..) {
            trades += u64::from(event.kind == EventKind::TRADE);
            let book = books.entry(event.instrument).or_default();
            book.apply(&event);
            if event.kind == EventKind::LEVEL && event.has(flags::LAST) {
                check(book, &event);
            }
        }
    }
    assert_eq!(replay.counts().gaps, 0);
    (books, trades)
}

fn is_uncrossed(book: &Model) -> bool {
    matches!(book.best(), [Some(bid), Some(ask)] if bid.0 < ask.0)
}

#[test]
#[cfg_attr(shared_absent, ignore = "the captures are not on this machine")]
fn books_of_kraken_never_grow_over_their_depth() {
    let (books, _) = replayed("KRAKEN.ws.50.0", |book, _| assert!(is_uncrossed(book) && book.depth() <= 2_000));
    assert_eq!(books.len(), 10);
}

/// The former messages of Bybit have no sequence and no checksum, but always 25 levels a side.
#[test]
#[cfg_attr(shared_absent, ignore = "the captures are not on this machine")]
fn books_of_bybit_always_have_25_levels_a_side() {
    let mut events = 0;
    let (books, trades) = replayed("BYBIT.ws.25.0", |book, _| {
        events += 1;
        assert!(is_uncrossed(book) && book.depth() == 50);
    });
    assert_eq!((events, books.len()), (3_252 + 8, 8));
    assert!(trades >= 66);
}

#[test]
#[cfg_attr(shared_absent, ignore = "the captures are not on this machine")]
fn trades_and_books_of_okx_come_through_the_replay() {
    let (books, trades) = replayed("OKX.ws.1.0", |book, _| assert!(is_uncrossed(book)));
    assert_eq!(books.len(), 3);
    assert!(trades >= 74);
}

/// The lines of both captures of Binance in the order of their times: the snapshots came by REST.
fn binance() -> String {
    let text = ["BINANCE.ws.1.0", "BINANCE.http.0.0"].map(|name| fs::read_to_string(capture(name)).unwrap());
    let time = |line: &str| -> f64 {
        let time =
            if line.starts_with("http") || line.starts_with("wss") { line.split(' ').nth(2) } else { Some(line) };
        time.unwrap().split(':').next().unwrap().parse().unwrap()
    };
    let mut lines: Vec<&str> = text.iter().flat_map(|text| text.lines()).filter(|line| !line.is_empty()).collect();
    lines.sort_by(|a, b| time(a).total_cmp(&time(b)));
    lines.join("\n")
}

#[test]
#[cfg_attr(shared_absent, ignore = "the captures are not on this machine")]
fn four_books_of_binance_agree_with_every_quote() {
    let mut replay = Replay::from_reader("both", Cursor::new(binance()), ReplayOptions::default()).unwrap();
    let (mut books, mut out) = (BTreeMap::<u16, Model>::new(), Vec::new());
    while replay.next(&mut out).unwrap().is_some() {
        for event in out.drain(..) {
            books.entry(event.instrument).or_default().apply(&event);
        }
    }
    let (checks, wrong) = books.values().fold((0, 0), |sum, book| (sum.0 + book.checks, sum.1 + book.wrong));
    let comparable: u64 = replay.instruments().iter().map(|market| replay.comparable(market.id())).sum();
    assert_eq!((books.len(), wrong, checks), (4, 0, comparable));
    assert!(checks > 10, "{checks}");
}
