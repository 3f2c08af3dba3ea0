//! What a feed asks for, refuses and keeps apart.

mod common;

use std::fs::{self, File};
use std::io::Cursor;
use std::path::PathBuf;

use common::script::Script;
use velox_feed::{Applied, Arrivals, Feed, FeedError, FeedState, MessageWriter, Replay, ReplayOptions, Venue};
use velox_record::{EventKind, Instrument, MarketEvent, flags};

fn feed(venue: Venue, symbols: &[&str]) -> Feed {
    let made = |symbol: &&str| Instrument::new(symbol, venue.name(), "0.1", "0.001").unwrap();
    Feed::new(venue, symbols.iter().map(made).collect()).unwrap()
}

/// A snapshot and `events` changes of the best bid.
fn script(events: usize) -> Script {
    let event = |at: usize| vec![(0, 5_990 + (at % 3) as i64, 1_000 + at as i64)];
    Script { events: std::iter::once(vec![(0, 5_980, 1), (1, 6_010, 1)]).chain((1..=events).map(event)).collect() }
}

fn by_rest(venue: Venue) -> bool {
    feed(venue, &["AB-CD"]).snapshot_request("AB-CD").is_some()
}

fn start(feed: &mut Feed, script: &Script, symbol: &str, event: usize, out: &mut Vec<MarketEvent>) -> Applied {
    let text = script.snapshot(feed.venue(), symbol, event, event);
    match feed.snapshot_request(symbol) {
        Some(_) => feed.snapshot(symbol, text.as_bytes(), 1, out).unwrap(),
        None => feed.apply(text.as_bytes(), 1, out).unwrap(),
    }
}

#[test]
fn what_to_subscribe_to_names_every_symbol_and_both_streams() {
    for venue in Venue::ALL {
        let feed = feed(venue, &["AB-CD", "EF-GH"]);
        let text = feed.subscribe_messages().join("\n");
        assert!(
            feed.subscribe_messages().iter().all(|message| serde_json::from_str::<serde_json::Value>(message).is_ok())
        );
        let lower = text.to_lowercase();
        for wanted in ["ab-cd", "ef-gh"] {
            assert!(lower.matches(wanted).count() >= 2, "{venue}: {text}");
        }
        assert!(["trade", "match"].iter().any(|trades| lower.contains(trades)), "{venue}: {text}");
    }
}

#[test]
fn a_request_is_cut_where_the_venue_takes_no_more() {
    let symbols: Vec<String> = (0..250).map(|nth| format!("S{nth}")).collect();
    let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
    let requests = |venue: Venue| feed(venue, &symbols).subscribe_messages();
    assert_eq!(requests(Venue::BinanceSpot).len(), 3);
    assert_eq!(requests(Venue::Bybit).len(), 50);
    assert_eq!(requests(Venue::Kucoin).len(), 6);
    assert!(requests(Venue::Bitget).iter().all(|request| request.len() <= 4_096));
    assert!(requests(Venue::Okx).iter().all(|request| request.len() <= 64 << 10));
}

#[test]
fn a_snapshot_is_asked_for_where_it_is_wanted_and_while_it_is() {
    let script = script(3);
    for venue in Venue::ALL {
        let mut feed = feed(venue, &["AB-CD"]);
        let asks = feed.snapshot_request("AB-CD");
        assert_eq!(
            asks.is_some(),
            feed.resubscribe_messages("AB-CD").is_empty(),
            "{venue}: by REST or on the connection"
        );
        if let Some(url) = asks {
            assert!(url.starts_with(venue.rest_url()) && url.contains("symbol=AB-CD"), "{url}");
            feed.set_rest_url("http://localhost:1").unwrap();
            assert!(feed.snapshot_request("AB-CD").unwrap().starts_with("http://localhost:1/"));
        }
        assert_eq!(start(&mut feed, &script, "AB-CD", 0, &mut Vec::new()), Applied::Applied);
        assert_eq!(feed.snapshot_request("AB-CD"), None);
        assert!(feed.resubscribe_messages("AB-CD").is_empty(), "a live book needs none");
        assert_eq!((feed.state("XX"), feed.snapshot_request("XX")), (None, None));
        assert!(matches!(feed.snapshot("XX", b"{}", 1, &mut Vec::new()), Err(FeedError::UnknownSymbol { .. })));
    }
}

#[test]
fn symbols_are_wanted_and_each_once() {
    let of = |symbols: &[&str]| {
        let instruments = symbols.iter().map(|symbol| Instrument::new(symbol, "test", "1", "1"));
        Feed::new(Venue::Okx, instruments.collect::<Result<_, _>>().ok()?).err()
    };
    for wrong in [&[][..], &["A", "A"], &["BTCUSDT", "btcusdt"], &["A B"], &["A\n"]] {
        assert_eq!(of(wrong).unwrap().code(), "VELOX_INVALID_VALUE", "{wrong:?}");
    }
    assert!(Instrument::new("", "test", "1", "1").is_err() || of(&[""]).is_some());
}

#[test]
fn a_symbol_that_is_not_plain_is_encoded_in_a_url() {
    for venue in Venue::ALL.into_iter().filter(|venue| by_rest(*venue)) {
        let url = feed(venue, &["币&X=1"]).snapshot_request("币&X=1").unwrap();
        assert!(url.contains("symbol=%E5%B8%81%26X%3D1"), "{url}");
    }
}

#[test]
fn a_gap_of_one_symbol_is_no_gap_of_another_but_where_the_connection_is_numbered() {
    let script = script(6);
    for venue in
        Venue::ALL.into_iter().filter(|venue| !matches!(venue, Venue::Kraken | Venue::Bitget | Venue::Coinbase))
    {
        let (mut feed, mut out) = (feed(venue, &["AB-CD", "EF-GH"]), Vec::new());
        for symbol in ["AB-CD", "EF-GH"] {
            assert_eq!(start(&mut feed, &script, symbol, 0, &mut out), Applied::Applied);
        }
        let mut give = |symbol: &str, event| feed.apply(script.message(venue, symbol, event).as_bytes(), 1, &mut out);
        assert_eq!(give("AB-CD", 1), Ok(Applied::Applied));
        assert_eq!(give("EF-GH", 1), Ok(Applied::Applied));
        assert_eq!(give("AB-CD", 3), Ok(Applied::Gap));
        assert_eq!(give("EF-GH", 2), Ok(Applied::Applied));
        assert_eq!(give("XX-YY", 5), Ok(Applied::Ignored));
        assert_eq!(feed.stale_symbols(), ["AB-CD"]);
    }
    let (mut feed, mut out) = (feed(Venue::Coinbase, &["AB-CD", "EF-GH"]), Vec::new());
    let text = |symbol, number| script.snapshot(Venue::Coinbase, symbol, 0, number);
    for (number, symbol) in ["AB-CD", "EF-GH"].into_iter().enumerate() {
        assert_eq!(feed.apply(text(symbol, number).as_bytes(), 1, &mut out), Ok(Applied::Applied));
    }
    out.clear();
    assert_eq!(feed.apply(script.message(Venue::Coinbase, "AB-CD", 3).as_bytes(), 1, &mut out), Ok(Applied::Gap));
    assert_eq!((feed.stale_symbols(), out.len()), (vec!["AB-CD", "EF-GH"], 2));
}

#[test]
fn a_snapshot_that_is_too_old_for_what_waits_is_a_gap_and_a_newer_one_is_right() {
    let script = script(9);
    for venue in Venue::ALL.into_iter().filter(|venue| by_rest(*venue)) {
        let (mut feed, mut out) = (feed(venue, &["AB-CD"]), Vec::new());
        for event in 4..=7 {
            let message = script.message(venue, "AB-CD", event);
            assert_eq!(feed.apply(message.as_bytes(), 1, &mut out), Ok(Applied::Buffered));
        }
        assert_eq!(start(&mut feed, &script, "AB-CD", 2, &mut out), Applied::Gap, "{venue}");
        assert_ne!(feed.state("AB-CD"), Some(FeedState::Live));
        assert!(feed.snapshot_request("AB-CD").is_some());
        out.clear();
        assert_eq!(start(&mut feed, &script, "AB-CD", 5, &mut out), Applied::Applied);
        let mut book = common::Model::default();
        for event in &out {
            book.apply(event);
        }
        assert_eq!(book.levels(), script.truth()[7], "{venue}");
    }
}

#[test]
fn what_waits_for_a_snapshot_has_a_bound() {
    let script = script(1);
    for venue in [Venue::BinanceSpot, Venue::Kucoin] {
        let (mut feed, mut out) = (feed(venue, &["AB-CD"]), Vec::new());
        for event in 1..=10_500u64 {
            let message = script.message(venue, "AB-CD", 1);
            let [first, last] = [991, 1_000].map(|number| (number + 10 * event).to_string());
            let moved = message.replace("1010", "LAST").replace("1001", &first).replace("LAST", &last);
            assert_eq!(feed.apply(moved.as_bytes(), 1, &mut out), Ok(Applied::Buffered), "{venue} {event}");
        }
        // The oldest 500 made room: a snapshot that needs them is too old.
        assert_eq!(start(&mut feed, &script, "AB-CD", 0, &mut out), Applied::Gap);
        assert!(out.iter().all(|event| event.kind == EventKind::STATUS));
    }
}

#[test]
fn a_refused_request_is_an_error_with_the_venues_words() {
    for (venue, message, said) in [
        (Venue::BinanceSpot, r#"{"error":{"code":2,"msg":"Invalid request"},"id":1}"#, "Invalid request"),
        (Venue::BinanceUsdm, r#"{"code":-1003,"msg":"Too many requests"}"#, "Too many requests"),
        (
            Venue::Kraken,
            r#"{"errorMessage":"Currency pair not supported","event":"subscriptionStatus","status":"error"}"#,
            "Currency pair not supported",
        ),
        (Venue::Kraken, r#"{"error":"Currency pair not supported","method":"subscribe","success":false}"#, "Currency"),
        (Venue::Okx, r#"{"event":"error","code":"60012","msg":"Invalid request","connId":"a"}"#, "Invalid request"),
        (
            Venue::Bybit,
            r#"{"success":false,"ret_msg":"error:handler not found","op":"subscribe"}"#,
            "handler not found",
        ),
        (Venue::Coinbase, r#"{"type":"error","message":"failed to subscribe"}"#, "failed to subscribe"),
        (Venue::Kucoin, r#"{"id":"1","type":"error","code":404,"data":"topic is not found"}"#, "topic is not found"),
        (Venue::Bitget, r#"{"event":"error","code":30001,"msg":"Channel not exist"}"#, "Channel not exist"),
    ] {
        let error = feed(venue, &["AB-CD"]).apply(message.as_bytes(), 1, &mut Vec::new()).unwrap_err();
        let FeedError::Message { venue: of, expected, got } = &error else { panic!("{error}") };
        assert_eq!((*of, &expected[..]), (venue.name(), "an accepted request"));
        assert!(got.contains(said), "{error}");
        assert_eq!(error.code(), "VELOX_BAD_MESSAGE");
    }
}

#[test]
fn a_message_that_is_too_long_is_refused() {
    let long = vec![b' '; velox_feed::MAX_LINE + 1];
    for venue in Venue::ALL {
        assert!(feed(venue, &["AB-CD"]).apply(&long, 1, &mut Vec::new()).unwrap_err().to_string().contains("16 MiB"));
    }
}

#[test]
fn a_new_connection_gives_back_the_trades_that_the_old_one_lost() {
    let trade = |id: u64| {
        format!(
            r#"{{"trade_id":"{id}","product_id":"AB-CD","price":"1.5","size":"2","side":"BUY","time":"2026-11-25T08:00:00Z"}}"#
        )
    };
    let message = |number: u64, kind: &str, ids: &[u64]| {
        let trades: Vec<String> = ids.iter().map(|&id| trade(id)).collect();
        format!(
            r#"{{"channel":"market_trades","timestamp":"2026-11-25T08:00:00Z","sequence_num":{number},"events":[{{"type":"{kind}","trades":[{}]}}]}}"#,
            trades.join(",")
        )
    };
    let mut feed = feed(Venue::Coinbase, &["AB-CD"]);
    let mut ids = |message: String| {
        let mut out = Vec::new();
        feed.apply(message.as_bytes(), 1, &mut out).unwrap();
        if message.contains("\"sequence_num\":2,") {
            feed.disconnected(&mut Vec::new());
        }
        assert!(out.iter().all(|trade| trade.flags == 0 && trade.kind == EventKind::TRADE));
        out.iter().map(|trade| trade.sequence).collect::<Vec<_>>()
    };
    // Before the first connection nobody had asked; the newest stands first.
    assert!(ids(message(0, "snapshot", &[12, 11, 10])).is_empty());
    assert_eq!(ids(message(1, "update", &[13])), [13]);
    assert_eq!(ids(message(2, "update", &[15, 14])), [15, 14]);
    assert_eq!(ids(message(0, "snapshot", &[18, 17, 16, 15, 14])), [16, 17, 18]);
    assert_eq!(ids(message(1, "update", &[19])), [19]);
}

/// What a feed says of a script in which the connection is lost once, and a recording of it.
fn recorded(venue: Venue) -> (Vec<u8>, Vec<MarketEvent>) {
    let script = script(8);
    let (mut feed, mut out) = (feed(venue, &["AB-CD"]), Vec::new());
    let mut writer = MessageWriter::new(Vec::new(), venue, feed.instruments()).unwrap();
    let mut time = 0;
    for (event, is_snapshot) in [(0, true), (1, false), (2, false), (5, true), (6, false), (7, false)] {
        time += 1;
        if event == 5 {
            let start = out.len();
            feed.disconnected(&mut out);
            out[start..].iter_mut().for_each(|event| event.receive_ts = time);
            writer.disconnected(time).unwrap();
        }
        if is_snapshot && by_rest(venue) {
            let body = script.snapshot(venue, "AB-CD", event, event).replace("],", "],\n");
            writer.snapshot(time, "AB-CD", body.as_bytes()).unwrap();
            feed.snapshot("AB-CD", body.as_bytes(), time, &mut out).unwrap();
            continue;
        }
        let message = if is_snapshot {
            script.snapshot(venue, "AB-CD", event, event)
        } else {
            script.message(venue, "AB-CD", event)
        };
        writer.message(time, message.as_bytes()).unwrap();
        assert_eq!(feed.apply(message.as_bytes(), time, &mut out), Ok(Applied::Applied), "{venue}");
    }
    (writer.into_inner(), out)
}

fn replayed(file: &[u8]) -> Result<Vec<MarketEvent>, FeedError> {
    let mut replay = Replay::from_reader("recording", Cursor::new(file.to_vec()), ReplayOptions::default())?;
    let mut out = Vec::new();
    while replay.next(&mut out)?.is_some() {}
    Ok(out)
}

#[test]
fn a_recording_gives_the_same_events_again() {
    for venue in Venue::ALL {
        let (file, expected) = recorded(venue);
        assert!(expected.iter().any(|event| event.flags == flags::GAP));
        assert_eq!(replayed(&file).unwrap(), expected, "{venue}");
    }
}

#[test]
fn a_recorder_that_was_killed_leaves_everything_up_to_its_last_whole_line() {
    let (file, expected) = recorded(Venue::BinanceUsdm);
    let header = file.iter().position(|&byte| byte == b'\n').unwrap();
    for end in header + 1..file.len() {
        let got = replayed(&file[..end]).unwrap();
        assert_eq!(got, expected[..got.len()], "cut at {end}");
    }
    // In the middle of a file the same is damage.
    let torn = [&file[..file.len() - 40], b"\n", &file[file.len() - 40..]].concat();
    assert!(matches!(replayed(&torn), Err(FeedError::Corrupt { line: 8, .. })));
}

#[test]
fn a_header_says_what_is_wrong_with_it() {
    let header =
        r#"{"velox":"messages","version":1,"venue":"okx","instruments":[{"symbol":"A","tick":"0.1","lot":"1"}]}"#;
    for (from, to, expected) in [
        (r#""version":1"#, r#""version":2"#, "field `version`: 1"),
        ("okx", "mtgox", "field `venue`"),
        (r#""tick":"0.1""#, r#""tick":"x""#, "field `instruments`"),
        ("]}", "", "JSON"),
    ] {
        let error = replayed(header.replace(from, to).as_bytes()).unwrap_err();
        assert!(
            matches!(&error, FeedError::Corrupt { line: 1, expected: said, .. } if said.contains(expected)),
            "{error}"
        );
    }
    let options = ReplayOptions { symbols: vec!["B".into()], ..ReplayOptions::default() };
    let error = Replay::from_reader("x", Cursor::new(header), options).err().unwrap();
    assert_eq!(error.to_string(), "unknown symbol: expected one of A, got B");
    let finer = Instrument::new("A", "okx", "0.001", "1").unwrap();
    let options = ReplayOptions { instruments: vec![finer.clone()], ..ReplayOptions::default() };
    assert_eq!(Replay::from_reader("x", Cursor::new(header), options).unwrap().instrument(None).unwrap(), finer);
}

#[test]
fn a_recording_goes_straight_to_a_file() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("live.messages");
    let market = Instrument::new("AB-CD", "okx", "0.1", "0.001").unwrap();
    let mut writer = MessageWriter::new(File::create(&path).unwrap(), Venue::Okx, &[market]).unwrap();
    writer.message(5, b"pong").unwrap();
    // Nothing is held back: the file has it while the recorder lives.
    assert!(fs::read_to_string(&path).unwrap().ends_with("\n5 pong\n"));
    let mut replay = Replay::open(&path, ReplayOptions::default()).unwrap();
    assert_eq!(replay.next(&mut Vec::new()), Ok(Some(5)));
    assert_eq!((replay.left_out(), replay.next(&mut Vec::new())), (1, Ok(None)));
    drop(writer);
}

#[test]
fn a_capture_without_a_venue_or_a_symbol_says_so() {
    for (text, expected) in [
        ("wss://example.org/ <-> 1618677785.48\n", "the address of a known venue"),
        ("wss://ws.kraken.com <-> 1618677785.48\n", "a subscription to a symbol"),
    ] {
        let error = replayed(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let head = "wss://ws.kraken.com <- 1618677785.4: {\"event\":\"subscribe\",\"pair\":[\"XBT/USD\"]}\n";
    let error = replayed([head, "garbage\n", "\n"].concat().as_bytes()).unwrap_err();
    assert!(matches!(error, FeedError::Corrupt { line: 2, .. }), "{error}");
    let options = ReplayOptions { format: Some("messages".into()), ..ReplayOptions::default() };
    let error = Replay::from_reader("x", Cursor::new(head), options).err().unwrap();
    assert!(error.to_string().contains("a first line of the format messages"), "{error}");
}
