//! Files as users have them: several symbols, other kinds of messages, faults.

mod common;

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use common::{FIXTURE, drain, events};
use flate2::Compression;
use flate2::write::GzEncoder;
use velox_feed::{Arrivals, FeedError, Replay, ReplayOptions};
use velox_record::{ASK, BID, EventKind, Instrument, flags};

fn open(text: &str) -> Result<Replay, FeedError> {
    with(text, ReplayOptions::default())
}

fn with(text: &str, options: ReplayOptions) -> Result<Replay, FeedError> {
    Replay::from_reader("day.txt", Cursor::new(text.to_owned()), options)
}

/// The error of the first line that has one: line, expected, got.
fn fault(text: &str) -> (u64, String, String) {
    let error = match open(text) {
        Ok(mut replay) => drain(&mut replay).into_iter().find_map(Result::err).expect("no error"),
        Err(error) => error,
    };
    assert_eq!(error.code(), "VELOX_CORRUPT_DATA");
    let FeedError::Corrupt { path, line, expected, got } = error else { panic!("{error}") };
    assert_eq!(path, "day.txt");
    (line, expected, got)
}

fn temporary(name: &str, content: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

const TICKER: &str = r#"5 {"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":7,"s":"BTCUSDT","b":"1.5","B":"2","a":"1.75","A":"3","T":4,"E":9}}"#;
const TRADE: &str =
    r#"6 {"data":{"e":"trade","E":8,"T":7,"s":"BTCUSDT","t":11,"p":"1.75","q":"0.5","X":"MARKET","m":false}}"#;
const SNAPSHOT: &str = r#"7 {"lastUpdateId":20,"E":1,"T":3,"bids":[["1.5","2"]],"asks":[["1.75","3"],["2","1"]]}"#;
const DEPTH: &str = r#"8 {"data":{"e":"depthUpdate","E":6,"T":5,"s":"BTCUSDT","U":18,"u":22,"pu":16,"b":[["1.5","0"]],"a":[["1.8","4"]]}}"#;

#[test]
fn each_message_becomes_the_events_it_says() {
    let events = events([TICKER, TRADE, SNAPSHOT, DEPTH].join("\r\n"));
    let rows: Vec<_> = events
        .iter()
        .map(|e| (e.kind, e.side, e.flags, e.price, e.qty, e.sequence, e.exchange_ts / 1_000_000, e.receive_ts))
        .collect();
    let (level, quote, trade) = (EventKind::LEVEL, EventKind::QUOTE, EventKind::TRADE);
    assert_eq!(
        rows,
        [
            (quote, BID, 0, 150, 2_000, 7, 4, 5),
            (quote, ASK, flags::LAST, 175, 3_000, 7, 4, 5),
            (trade, BID, 0, 175, 500, 11, 7, 6),
            (level, BID, flags::SNAPSHOT, 150, 2_000, 20, 3, 7),
            (level, ASK, 0, 175, 3_000, 20, 3, 7),
            (level, ASK, flags::LAST, 200, 1_000, 20, 3, 7),
            (level, BID, 0, 150, 0, 22, 5, 8),
            (level, ASK, flags::LAST, 180, 4_000, 22, 5, 8),
        ]
    );
    assert!(events.iter().all(|e| e.instrument == events[0].instrument && e.instrument > 0));
}

#[test]
fn a_depth_event_without_levels_says_nothing_and_still_advances() {
    let follows = |u: u64, pu: u64, b: &str| {
        format!(r#"9 {{"e":"depthUpdate","s":"BTCUSDT","T":1,"U":{u},"u":{u},"pu":{pu},"b":[{b}],"a":[]}}"#)
    };
    let lines = [SNAPSHOT, DEPTH, &follows(30, 22, ""), &follows(40, 30, r#"["1","1"]"#)].join("\n");
    let mut replay = open(&lines).unwrap();
    let messages = drain(&mut replay);
    assert!(messages[2].as_ref().unwrap().1.is_empty());
    assert_eq!(messages[3].as_ref().unwrap().1[0].sequence, 40);
    assert_eq!(replay.counts().gaps, 0);
}

#[test]
fn a_taker_who_sells_is_an_ask() {
    assert_eq!(events(TRADE.replace("false", "true"))[0].side, ASK);
}

#[test]
fn messages_of_other_kinds_are_arrivals_without_events() {
    let others = [
        r#"1 {"result":null,"id":1}"#,
        r#"1 {"data":{"e":"aggTrade","s":"BTCUSDT","a":5,"p":"1","q":"1","f":1,"l":1,"m":true}}"#,
        r#"1 {"data":{"e":"forceOrder","E":1,"o":{"s":"BTCUSDT","p":"1"}}}"#,
        r#"1 {"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":3,"bids":[["1","1"]],"asks":[]}}"#,
        r#"1 {"stream":"btcusdt@depth5","data":{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":1,"pu":0,"b":[],"a":[]}}"#,
        &TRADE.replace("\"0.5\"", "\"0\"").replace("MARKET", "NA"),
    ];
    let mut replay = open(&[&[TICKER][..], &others].concat().join("\n")).unwrap();
    let messages = drain(&mut replay);
    assert_eq!(messages.len(), 7);
    assert!(messages[1..].iter().all(|message| message.as_ref().unwrap().1.is_empty()));
    assert_eq!(replay.counts().skipped, 6);
}

#[test]
fn symbols_are_told_apart_and_filtered_and_take_the_instruments_given() {
    let text = [TICKER, &TICKER.replace("BTCUSDT", "ETHUSDT"), &TRADE.replace("BTCUSDT", "ETHUSDT")].join("\n");
    let replay = open(&text).unwrap();
    let (btc, eth) = (replay.instrument(Some("BTCUSDT")).unwrap(), replay.instrument(Some("ETHUSDT")).unwrap());
    assert_eq!((btc.tick().to_string(), btc.lot().to_string()), ("0.01".into(), "0.001".into()));
    assert_eq!((eth.tick().to_string(), eth.venue()), ("0.00000001".into(), "binance-usdm"));
    let FeedError::UnknownSymbol { known, .. } = replay.instrument(Some("XRPUSDT")).unwrap_err() else { panic!() };
    assert_eq!(known, ["BTCUSDT", "ETHUSDT"]);
    assert!(replay.instrument(None).is_err());

    let given = Instrument::new("ETHUSDT", "", "0.25", "0.5").unwrap();
    let options =
        ReplayOptions { symbols: vec!["ETHUSDT".into()], instruments: vec![given.clone()], ..ReplayOptions::default() };
    let mut replay = with(&text, options).unwrap();
    assert_eq!(replay.instrument(None).unwrap(), given);
    assert_eq!(replay.instruments(), std::slice::from_ref(&given));
    let other = Instrument::new("ETHUSDT", "binance-spot", "0.25", "0.5").unwrap();
    let options = ReplayOptions { instruments: vec![other.clone()], ..ReplayOptions::default() };
    assert_ne!(with(&text, options).unwrap().instrument(Some("ETHUSDT")).unwrap(), other, "another market");
    let messages: Vec<_> = drain(&mut replay).into_iter().map(|message| message.unwrap().1).collect();
    assert!(messages[0].is_empty());
    assert_eq!((messages[1][0].price, messages[1][0].qty, messages[1][0].instrument), (6, 4, given.id()));
    assert_eq!(messages[2].len(), 1);

    let options = ReplayOptions { symbols: vec!["XRPUSDT".into()], ..ReplayOptions::default() };
    let error = with(&text, options).err().unwrap();
    assert_eq!(error.code(), "VELOX_UNKNOWN_SYMBOL");
    assert!(error.to_string().contains("BTCUSDT, ETHUSDT"));
}

#[test]
fn a_symbol_that_first_speaks_late_gets_an_instrument_then() {
    let late = TICKER.replace("BTCUSDT", "LATEUSDT");
    let mut replay = open(&[format!("{TICKER}\n").repeat(5_000), late.clone(), late].join("\n")).unwrap();
    assert_eq!(replay.instruments().len(), 1);
    let messages = drain(&mut replay);
    assert_eq!(replay.instruments().len(), 2);
    assert_eq!(messages[5_001].as_ref().unwrap().1[0].instrument, replay.instruments()[1].id());
}

#[test]
fn a_snapshot_without_a_symbol_is_of_the_only_symbol_there_is() {
    assert_eq!(events([SNAPSHOT, DEPTH].join("\n")).len(), 5);
    let (line, expected, _) = fault(&[TICKER, &TICKER.replace("BTCUSDT", "ETHUSDT"), SNAPSHOT].join("\n"));
    assert!(line == 3 && expected.contains("several symbols"), "{expected}");
    assert!(fault(SNAPSHOT).1.contains("names its symbol"));
    let options = ReplayOptions { symbols: vec!["BTCUSDT".into()], ..ReplayOptions::default() };
    assert_eq!(with(SNAPSHOT, options).unwrap().instrument(None).unwrap().symbol(), "BTCUSDT");
    let enveloped = r#"7 {"stream":"btcusdt@depth","data":{"lastUpdateId":20,"T":1,"bids":[["1","1"]],"asks":[]}}"#;
    assert_eq!(events([TICKER, &TICKER.replace("BTCUSDT", "ETHUSDT"), enveloped].join("\n")).len(), 5);
}

#[test]
fn a_fault_names_its_line_and_field_and_what_was_expected() {
    for (from, to, expected, got) in [
        (r#""2","a""#, r#""2.0001","a""#, "field `B`: a multiple of 0.001", "2.0001"),
        (r#""1.5""#, r#""1.505""#, "field `b`: a multiple of 0.01", "1.505"),
        (r#""1.5""#, r#""-1.5""#, "field `b`: at least 0.00", "-1.5"),
        (r#""1.5""#, r#""1e5""#, "field `b`: a decimal like 61800.30", "1e5"),
        (r#""1.5""#, r#""99999999999999999999""#, "field `b`: at most 2^63 - 1 steps of 0.01", "99999999999999999999"),
        (r#""u":7"#, r#""u":"7""#, "field `u`: a whole number", "\"7\""),
        (r#""T":4"#, r#""T":18446744073709551615"#, "field `T`: epoch milliseconds", "18446744073709551615"),
        (r#""s":"BTCUSDT","#, "", "field `s`: a text", "nothing"),
        ("5 {", "{", "a line like `<receive time, epoch ns> <JSON>`", "{\"stream\""),
        ("5 {", "99999999999999999999 {", "a line like", "99999999999999999999 {"),
        ("5 {", "+5 {", "a line like", "+5 {"),
        (r#","E":9}}"#, "", "a message in JSON (", "\"T\":4"),
        (r#""e":"bookTicker","#, r#""e":5,"#, "field `e`: a text", "5"),
    ] {
        let broken = TICKER.replacen(from, to, 1);
        assert_ne!(broken, TICKER, "{from} is not there");
        let fault = fault(&[TICKER, "", &broken, TRADE].join("\n"));
        assert_eq!(fault.0, 3);
        assert!(fault.1.contains(expected) && fault.2.contains(got) && fault.2.chars().count() <= 80, "{fault:?}");
    }
    let levels = |from: &str, to: &str| fault(&[TICKER, SNAPSHOT, &DEPTH.replacen(from, to, 1)].join("\n"));
    assert!(levels("\"1.8\"", "\"0\"").1.contains("field `a`: at least 0.01"));
    assert!(levels("\"4\"", "\"4.00001\"").1.contains("field `a`: a multiple of 0.001"));
    assert!(levels("\"U\":18", "\"U\":23").1.contains("field `U`: at most `u`, 22"));
    let spot = DEPTH.replacen("\"pu\":16,", "", 1);
    assert!(fault(&[DEPTH, &spot].join("\n")).1.contains("field `pu`"));
    assert!(fault(&[&spot, DEPTH].join("\n")).1.contains("without field `pu`"));
}

#[test]
fn after_a_line_that_can_not_be_decoded_the_next_one_is() {
    let messages = drain(&mut open(&[TICKER, "garbage", TRADE].join("\n")).unwrap());
    assert!(matches!(messages[1], Err(FeedError::Corrupt { line: 2, .. })));
    assert_eq!(messages[2].as_ref().unwrap().1.len(), 1);
}

#[test]
fn what_has_no_message_at_all_is_refused_at_line_one() {
    for text in ["", "\n\n", "price,qty\n1,2\n", "1 {}", r#"{"e":"trade"}"#, r#"1 {"result":null}"#] {
        let (line, expected, _) = fault(text);
        assert!(line == 1 && expected.starts_with("a message of Binance"), "{text:?}: {expected}");
    }
    let options = ReplayOptions { format: Some("kraken".into()), ..ReplayOptions::default() };
    let error = with(TICKER, options).err().unwrap();
    assert_eq!(error.to_string(), "unknown format: expected one of binance, capture, messages, velox, got kraken");
    assert_eq!(error.code(), "VELOX_UNKNOWN_FORMAT");
    assert!(
        with(TICKER, ReplayOptions { format: Some("binance".into()), ..ReplayOptions::default() }).is_ok(),
        "the format there is"
    );
}

#[test]
fn a_missing_file_a_folder_and_a_damaged_archive_each_have_their_code() {
    let code = |path: PathBuf| Replay::open(path, ReplayOptions::default()).err().map(|error| error.code());
    assert_eq!(code("no/such/day.gz".into()), Some("VELOX_FILE_NOT_FOUND"));
    assert_eq!(code(env!("CARGO_MANIFEST_DIR").into()), Some("VELOX_FILE_UNREADABLE"));

    let whole = gzip(FIXTURE.as_bytes());
    assert_eq!(code(temporary("magic.gz", &whole[..2])), Some("VELOX_CORRUPT_DATA"));
    for cut in [whole.len() / 2, whole.len() - 4] {
        let path = temporary(&format!("cut-{cut}.gz"), &whole[..cut]);
        let mut replay = Replay::open(&path, ReplayOptions::default()).unwrap();
        let messages = drain(&mut replay);
        let Some(Err(FeedError::Corrupt { path: named, line, .. })) = messages.last() else { panic!("{messages:?}") };
        // The error stands twice at the end: it repeats.
        assert!(*named == path.display().to_string() && *line == messages.len() as u64 - 1);
    }
    let mut flipped = whole.clone();
    flipped[whole.len() - 6] ^= 1;
    let mut replay = Replay::open(temporary("flipped.gz", &flipped), ReplayOptions::default()).unwrap();
    assert!(matches!(drain(&mut replay).last(), Some(Err(FeedError::Corrupt { .. }))));
}

#[test]
fn an_archive_and_several_in_a_row_read_like_the_plain_text() {
    let (front, back) = FIXTURE.split_at(FIXTURE.len() / 3);
    let path = temporary("members.gz", &[gzip(front.as_bytes()), gzip(back.as_bytes())].concat());
    let mut replay = Replay::open(path, ReplayOptions::default()).unwrap();
    let got: Vec<_> = drain(&mut replay).into_iter().flat_map(|message| message.unwrap().1).collect();
    assert_eq!(got, events(FIXTURE));
}
