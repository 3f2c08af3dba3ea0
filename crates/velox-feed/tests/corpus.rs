//! The committed messages of each venue, whole and damaged: a decoder gives events or an error, never a panic, and after an
//! error everything is as it was.

mod common;

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use common::Model;
use common::damage::{damage, damaged};
use proptest::prelude::*;
use velox_feed::{Applied, Arrivals, Feed, FeedError, FeedState, Replay, ReplayOptions, Venue};
use velox_record::{EventKind, Instrument, MarketEvent};

/// One file: what its header says and its lines.
#[derive(Debug)]
struct Recording {
    path: PathBuf,
    venue: Venue,
    instruments: Vec<[String; 3]>,
    /// A message, or a symbol and its snapshot.
    lines: Vec<(Option<String>, Vec<u8>)>,
}

static CORPUS: LazyLock<Vec<Recording>> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let files = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = files(folder).filter(|path| path.is_dir()).flat_map(files).collect();
    // Those of `dbn/` are no messages: tests/dbn_hostile.rs reads them.
    paths.retain(|path| path.extension().is_some_and(|it| it == "txt"));
    paths.sort();
    paths.into_iter().map(recording).collect()
});

fn recording(path: PathBuf) -> Recording {
    let text = fs::read_to_string(&path).unwrap();
    let (header, lines) = text.split_once('\n').unwrap();
    let header: serde_json::Value = serde_json::from_str(header).unwrap();
    let field = |of: &serde_json::Value, key: &str| of[key].as_str().unwrap().to_owned();
    let line = |line: &str| {
        let (_, rest) = line.split_once(' ').unwrap();
        match rest.strip_prefix("snapshot ").and_then(|named| named.split_once(' ')) {
            Some((symbol, body)) => (Some(symbol.to_owned()), body.into()),
            None => (None, rest.into()),
        }
    };
    let known = |known| [field(known, "symbol"), field(known, "tick"), field(known, "lot")];
    Recording {
        path,
        venue: Venue::from_name(&field(&header, "venue")).unwrap(),
        instruments: header["instruments"].as_array().unwrap().iter().map(known).collect(),
        lines: lines.lines().map(line).collect(),
    }
}

impl Recording {
    fn feed(&self) -> Feed {
        let known = |[symbol, tick, lot]: &[String; 3]| Instrument::new(symbol, "corpus", tick, lot).unwrap();
        Feed::new(self.venue, self.instruments.iter().map(known).collect()).unwrap()
    }
}

fn give(
    feed: &mut Feed,
    symbol: Option<&String>,
    text: &[u8],
    out: &mut Vec<MarketEvent>,
) -> Result<Applied, FeedError> {
    match symbol {
        Some(symbol) => feed.snapshot(symbol, text, 1, out),
        None => feed.apply(text, 1, out),
    }
}

#[test]
fn every_file_replays_without_an_error_and_its_books_are_live() {
    let mut venues = Vec::new();
    for recording in CORPUS.iter() {
        let mut replay = Replay::open(&recording.path, ReplayOptions::default()).unwrap();
        assert_eq!(replay.venue(), recording.venue.name());
        let (mut books, mut out) = (std::collections::BTreeMap::<u16, Model>::new(), Vec::new());
        while replay.next(&mut out).unwrap().is_some() {
            out.drain(..).for_each(|event| books.entry(event.instrument).or_default().apply(&event));
        }
        assert!(books.values().any(|book| book.depth() > 1 && book.gaps == 0 && book.wrong == 0));

        let (mut feed, mut worst) = (recording.feed(), Applied::Applied);
        for (symbol, text) in &recording.lines {
            worst = worst.max(give(&mut feed, symbol.as_ref(), text, &mut out).unwrap());
        }
        assert!(worst <= Applied::Ignored, "{}", recording.path.display());
        let symbol = &recording.instruments[0][0];
        assert_eq!(feed.state(symbol), Some(FeedState::Live), "{}", recording.path.display());
        venues.push(recording.venue);
    }
    assert!(Venue::ALL.iter().all(|venue| venues.contains(venue)), "every venue has its messages");
}

/// The trades of a file: side, price and quantity in steps, number.
fn trades(name: &str) -> Vec<(u8, i64, i64, u64)> {
    let recording = CORPUS.iter().find(|recording| recording.path.ends_with(name)).unwrap();
    let (mut feed, mut out) = (recording.feed(), Vec::new());
    for (symbol, text) in &recording.lines {
        give(&mut feed, symbol.as_ref(), text, &mut out).unwrap();
    }
    out.retain(|event| event.kind == EventKind::TRADE);
    out.iter().map(|trade| (trade.side, trade.price, trade.qty, trade.sequence)).collect()
}

#[test]
fn a_trade_has_the_side_of_its_taker_and_the_venues_number() {
    assert_eq!(trades("kraken/v1.txt"), [(1, 554_120_000, 15_850_568, 0), (0, 606_000_000, 2_455_000, 0)]);
    assert_eq!(trades("kraken/v2.txt"), [(1, 5_117, 4_000_000_000, 4_665_906)]);
    assert_eq!(trades("okx/v5.txt"), [(0, 4_221_990, 12_060_306, 130_639_474)]);
    assert_eq!(trades("bybit/v5.txt"), [(0, 33_157, 1, 0)]);
    // The maker sold: the taker bought. What was traded before the connection is not told.
    assert_eq!(trades("coinbase/advanced-trade.txt"), [(0, 2_192_174, 10_000_000, 12_346)]);
    assert_eq!(trades("kucoin/spot.txt"), [(0, 675_230, 300_000, 11_067_996_711_960_577)]);
    assert_eq!(trades("bitget/v2.txt"), [(1, 262_934, 13, 1_000_000_001)]);
}

/// Gives a damaged text in front of each line in turn. Where it is refused, the whole rest goes on as without it.
fn check(recording: &Recording, at: usize, text: &[u8]) -> Result<(), TestCaseError> {
    let (mut feed, mut plain) = (recording.feed(), recording.feed());
    let (mut out, mut expected) = (Vec::new(), Vec::new());
    let mut compared = true;
    for (index, (symbol, line)) in recording.lines.iter().enumerate() {
        if index == at {
            let before = out.len();
            match give(&mut feed, symbol.as_ref(), text, &mut out) {
                Ok(_) => compared = false,
                Err(FeedError::Message { expected, got, .. }) => {
                    prop_assert!(!expected.is_empty() && got.chars().count() <= 80);
                    prop_assert_eq!(out.len(), before);
                }
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
        let got = give(&mut feed, symbol.as_ref(), line, &mut out);
        let wanted = give(&mut plain, symbol.as_ref(), line, &mut expected);
        if compared {
            prop_assert_eq!((got, &out), (wanted, &expected));
        }
    }
    for event in out {
        prop_assert!(event.side <= 1 && event.price >= 0 && event.qty >= 0 && event.instrument > 0);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_damaged_message_is_refused_and_changes_nothing_or_is_judged_like_any_other(
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        damages in prop::collection::vec(damage(400), 1..4),
        end in prop_oneof![3 => Just(usize::MAX), 1 => 0usize..400],
    ) {
        let recording = file.get(&CORPUS);
        let at = at.index(recording.lines.len());
        check(recording, at, &damaged(&recording.lines[at].1, damages, end))?;
    }

    #[test]
    fn bytes_that_were_never_a_message_are_refused_everywhere(
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        text in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let recording = file.get(&CORPUS);
        check(recording, at.index(recording.lines.len()), &text)?;
    }
}

/// Values of every kind in place of each value of each message.
#[test]
fn a_value_of_any_other_kind_gives_an_error_or_is_judged() {
    let values = [
        "null",
        "true",
        "-1",
        "1e999",
        "18446744073709551616",
        "9223372036854775807",
        "0.000000000000000001",
        "\"\"",
        "\"99999999999999999999999999999999999999999\"",
        "\"-0.1\"",
        "\"1e5\"",
        "[]",
        "{}",
        "[[]]",
        "[[\"1\"]]",
        "[[\"\",\"\",\"\"]]",
        "\"\\u0031\"",
    ];
    for recording in CORPUS.iter() {
        for (at, (_, line)) in recording.lines.iter().enumerate() {
            let text = String::from_utf8_lossy(line);
            let starts = text.match_indices([':', '[', ',']).map(|(start, _)| start + 1).take(24);
            for start in starts {
                let end = start + text[start..].find([',', ']', '}']).unwrap_or(0);
                for value in values {
                    check(recording, at, [&text[..start], value, &text[end..]].concat().as_bytes()).unwrap();
                }
            }
        }
    }
}
