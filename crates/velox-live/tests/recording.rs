//! What is recorded gives the same events again.

mod common;

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use common::exchange::{Exchange, Fault};
use common::{Keeper, options};
use velox_feed::{Arrivals, Replay, ReplayOptions};
use velox_live::{Live, LiveError, LiveOptions};
use velox_record::{EventKind, MarketEvent, flags};

/// A path of this test's own, where nothing is.
fn path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("velox-live-{}-{name}.log", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn replayed(path: &std::path::Path) -> Vec<MarketEvent> {
    let mut replay = Replay::open(path.to_str().unwrap(), ReplayOptions::default()).unwrap();
    let (mut all, mut events) = (Vec::new(), Vec::new());
    while replay.next(&mut events).unwrap().is_some() {
        all.append(&mut events);
    }
    all
}

#[test]
fn a_replay_of_a_recording_gives_the_same_events() {
    let path = path("same");
    let exchange = Exchange::start();
    let options = LiveOptions { record: Some(path.clone()), ..options(&exchange) };
    // Twice, as after a crash in the middle of a line.
    let (mut live, mut ended) = (Vec::new(), 0);
    for run in 0..2 {
        let mut keeper = Keeper::new(options.clone());
        keeper.until_right(&exchange, 100);
        exchange.fault(Fault::Drop);
        keeper.until_right(&exchange, 100);
        exchange.fault(Fault::Cut);
        keeper.until(&exchange, "the cut", |it| it.events.stats().report().connections == 2);
        keeper.until_right(&exchange, 100);
        keeper.events.stop();
        while !keeper.events.is_finished() {
            keeper.turn(&exchange);
        }
        let end = keeper.all.pop().unwrap();
        assert!(end.has(flags::GAP) && end.has(flags::LAST), "the end of a run is no part of the recording: {end:?}");
        live.append(&mut keeper.all);
        if run == 0 {
            ended = live.last().unwrap().receive_ts;
        }
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"1795596838815309609 {\"stream\":\"btcus"))
            .unwrap();
    }
    let mut replayed = replayed(&path);
    // The second recording begins with the end of the first one's connection.
    let first_run = replayed.iter().position(|event| event.receive_ts > ended).unwrap();
    let begun_again = replayed.remove(first_run);
    assert!(begun_again.kind == EventKind::STATUS && begun_again.has(flags::GAP));
    for (index, (live, replayed)) in live.iter().zip(&replayed).enumerate() {
        assert_eq!(live, replayed, "event {index}");
    }
    assert_eq!(live.len(), replayed.len());
    assert!(live.len() > 500 && exchange.shared.connections.load(Ordering::Relaxed) == 4);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_file_that_is_no_recording_of_these_markets_is_refused_and_left_alone() {
    let path = path("other");
    let exchange = Exchange::start();
    let other = r#"{"velox":"messages","version":1,"venue":"kraken","instruments":[]}"#.to_owned() + "\n1 [";
    let cut = "{\"velox\":\"messages\",\"version\":1,\"venue\":\"kraken\"";
    for text in [cut, "a letter without a line end", "a letter\n", &other] {
        std::fs::write(&path, text).unwrap();
        let options = LiveOptions { record: Some(path.clone()), ..options(&exchange) };
        let error = Live::new(options).unwrap().start(None).unwrap_err();
        assert!(matches!(&error, LiveError::Unwritable { reason, .. } if reason.contains("no recording")), "{error}");
        assert_eq!(error.code(), "VELOX_FILE_UNWRITABLE");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_recording_that_was_cut_off_in_its_first_line_begins_anew() {
    let path = path("cut");
    let exchange = Exchange::start();
    let options = LiveOptions { record: Some(path.clone()), ..options(&exchange) };
    let record = || {
        let mut keeper = Keeper::new(options.clone());
        keeper.until_right(&exchange, 20);
        drop(keeper);
        std::fs::read(&path).unwrap()
    };
    let whole = record();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for left in [1, header / 2, header] {
        std::fs::write(&path, &whole[..left]).unwrap();
        let again = record();
        assert!(again.starts_with(&whole[..=header]), "of {left} bytes");
        assert!(replayed(&path).len() > 20);
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_file_is_for_one_run_at_a_time() {
    let path = path("twice");
    let exchange = Exchange::start();
    let options = LiveOptions { record: Some(path.clone()), ..options(&exchange) };
    let mut keeper = Keeper::new(options.clone());
    let error = Live::new(options.clone()).unwrap().start(None).unwrap_err();
    assert!(matches!(&error, LiveError::Unwritable { reason, .. } if reason.contains("another run")), "{error}");
    keeper.until_right(&exchange, 20);
    drop(keeper);
    drop(Live::new(options).unwrap().start(None).unwrap());
    assert!(replayed(&path).len() > 20);
    std::fs::remove_file(path).unwrap();
}

/// The device takes nothing: what is written at the very end fails, and nobody looks after it.
#[test]
#[cfg(target_os = "linux")]
fn a_recording_that_fails_at_its_very_end_is_told() {
    let exchange = Exchange::start();
    let options = LiveOptions { record: Some("/dev/full".into()), ..options(&exchange) };
    let mut events = Live::new(options).unwrap().start(None).unwrap();
    // Before the first bytes are handed over.
    events.stop();
    let error = events.failure();
    assert!(matches!(&error, Some(LiveError::Unwritable { path, .. }) if path == "/dev/full"), "{error:?}");
}
