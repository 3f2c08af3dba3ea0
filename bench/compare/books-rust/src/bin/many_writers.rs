//! Two writers and a reader of the best prices on one book: `cargo run --release --bin many_writers [FILE]`. Each round runs
//! both books one after the other, and the ratio is the median of the rounds' ratios, as the distance between two cores changes
//! by the second. A run takes several turns of the system's scheduler, as there may be fewer cores than threads. What
//! the books hold at the end is the same, or it stops.

#[path = "../mutex_btree.rs"]
mod mutex_btree;
#[path = "../shared.rs"]
mod shared;
#[path = "../stream.rs"]
#[expect(dead_code, reason = "only its levels are of use here")]
mod stream;
#[path = "../velox_shared.rs"]
mod velox_shared;

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use mutex_btree::MutexBTree;
use shared::Shared;
use stream::Stream;
use velox_book::OrderBook;

const ROUNDS: usize = 11;
/// So often the levels are applied in a run.
const PASSES: usize = 5;
const HOT_LEVELS: i64 = 16;
const HOT_UPDATES: i64 = 400_000;

type Level = (u8, i64, i64);

/// Ns per update, and reads of both best prices per update.
type Measured = [f64; 2];

/// The two writers' levels, applied by `apply`, while a third thread reads.
fn measure<B: Shared>(writers: [&[Level]; 2], apply: fn(&B, Level)) -> (Measured, B) {
    let (book, done, start) = (B::new(), AtomicBool::new(false), Barrier::new(3));
    let updates = writers.iter().map(|levels| levels.len()).sum::<usize>() as f64 * PASSES as f64;
    let (nanos, reads) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0u64;
            start.wait();
            while !done.load(Ordering::Relaxed) {
                black_box((book.best_bid(), book.best_ask()));
                reads += 1;
            }
            reads
        });
        let writing = writers.map(|levels| {
            let (book, start) = (&book, &start);
            scope.spawn(move || {
                start.wait();
                let begin = Instant::now();
                (0..PASSES).for_each(|_| levels.iter().for_each(|&level| apply(book, level)));
                (begin, Instant::now())
            })
        });
        let [first, second] = writing.map(|writer| writer.join().expect("a writer"));
        done.store(true, Ordering::Relaxed);
        let nanos = (first.1.max(second.1) - first.0.min(second.0)).as_nanos() as f64;
        (nanos, reader.join().expect("the reader") as f64)
    });
    ([nanos / updates, reads / updates], book)
}

fn both(writers: [&[Level]; 2], apply: (fn(&OrderBook, Level), fn(&MutexBTree, Level))) -> [Vec<Measured>; 2] {
    let mut measured = [vec![], vec![]];
    for _ in 0..ROUNDS {
        let (of_ours, ours) = measure(writers, apply.0);
        let (of_theirs, theirs) = measure(writers, apply.1);
        measured[0].push(of_ours);
        measured[1].push(of_theirs);
        assert_eq!((ours.bid(), ours.ask()), (theirs.best_bid(), theirs.best_ask()));
        for &(side, price, _) in writers.iter().copied().flatten() {
            assert_eq!(ours.qty_at(side, price), theirs.qty_at(side, price), "side {side} at {price}");
        }
    }
    measured
}

fn print(what: &str, aim: f64, mut measured: [Vec<Measured>; 2]) {
    let mut ratios: Vec<f64> = measured[1].iter().zip(&measured[0]).map(|(theirs, ours)| theirs[0] / ours[0]).collect();
    ratios.sort_by(f64::total_cmp);
    for (at, name) in [OrderBook::NAME, MutexBTree::NAME].into_iter().enumerate() {
        measured[at].sort_by(|a, b| a[0].total_cmp(&b[0]));
        let [nanos, reads] = measured[at][ROUNDS / 2];
        let (low, high) = (measured[at][0][0], measured[at][ROUNDS - 1][0]);
        println!("{what:<14} {name:<16} {nanos:>8.1} {:>18} {reads:>10.2}", format!("{low:.1}..{high:.1}"));
    }
    println!("{what:<14} ratio {:.2} ({:.2}..{:.2}), aim {aim}", ratios[ROUNDS / 2], ratios[0], ratios[ROUNDS - 1]);
}

fn main() {
    let stream = Stream::open();
    // A price belongs to one writer, so that the end is the same in any order.
    let of = |writer: i64| -> Vec<Level> {
        stream.levels.iter().filter(|(_, price, _)| price & 1 == writer).copied().collect()
    };
    let (even, odd) = (of(0), of(1));
    // Three lots come and two go, at each level in turn, each side.
    let hot: Vec<Level> = (0..HOT_UPDATES)
        .map(|i| (((i / 2) & 1) as u8, 600_000 + i * 7 % HOT_LEVELS, if i % 5 < 3 { 3 } else { -2 }))
        .collect();
    println!("{:<14} {:<16} {:>8} {:>18} {:>10}", "", "book", "ns/upd", "lowest..highest", "reads/upd");
    let set = (
        (|book, (side, price, qty)| book.set(side, price, qty)) as fn(&OrderBook, Level),
        (|book, (side, price, qty)| book.set(side, price, qty)) as fn(&MutexBTree, Level),
    );
    print("recorded day", 4.0, both([&even, &odd], set));
    let add = (
        (|book, (side, price, qty)| book.add(side, price, qty)) as fn(&OrderBook, Level),
        (|book, (side, price, qty)| book.add(side, price, qty)) as fn(&MutexBTree, Level),
    );
    print("16 hot levels", 1.0, both([&hot, &hot], add));
}
