//! What can go wrong between an exchange and a book, and that the book is never wrong for it.

mod common;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::exchange::{Exchange, Fault, RestFault};
use common::{Keeper, options};

fn started() -> (Exchange, Keeper) {
    let exchange = Exchange::start();
    let mut keeper = Keeper::new(options(&exchange));
    keeper.until_right(&exchange, 100);
    (exchange, keeper)
}

/// A fault, after which the book must be live and right again within 5 s.
fn after(fault: Fault) -> (Exchange, Keeper) {
    let (exchange, mut keeper) = started();
    exchange.fault(fault);
    keeper.until(&exchange, "the fault", |_| exchange.shared.faults.lock().unwrap().is_empty());
    let begun = Instant::now();
    std::thread::sleep(Duration::from_millis(20));
    keeper.until_right(&exchange, 200);
    assert!(begun.elapsed() < Duration::from_secs(5));
    keeper.is_whole(&exchange);
    (exchange, keeper)
}

#[test]
fn a_book_is_the_exchange_s_at_every_event() {
    let (exchange, mut keeper) = started();
    keeper.until_right(&exchange, 1_000);
    keeper.is_whole(&exchange);
    let report = keeper.events.stats().report();
    assert_eq!((report.connections, report.gaps, report.errors, report.dropped), (1, 0, 0, 0));
    assert!(report.messages >= 1_000 && report.last_message > 0 && report.symbols[0].last_event > 0);
    assert_eq!(report.symbols[0].state, velox_feed::FeedState::Live);
}

#[test]
fn a_connection_cut_in_the_middle_of_a_message_is_made_again() {
    let (exchange, keeper) = after(Fault::Cut);
    assert_eq!(exchange.shared.connections.load(Ordering::Relaxed), 2);
    assert!(keeper.gaps > 0 && keeper.events.stats().report().connections == 2);
}

#[test]
fn a_connection_that_says_nothing_is_given_up() {
    let (_exchange, keeper) = after(Fault::Stall);
    let report = keeper.events.stats().report();
    assert!(keeper.gaps > 0 && report.connections == 2);
    assert!(report.last_error.as_deref().unwrap().contains("sign of life"));
}

#[test]
fn garbage_is_counted_and_changes_nothing() {
    for garbage in
        [b"\x00\xff{[".to_vec(), b"{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\",\"U\":1".to_vec(), b"[]".to_vec()]
    {
        let (_exchange, keeper) = after(Fault::Garbage(garbage));
        let report = keeper.events.stats().report();
        assert_eq!((report.errors, report.connections), (1, 1), "{:?}", report.last_error);
    }
}

#[test]
fn a_lost_a_repeated_and_a_late_message_never_make_a_book_wrong() {
    for (fault, gaps) in [(Fault::Drop, 1), (Fault::Repeat, 0), (Fault::Swap, 1)] {
        let (_exchange, keeper) = after(fault.clone());
        let report = keeper.events.stats().report();
        assert_eq!((report.gaps, report.connections), (gaps, 1), "{fault:?}");
    }
}

#[test]
fn a_busy_server_and_an_old_snapshot_are_asked_again() {
    let faults = [
        RestFault::Status(429, "Retry-After: 1\r\n"),
        RestFault::Status(503, ""),
        RestFault::Old,
        RestFault::Garbage,
        RestFault::Slow(Duration::from_millis(300)),
    ];
    let exchange = Exchange::start();
    for fault in &faults {
        exchange.rest_fault(fault.clone());
    }
    let begun = Instant::now();
    let mut keeper = Keeper::new(options(&exchange));
    keeper.until_right(&exchange, 100);
    assert!(begun.elapsed() >= Duration::from_secs(1), "what the server asks for is honoured");
    keeper.is_whole(&exchange);
    assert!(keeper.events.stats().report().rest_errors >= 3);
    assert!(exchange.shared.rest_calls.load(Ordering::Relaxed) > 4);
}

#[test]
fn a_pipeline_that_is_too_far_behind_makes_the_book_stale_and_then_right_again() {
    let exchange = Exchange::start();
    let mut keeper = Keeper::new(velox_live::LiveOptions { capacity: 256, ..options(&exchange) });
    keeper.until_right(&exchange, 100);
    let stats = keeper.events.stats();
    let begun = Instant::now();
    while stats.report().overflows == 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:#?}", stats.report());
        std::thread::sleep(Duration::from_millis(5));
    }
    let gaps = keeper.gaps;
    keeper.until(&exchange, "the gap", |it| it.gaps > gaps);
    keeper.until_right(&exchange, 200);
    keeper.is_whole(&exchange);
    let report = stats.report();
    assert!(report.dropped > 0 && report.connections > 1);
}

#[test]
fn a_connection_that_is_cut_again_and_again_comes_back_as_soon_each_time() {
    let (exchange, mut keeper) = started();
    for cuts in 2..=6 {
        std::thread::sleep(Duration::from_millis(1_050));
        exchange.fault(Fault::Cut);
        let begun = Instant::now();
        keeper.until(&exchange, "the cut", |it| it.events.stats().report().connections == cuts);
        keeper.until_right(&exchange, 20);
        assert!(begun.elapsed() < Duration::from_secs(2), "cut {cuts}: {:?}", begun.elapsed());
    }
    keeper.is_whole(&exchange);
}

#[test]
fn snapshots_are_asked_for_one_after_the_other_and_a_ban_is_for_all() {
    let exchange = Exchange::start();
    let mut options = options(&exchange);
    for symbol in ["ETHUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT"] {
        options.instruments.push(velox_record::Instrument::new(symbol, "binance-spot", "0.01", "0.00001").unwrap());
    }
    exchange.rest_fault(RestFault::Slow(Duration::from_millis(1_500)));
    exchange.rest_fault(RestFault::Status(418, "Retry-After: 1\r\n"));
    let _events = velox_live::Live::new(options).unwrap().start(None).unwrap();
    let calls = |count: usize| {
        let begun = Instant::now();
        while exchange.shared.rest_calls.load(Ordering::Relaxed) < count {
            assert!(begun.elapsed() < Duration::from_secs(10));
            std::thread::sleep(Duration::from_millis(1));
        }
        begun.elapsed()
    };
    calls(1);
    assert!(calls(2) >= Duration::from_millis(1_400), "while a slow answer is awaited nothing else is asked");
    assert!(calls(3) >= Duration::from_millis(900), "a ban holds for every symbol");
    calls(6);
}

#[test]
fn a_ban_is_for_all_live_markets_of_the_server() {
    let exchange = Exchange::start();
    exchange.rest_fault(RestFault::Status(418, "Retry-After: 2\r\n"));
    let mut first = Keeper::new(options(&exchange));
    first.until(&exchange, "the ban", |it| it.events.stats().report().rest_errors == 1);
    let begun = Instant::now();
    let mut second = Keeper::new(options(&exchange));
    while begun.elapsed() < Duration::from_millis(1_700) {
        first.turn(&exchange);
        second.turn(&exchange);
        assert_eq!(exchange.shared.rest_calls.load(Ordering::Relaxed), 1, "after {:?}", begun.elapsed());
        std::thread::sleep(Duration::from_millis(1));
    }
    first.until_right(&exchange, 20);
    second.until_right(&exchange, 20);
}

#[test]
fn an_answer_that_a_connection_which_has_gone_waited_for_holds_up_nothing() {
    let exchange = Exchange::start();
    exchange.rest_fault(RestFault::Slow(Duration::from_secs(60)));
    let mut keeper = Keeper::new(options(&exchange));
    keeper.until(&exchange, "the call", |_| exchange.shared.rest_calls.load(Ordering::Relaxed) == 1);
    exchange.fault(Fault::Cut);
    let begun = Instant::now();
    keeper.until_right(&exchange, 50);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
