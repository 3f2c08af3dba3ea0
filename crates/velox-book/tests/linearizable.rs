//! Recorded histories of threads on one book of many writers, held against a map: for each there must be an order of the operations,
//! within the times that they took, in which a map gives the same answers. `VELOX_SOAK=1` records fifty times as many.
//!
//! The search is Wing and Gong's with Lowe's memory of states seen: Wing, Gong, "Testing and verifying concurrent
//! objects" (1993); Lowe, "Testing for linearizability" (2017).
#![cfg(not(loom))]

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use velox_book::OrderBook;
use velox_record::BID;

const THREADS: usize = 3;
const OPERATIONS: usize = 6;
/// In one leaf, in the next one, and under another child of the root; ascending.
const PRICES: [i64; 4] = [-40_000, 64, 99, 100];

#[derive(Debug, Clone, Copy)]
enum Operation {
    Set(usize, i64),
    Add(usize, i64),
    Qty(usize),
    Best,
}

#[derive(Debug, Clone, Copy)]
struct Recorded {
    operation: Operation,
    /// The quantity, or the best price; 0 for changes.
    answer: i64,
    called: u64,
    returned: u64,
}

type State = [i64; PRICES.len()];

fn random(seed: &mut u64, below: u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 20) % below
}

fn choose(seed: &mut u64) -> Operation {
    let place = random(seed, PRICES.len() as u64) as usize;
    match random(seed, 8) {
        0 | 1 => Operation::Set(place, random(seed, 2) as i64),
        2 => Operation::Add(place, 1),
        3 => Operation::Add(place, -1),
        4 => Operation::Qty(place),
        _ => Operation::Best,
    }
}

fn run(book: &OrderBook, operation: Operation) -> i64 {
    match operation {
        Operation::Set(place, qty) => book.set_bid(PRICES[place], qty, 0).map_or(0, |()| 0),
        Operation::Add(place, delta) => {
            while book.update_bid(PRICES[place], delta, 0).is_err() {}
            0
        }
        Operation::Qty(place) => book.qty_at(BID, PRICES[place]),
        Operation::Best => book.bid().unwrap_or(0),
    }
}

/// What a map answers, and what it holds then.
fn sequential(mut state: State, operation: Operation) -> (i64, State) {
    let answer = match operation {
        Operation::Set(place, qty) => {
            state[place] = qty;
            0
        }
        Operation::Add(place, delta) => {
            state[place] += delta;
            0
        }
        Operation::Qty(place) => state[place],
        Operation::Best => state.iter().rposition(|&qty| qty > 0).map_or(0, |place| PRICES[place]),
    };
    (answer, state)
}

/// Whether there is an order. `done` has a bit for each operation that is placed already.
fn has_order(history: &[Recorded], done: u32, state: State, seen: &mut HashSet<(u32, State)>) -> bool {
    if done.count_ones() as usize == history.len() {
        return true;
    }
    if !seen.insert((done, state)) {
        return false;
    }
    let open = || history.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
    let first_return = open().map(|(_, one)| one.returned).min().unwrap_or(u64::MAX);
    open().filter(|(_, one)| one.called < first_return).any(|(at, one)| {
        let (answer, next) = sequential(state, one.operation);
        answer == one.answer && has_order(history, done | 1 << at, next, seen)
    })
}

fn record(rounds: usize, seed: u64) -> Vec<Vec<Recorded>> {
    let books: Vec<OrderBook> = (0..rounds).map(|_| OrderBook::new()).collect();
    let (clock, arrived) = (AtomicU64::new(0), AtomicUsize::new(0));
    let of_thread = |thread: usize| {
        let mut seed = seed + thread as u64 * 7_919;
        let mut recorded = Vec::with_capacity(rounds * OPERATIONS);
        for (round, book) in books.iter().enumerate() {
            arrived.fetch_add(1, Ordering::SeqCst);
            while arrived.load(Ordering::SeqCst) < (round + 1) * THREADS {
                thread::yield_now();
            }
            for _ in 0..OPERATIONS {
                let operation = choose(&mut seed);
                let called = clock.fetch_add(1, Ordering::SeqCst);
                let answer = run(book, operation);
                let returned = clock.fetch_add(1, Ordering::SeqCst);
                recorded.push(Recorded { operation, answer, called, returned });
            }
        }
        recorded
    };
    let threads: Vec<Vec<Recorded>> = thread::scope(|scope| {
        let of_thread = &of_thread;
        let running: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || of_thread(thread))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let of_round = |round: usize| {
        let mine = round * OPERATIONS..(round + 1) * OPERATIONS;
        threads.iter().flat_map(|recorded| recorded[mine.clone()].iter().copied()).collect()
    };
    (0..rounds).map(of_round).collect()
}

#[test]
fn every_history_has_an_order_in_which_a_map_answers_the_same() {
    let repeats = if std::env::var_os("VELOX_SOAK").is_some() { 200 } else { 4 };
    let mut overlapping = 0;
    for repeat in 0..repeats {
        for history in record(1_000, 0x9E37_79B9_7F4A_7C15 + repeat) {
            overlapping += usize::from(history.iter().any(|one| one.returned > one.called + 1));
            assert!(has_order(&history, 0, [0; PRICES.len()], &mut HashSet::new()), "no order explains {history:#?}");
        }
    }
    assert!(overlapping > 0, "no two operations overlapped: the machine has one core");
}

#[test]
fn a_history_that_no_order_explains_is_found() {
    let at = |operation, answer, called| Recorded { operation, answer, called, returned: called + 1 };
    let lost = [at(Operation::Set(3, 1), 0, 0), at(Operation::Best, 0, 2)];
    let late = [at(Operation::Set(3, 1), 0, 0), Recorded { called: 0, ..at(Operation::Best, 0, 2) }];
    assert!(!has_order(&lost, 0, [0; PRICES.len()], &mut HashSet::new()));
    assert!(has_order(&late, 0, [0; PRICES.len()], &mut HashSet::new()));
}
