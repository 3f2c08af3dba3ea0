//! The books under threads.
#![cfg(not(loom))]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use velox_book::{BookError, L2Book, OrderBook, Standing};
use velox_record::{ASK, BID, Instrument};

fn instrument() -> Arc<Instrument> {
    Instrument::new("BTCUSDT", "test", "0.1", "0.001").unwrap()
}

#[test]
fn what_many_writers_add_and_take_away_sums_up() {
    let book = OrderBook::new();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for i in 0..2_000i64 {
                    let price = 10_000 + i % 50;
                    while book.update_bid(price, 3, i as u64).is_err() {}
                    while book.update_bid(price, -2, i as u64).is_err() {}
                    while book.update_ask(i64::MAX - i % 50, -1, i as u64).is_err() {}
                }
            });
        }
    });
    let depth = book.depth(100);
    assert!(depth.bids.len() == 50 && depth.bids.iter().all(|level| level.qty == 120) && depth.asks.is_empty());
    assert_eq!((book.best_bid(), book.best_ask(), book.last_update()), (10_049, i64::MAX, 1_999));
    assert_eq!((book.qty_at(ASK, i64::MAX), book.spread()), (-120, i64::MAX - 10_049));
}

#[test]
fn a_quantity_beyond_64_bits_is_refused_and_the_level_stays() {
    let book = OrderBook::new();
    book.update_ask(-5, i64::MAX, 1).unwrap();
    let refused = book.update_ask(-5, 1, 2);
    assert_eq!(refused, Err(BookError::Overflow { price: -5, have: i64::MAX, delta: 1 }));
    book.set_bid(i64::MAX, 1, 3).unwrap();
    assert_eq!((book.best_ask(), book.checked_spread()), (-5, Some(i64::MIN)));
    book.set_ask(-5, 0, 4).unwrap();
    assert_eq!((book.ask(), book.checked_spread()), (None, None));
}

#[test]
fn a_book_has_one_writer_at_a_time() {
    let book = L2Book::new(instrument());
    let first = book.claim("the first").unwrap();
    assert_eq!(book.claim("the second").unwrap_err(), BookError::Owned { by: "the first".into() });
    drop(first);
    assert!(book.claim("the second").is_ok());
}

#[test]
fn an_event_with_a_bad_level_changes_nothing() {
    let book = L2Book::new(instrument());
    let mut writer = book.claim("test").unwrap();
    writer.apply(&[(BID, 10, 1), (ASK, 12, 1)], 1).unwrap();
    for bad in [(2, 11, 1), (BID, 11, -1)] {
        assert!(matches!(writer.apply(&[(BID, 11, 5), bad], 2), Err(BookError::InvalidLevel { .. })));
        assert!(matches!(writer.snapshot(&[(BID, 11, 5), bad], 2), Err(BookError::InvalidLevel { .. })));
    }
    assert_eq!((book.top().unwrap().bid, book.qty_at(BID, 11), book.top().unwrap().sequence), (10, 0, 1));
}

#[test]
fn a_gap_hides_the_top_until_a_snapshot() {
    let book = L2Book::new(instrument());
    assert_eq!((book.standing(), book.top()), (Standing::Empty, None));
    let mut writer = book.claim("test").unwrap();
    writer.apply(&[(BID, 10, 1)], 1).unwrap();
    assert_eq!((book.standing(), book.top(), book.crossed()), (Standing::Live, None, false));
    writer.begin().mark_stale();
    writer.apply(&[(ASK, 9, 1)], 2).unwrap();
    assert_eq!((book.standing(), book.top()), (Standing::Stale, None));
    writer.snapshot(&[(BID, 10, 2), (ASK, 9, 1)], 3).unwrap();
    assert_eq!((book.standing(), book.crossed(), book.top().unwrap().bid_qty), (Standing::Live, true, 2));
}

#[test]
fn readers_see_whole_events_only() {
    let book = L2Book::new(instrument());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = book.claim("test").unwrap();
            // Bid and ask move together, 10 apart, with the sequence as their quantity.
            for n in 1..50_000i64 {
                let old = n - 1;
                let event = [(BID, old, 0), (ASK, old + 10, 0), (BID, n, n), (ASK, n + 10, n)];
                writer.apply(&event, n as u64).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    let Some(top) = book.top() else { continue };
                    let whole = (top.bid + 10, top.bid, top.bid, top.bid as u64);
                    assert_eq!((top.ask, top.bid_qty, top.ask_qty, top.sequence), whole);
                    let depth = book.depth(9);
                    assert!(depth.bids.len() == 1 && depth.asks[0].price == depth.bids[0].price + 10, "{depth:?}");
                }
            });
        }
    });
}

#[test]
fn one_side_alone_has_its_best_price() {
    let book = L2Book::new(instrument());
    assert_eq!((book.best_bid(), book.best_ask()), (None, None));
    let mut writer = book.claim("test").unwrap();
    writer.apply(&[(BID, -10, 1)], 1).unwrap();
    assert_eq!((book.best_bid(), book.best_ask()), (Some(-10), None));
    writer.apply(&[(ASK, i64::MAX, 1), (BID, -10, 0)], 2).unwrap();
    assert_eq!((book.best_bid(), book.best_ask()), (None, Some(i64::MAX)));
    writer.begin().mark_stale();
    assert_eq!(book.best_ask(), None);
}
