//! Every interleaving of the books' protocols, at a small size, up to three preemptions where a model has more of them than
//! can be tried: `RUSTFLAGS="--cfg loom" cargo test --release -p velox-book --test loom`.
//!
//! The book of many writers has prices of -4 to 3 here, a bit a level: a root, an inner level, a leaf of two ticks around the first
//! price, and one inner level more beside that. Its nodes are made at once where it needs them: std's `OnceLock`
//! isn't part of the models.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use velox_book::{OrderBook, Seqlock};
use velox_record::BID;

fn model(check: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(check);
}

/// A book with nodes for the price, and nothing in them.
fn empty(prices: &[i64]) -> Arc<OrderBook> {
    let book = OrderBook::new();
    for &price in prices {
        book.set_bid(price, -1, 0).unwrap();
        book.set_bid(price, 0, 0).unwrap();
    }
    Arc::new(book)
}

#[test]
fn what_is_read_was_written_together() {
    loom::model(|| {
        let words = Arc::new(Seqlock::<2>::new());
        let writing = Arc::clone(&words);
        let thread = thread::spawn(move || {
            writing.write([1, 1]);
            writing.write([2, 2]);
        });
        if let Some([a, b]) = words.try_pick([0, 1]) {
            assert_eq!(a, b);
        }
        thread.join().unwrap();
        assert_eq!(words.try_pick([0, 1]), Some([2, 2]));
    });
}

#[test]
fn two_writers_on_one_tick_both_find_it_the_best() {
    model(|| {
        let book = empty(&[0]);
        let writers = [5, 3].map(|qty| {
            let book = Arc::clone(&book);
            thread::spawn(move || {
                let done = book.update_bid(0, qty, 0).is_ok();
                assert!(!done || book.bid() == Some(0));
                if done { qty } else { 0 }
            })
        });
        let sum: i64 = writers.map(|writer| writer.join().unwrap()).iter().sum();
        assert!(sum > 0 && book.qty_at(BID, 0) == sum && book.bid() == Some(0));
    });
}

#[test]
fn who_sees_a_quantity_finds_it_the_best() {
    model(|| {
        let book = empty(&[0]);
        let writing = Arc::clone(&book);
        let writer = thread::spawn(move || writing.set_bid(0, 1, 0).unwrap());
        if book.qty_at(BID, 0) == 1 {
            assert_eq!(book.bid(), Some(0));
        }
        writer.join().unwrap();
    });
}

#[test]
fn adding_and_taking_away_from_empty_leave_nothing() {
    model(|| {
        let book = empty(&[0]);
        let writers = [5, -5].map(|qty| {
            let book = Arc::clone(&book);
            thread::spawn(move || if book.update_bid(0, qty, 0).is_ok() { qty } else { 0 })
        });
        let sum: i64 = writers.map(|writer| writer.join().unwrap()).iter().sum();
        assert_eq!((book.qty_at(BID, 0), book.bid()), (sum, (sum > 0).then_some(0)));
    });
}

#[test]
fn adding_against_clearing_is_not_lost() {
    model(|| {
        let book = empty(&[0]);
        book.set_bid(0, 5, 0).unwrap();
        let clearing = Arc::clone(&book);
        let thread = thread::spawn(move || clearing.set_bid(0, 0, 0).unwrap());
        if book.update_bid(0, 3, 0).is_ok() {
            let best = book.bid();
            thread.join().unwrap();
            let qty = book.qty_at(BID, 0);
            assert!(qty == 0 || (qty == 3 && best == Some(0)), "{qty} {best:?}");
            assert_eq!(book.bid(), (qty > 0).then_some(0));
        }
    });
}

/// In the same leaf, in another leaf, and in another child of the root.
#[test]
fn clearing_against_setting_beside_it_keeps_what_is_set() {
    for beside in [1, 2, -1] {
        model(move || {
            let book = empty(&[0, beside]);
            book.set_bid(0, 5, 0).unwrap();
            let clearing = Arc::clone(&book);
            let thread = thread::spawn(move || clearing.set_bid(0, 0, 0).unwrap());
            book.set_bid(beside, 1, 0).unwrap();
            let best = book.bid();
            assert!(best == Some(beside) || best == Some(0.max(beside)), "{best:?}");
            thread.join().unwrap();
            assert_eq!(book.bid(), Some(beside));
        });
    }
}

#[test]
fn a_reader_finds_a_level_while_one_is_always_there() {
    for better in [1, 2] {
        model(move || {
            let book = empty(&[0, better]);
            book.set_bid(0, 5, 0).unwrap();
            let writing = Arc::clone(&book);
            let thread = thread::spawn(move || {
                writing.set_bid(better, 1, 0).unwrap();
                writing.set_bid(better, 0, 0).unwrap();
            });
            let best = book.bid();
            assert!(best == Some(0) || best == Some(better), "{best:?}");
            thread.join().unwrap();
            assert_eq!(book.bid(), Some(0));
        });
    }
}

/// The better level comes before the other one goes, so it moves up and then down, and no reader may go back.
#[test]
fn readers_see_moves_in_their_order() {
    for better in [1, 2, 3] {
        model(move || {
            let book = empty(&[0, better]);
            book.set_bid(0, 5, 0).unwrap();
            let writing = Arc::clone(&book);
            let thread = thread::spawn(move || {
                writing.set_bid(better, 1, 0).unwrap();
                writing.set_bid(0, 0, 0).unwrap();
            });
            let first = book.bid();
            let second = book.bid();
            assert!(first == Some(0) || (first == Some(better) && second == Some(better)), "{first:?}, {second:?}");
            assert!(second.is_some());
            thread.join().unwrap();
            assert_eq!(book.bid(), Some(better));
        });
    }
}

/// A level that comes only while a better one is there, and goes before it, was never the best: at no time, and not
/// by words that came back to what they were.
#[test]
fn what_was_never_the_best_is_not_found() {
    for [worst, covered, better] in [[0, 1, 2], [-2, -1, 0]] {
        model(move || {
            let book = empty(&[0, worst, better]);
            book.set_bid(worst, 5, 0).unwrap();
            let writing = Arc::clone(&book);
            let thread = thread::spawn(move || {
                for _ in 0..2 {
                    writing.set_bid(better, 1, 0).unwrap();
                    writing.set_bid(covered, 1, 0).unwrap();
                    writing.set_bid(covered, 0, 0).unwrap();
                    writing.set_bid(better, 0, 0).unwrap();
                }
            });
            let best = book.bid();
            assert!(best == Some(worst) || best == Some(better), "{best:?}");
            thread.join().unwrap();
            assert_eq!(book.bid(), Some(worst));
        });
    }
}

#[test]
fn who_found_a_level_finds_it_again() {
    model(|| {
        let book = empty(&[0]);
        book.set_bid(0, 5, 0).unwrap();
        let changes = [0, 1].map(|qty| {
            let book = Arc::clone(&book);
            thread::spawn(move || book.set_bid(0, qty, 0).unwrap())
        });
        let reading = Arc::clone(&book);
        let reader = thread::spawn(move || {
            if reading.qty_at(BID, 0) == 0 && reading.bid() == Some(0) {
                assert_eq!(reading.bid(), Some(0));
            }
        });
        for change in changes {
            change.join().unwrap();
        }
        reader.join().unwrap();
    });
}

#[test]
fn a_reader_between_two_writers_of_one_tick() {
    model(|| {
        let book = empty(&[0]);
        book.set_bid(0, 5, 0).unwrap();
        let clearing = Arc::clone(&book);
        let clearing = thread::spawn(move || {
            clearing.set_bid(0, 0, 0).unwrap();
            clearing.set_bid(0, 2, 0).unwrap();
            assert_eq!(clearing.bid(), Some(0));
        });
        let reader = Arc::clone(&book);
        let reader = thread::spawn(move || reader.bid());
        let best = reader.join().unwrap();
        assert!(best.is_none() || best == Some(0));
        clearing.join().unwrap();
        assert_eq!((book.bid(), book.qty_at(BID, 0)), (Some(0), 2));
    });
}

/// A leaf whose better tick is taken, and whose other one is marked with nothing there, as it lies behind that.
fn with_a_dead_bit() -> Arc<OrderBook> {
    let book = empty(&[0, 1]);
    for (price, qty) in [(1, 5), (0, 5), (0, 0)] {
        book.set_bid(price, qty, 0).unwrap();
    }
    book
}

/// The worse level comes after the better one came back, so it is the best at no time, though its bit was set all along.
#[test]
fn a_level_behind_one_that_comes_back_is_not_found() {
    model(|| {
        let book = with_a_dead_bit();
        let taking = Arc::clone(&book);
        let taking = thread::spawn(move || taking.update_bid(1, -5, 0).is_ok());
        let adding = Arc::clone(&book);
        let adding = thread::spawn(move || {
            let done = adding.update_bid(1, 5, 0).is_ok();
            if done {
                adding.set_bid(0, 1, 0).unwrap();
            }
            done
        });
        let reader = Arc::clone(&book);
        let reader = thread::spawn(move || reader.bid());
        let best = reader.join().unwrap();
        assert!(best.is_none() || best == Some(1), "{best:?}");
        let left = [5, if taking.join().unwrap() { -5 } else { 0 }, if adding.join().unwrap() { 5 } else { 0 }];
        assert_eq!(book.qty_at(BID, 1), left.iter().sum::<i64>());
    });
}

/// The bit of a level's leaf, and that of the level, are about to be cleared while it comes: who found it finds it again.
#[test]
fn a_level_found_while_its_bits_are_cleared_stays() {
    let becomes_better: fn() -> (Arc<OrderBook>, i64, i64) = || {
        let book = empty(&[0, 1]);
        book.set_bid(0, 5, 0).unwrap();
        (book, 0, 1)
    };
    for begin in [becomes_better, || (with_a_dead_bit(), 1, 0)] {
        model(move || {
            let (book, goes, comes) = begin();
            let clearing = Arc::clone(&book);
            let clearing = thread::spawn(move || clearing.set_bid(goes, 0, 0).unwrap());
            let setting = Arc::clone(&book);
            let setting = thread::spawn(move || setting.set_bid(comes, 1, 0).unwrap());
            let reader = Arc::clone(&book);
            let reader = thread::spawn(move || reader.bid());
            clearing.join().unwrap();
            // Seen by a thread that is done before this one looks, and maybe before the level is set all through.
            if reader.join().unwrap() == Some(comes) {
                assert_eq!(book.bid(), Some(comes));
            }
            setting.join().unwrap();
            assert_eq!(book.bid(), Some(comes));
        });
    }
}
