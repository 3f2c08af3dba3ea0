//! Databento's files, each against the `dbn` crate's own decoder.

mod common;

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use common::{Best, Model, drain};
use dbn::decode::{DecodeRecordRef, DynDecoder};
use dbn::{BidAskPair, Mbp1Msg, Mbp10Msg, TradeMsg, UNDEF_PRICE, VersionUpgradePolicy};
use velox_feed::{Arrivals, FeedError, Replay, ReplayOptions};
use velox_record::{ASK, BID, EventKind, Instrument, MarketEvent, flags};

fn shared(folder: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder).join(name)
}

const MBP_1: &str = "futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst";
const TRADES: &str = "futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst";

/// What the crate says of one record: its best prices and sizes, its trade, its times.
#[derive(Debug, PartialEq)]
struct Told {
    levels: Vec<[Best; 2]>,
    trade: Option<(i64, i64, u8)>,
    sequence: u64,
    times: [u64; 2],
    is_last: bool,
}

fn pairs(levels: &[BidAskPair]) -> Vec<[Best; 2]> {
    let best = |price, size: u32| (price != UNDEF_PRICE).then_some((price, i64::from(size)));
    levels.iter().map(|pair| [best(pair.bid_px, pair.bid_sz), best(pair.ask_px, pair.ask_sz)]).collect()
}

fn oracle(path: &PathBuf) -> Vec<Told> {
    let mut decoder = DynDecoder::from_file(path, VersionUpgradePolicy::AsIs).unwrap();
    let mut told = Vec::new();
    macro_rules! tell {
        ($record:expr, $levels:expr) => {
            told.push(Told {
                levels: pairs($levels),
                trade: ($record.action as u8 == b'T').then_some((
                    $record.price,
                    i64::from($record.size),
                    if $record.side as u8 == b'B' { BID } else { ASK },
                )),
                sequence: u64::from($record.sequence),
                times: [$record.hd.ts_event, $record.ts_recv],
                is_last: $record.flags.is_last(),
            })
        };
    }
    while let Some(record) = decoder.decode_record_ref().unwrap() {
        if let Some(record) = record.get::<Mbp1Msg>() {
            tell!(record, &record.levels);
        } else if let Some(record) = record.get::<Mbp10Msg>() {
            tell!(record, &record.levels);
        } else if let Some(record) = record.get::<TradeMsg>() {
            tell!(record, &[]);
        }
    }
    told
}

/// Replays a file record by record, and holds each to what the crate says.
fn agrees(path: &PathBuf) -> (Replay, usize, usize) {
    let expected = oracle(path);
    let mut replay = Replay::open(path, ReplayOptions::default()).unwrap();
    let (mut model, mut out, mut trades, mut levels) = (Model::default(), Vec::new(), 0, 0);
    for (nth, told) in expected.iter().enumerate() {
        let context = format!("{}, record {}", path.display(), nth + 1);
        assert_eq!(replay.next(&mut out).unwrap(), Some(told.times[1]), "{context}");
        let mut trade = None;
        for event in out.drain(..) {
            assert_eq!(
                (event.sequence, [event.exchange_ts, event.receive_ts]),
                (told.sequence, told.times),
                "{context}"
            );
            match event.kind {
                EventKind::TRADE => trade = Some((event.price, event.qty, event.side)),
                EventKind::LEVEL => levels += 1,
                kind => panic!("{context}: {kind:?}"),
            }
            model.apply(&event);
        }
        assert_eq!(trade, told.trade, "{context}");
        trades += usize::from(trade.is_some());
        if told.is_last && !told.levels.is_empty() {
            let [bids, asks] = [0, 1].map(|side| told.levels.iter().filter_map(|pair| pair[side]).collect::<Vec<_>>());
            assert_eq!(model.best(), [bids.first().copied(), asks.first().copied()], "{context}");
            assert_eq!(model.depth(), bids.len() + asks.len(), "{context}");
            for (side, (price, _)) in bids.iter().map(|level| (BID, level)).chain(asks.iter().map(|level| (ASK, level)))
            {
                assert!(model.holds(side, *price), "{context}: no level at {price}");
            }
        }
    }
    assert_eq!(replay.next(&mut out).unwrap(), None);
    assert_eq!((replay.left_out(), replay.counts().gaps), (0, 0));
    (replay, trades, levels)
}

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded files are not on this machine")]
fn each_record_of_a_real_mbp_1_file_leaves_the_book_that_it_shows() {
    let (replay, trades, levels) = agrees(&shared("cme-mbo", MBP_1));
    let instrument = replay.instrument(None).unwrap();
    assert_eq!((instrument.symbol(), instrument.venue(), replay.venue()), ("ESU4", "GLBX.MDP3", "GLBX.MDP3"));
    assert_eq!((instrument.tick().to_string().as_str(), instrument.lot().to_string().as_str()), ("0.000000001", "1"));
    assert_eq!(trades, 120);
    assert!(levels > 2_167, "{levels}");
}

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded files are not on this machine")]
fn each_record_of_a_real_trades_file_is_one_trade() {
    let (replay, trades, levels) = agrees(&shared("cme-mbo", TRADES));
    assert_eq!((trades, levels, replay.instruments().len()), (120, 0, 1));
}

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded files are not on this machine")]
fn every_version_and_packing_decodes_alike_and_mbo_is_refused_by_name() {
    let mut files: Vec<_> =
        fs::read_dir(shared("dbn-fixtures", "")).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("test_data."));
    files.sort();
    let (mut read, mut refused) = (0, 0);
    for path in &files {
        if path.display().to_string().contains(".mbo.") {
            let error = Replay::open(path, ReplayOptions::default()).err().unwrap();
            let expected = "unknown format: expected one of dbn mbp-1, dbn mbp-10, dbn trades, got dbn mbo";
            assert_eq!(
                (error.to_string().as_str(), error.code()),
                (expected, "VELOX_UNKNOWN_FORMAT"),
                "{}",
                path.display()
            );
            refused += 1;
        } else {
            let (replay, trades, levels) = agrees(path);
            assert_eq!(replay.instrument(None).unwrap().symbol(), "ESH1");
            let expected = match path.display().to_string() {
                name if name.contains("trades") => (2, 0),
                name if name.contains("mbp-10.") => (0, 21),
                _ => (0, 3),
            };
            assert_eq!((trades, levels), expected, "{}", path.display());
            read += 1;
        }
    }
    assert_eq!((read, refused), (15, 6));
}

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded files are not on this machine")]
fn a_file_packed_by_gzip_too_and_an_explicit_format_read_alike() {
    let bytes = fs::read(shared("dbn-fixtures", "test_data.mbp-1.dbn")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut &bytes[..], &mut packed).unwrap();
    let packed = packed.finish().unwrap();
    let events = |bytes: &[u8], format: Option<&str>| {
        let options = ReplayOptions { format: format.map(str::to_owned), ..ReplayOptions::default() };
        let mut replay = Replay::from_reader("day.dbn", Cursor::new(bytes.to_vec()), options)?;
        Ok::<_, FeedError>(drain(&mut replay))
    };
    let expected = events(&bytes, None).unwrap();
    assert_eq!(expected.len(), 2);
    assert_eq!(events(&packed, None).unwrap(), expected);
    assert_eq!(events(&bytes, Some("dbn")).unwrap(), expected);
    for format in ["binance", "velox"] {
        assert!(matches!(events(&bytes, Some(format)), Err(FeedError::Corrupt { line: 1, .. })), "{format}");
    }
    let error = events(common::FIXTURE.as_bytes(), Some("dbn")).unwrap_err();
    assert!(error.to_string().contains("expected a file that begins with DBN"), "{error}");
}

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded files are not on this machine")]
fn a_given_instrument_counts_the_prices_and_one_that_is_too_coarse_is_an_error_of_its_record() {
    let with = |tick: &str, venue: &str| {
        let given = Instrument::new("ESU4", venue, tick, "1").unwrap();
        let options = ReplayOptions { instruments: vec![given], ..ReplayOptions::default() };
        Replay::open(shared("cme-mbo", MBP_1), options).unwrap()
    };
    for venue in ["GLBX.MDP3", ""] {
        let messages = drain(&mut with("0.25", venue));
        assert_eq!(messages.len(), 2_288);
        let first: &MarketEvent = &messages[0].as_ref().unwrap().1[0];
        assert_eq!((first.kind, first.price, first.qty), (EventKind::TRADE, 22_115, 2));
    }
    // 5528.75 is no multiple of 0.5, and 5529 and 5528.50 are.
    let messages = drain(&mut with("0.5", ""));
    assert_eq!(messages.len(), 2_288);
    let Err(FeedError::Corrupt { line: 1, expected, got, .. }) = &messages[0] else { panic!("{:?}", messages[0]) };
    assert_eq!((expected.as_str(), got.as_str()), ("field `ask_px`: a multiple of 0.5", "5528.750000000"));
    assert_eq!(with("0.25", "elsewhere").instrument(None).unwrap().venue(), "GLBX.MDP3");
}

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded files are not on this machine")]
fn only_symbols_that_the_file_names_can_be_asked_for() {
    let asked = |symbol: &str| {
        let options = ReplayOptions { symbols: vec![symbol.into()], ..ReplayOptions::default() };
        Replay::open(shared("cme-mbo", MBP_1), options)
    };
    assert_eq!(drain(&mut asked("ESU4").unwrap()).len(), 2_288);
    let error = asked("NQU4").err().unwrap();
    assert_eq!(error, FeedError::UnknownSymbol { symbol: "NQU4".into(), known: vec!["ESU4".into()] });
}

#[test]
#[cfg_attr(shared_absent, ignore = "the recorded files are not on this machine")]
fn the_first_levels_are_a_snapshot_and_each_event_ends_with_last() {
    let messages = drain(&mut Replay::open(shared("cme-mbo", MBP_1), ReplayOptions::default()).unwrap());
    let levels = messages.iter().map(|message| {
        let events = &message.as_ref().unwrap().1;
        events.iter().filter(|event| event.kind == EventKind::LEVEL).copied().collect::<Vec<_>>()
    });
    let mut snapshots = 0;
    for levels in levels.filter(|levels| !levels.is_empty()) {
        let (last, before) = levels.split_last().unwrap();
        assert!(last.has(flags::LAST) && before.iter().all(|level| !level.has(flags::LAST)));
        assert!(levels[1..].iter().all(|level| !level.has(flags::SNAPSHOT)));
        snapshots += usize::from(levels[0].has(flags::SNAPSHOT));
    }
    // The first, and the one of the day's snapshot at midnight.
    assert_eq!(snapshots, 2);
}
