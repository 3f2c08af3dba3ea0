//! One recorded day through each book: `cargo run --release --bin books-rust [FILE]`. Decoding is done before; rounds are
//! interleaved, each begins with another book, and each timed run follows one of the same book that isn't timed, so that what the
//! machine does, and what the one before left in its caches, meets all alike. The final books and the best prices
//! after each event are the same, or it stops.

mod barter;
mod btree;
mod hftbacktest;
mod nautilus;
mod rival;
mod sorted_vec;
mod stream;
mod velox;

use std::hint::black_box;
use std::time::Instant;

use rival::{Bests, Rival};
use stream::Stream;

const ROUNDS: usize = 14;
const READS: u32 = 10_000_000;

struct Answer {
    bests: Bests,
    quantities: Vec<Option<i64>>,
}

struct Entry {
    name: &'static str,
    /// A new book and its time for the day, in ns.
    time: Box<dyn Fn() -> f64>,
    /// At least so many times as long as ours is the aim.
    aim: Option<f64>,
}

/// Checks the answers of a rival against ours and hands out its timed run.
fn entry<R: Rival + 'static>(stream: &Stream, ours: &Answer, aim: Option<f64>) -> Entry
where
    R::Input: 'static,
{
    let input = R::prepare(stream);
    let theirs = answer::<R>(stream, &input);
    assert_eq!(theirs.bests, ours.bests, "{}: other best prices", R::NAME);
    for (their, our) in theirs.quantities.iter().zip(&ours.quantities) {
        assert!(their.is_none() || their == our, "{}: {their:?} instead of {our:?}", R::NAME);
    }
    let left_out = theirs.quantities.iter().filter(|qty| qty.is_none()).count();
    if left_out > 0 {
        println!("{} keeps nothing at {left_out} of the {} prices that came", R::NAME, theirs.quantities.len());
    }
    let time = move || {
        let mut book = R::new();
        let begin = Instant::now();
        black_box(book.run(black_box(&input)));
        begin.elapsed().as_nanos() as f64
    };
    Entry { name: R::NAME, time: Box::new(time), aim }
}

fn answer<R: Rival>(stream: &Stream, input: &R::Input) -> Answer {
    let mut book = R::new();
    Answer { bests: book.run(input), quantities: book.quantities(&stream.prices()) }
}

/// The median, the lowest and the highest.
fn spread(times: &mut [f64]) -> [f64; 3] {
    times.sort_by(f64::total_cmp);
    [times[times.len() / 2], times[0], times[times.len() - 1]]
}

fn reading_the_best(stream: &Stream) -> [f64; 3] {
    let mut ours = velox::Velox::new();
    ours.run(&velox::Velox::prepare(stream));
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            for _ in 0..READS {
                black_box((black_box(&ours.0).best_bid(), ours.0.best_ask()));
            }
            begin.elapsed().as_nanos() as f64 / f64::from(READS)
        })
        .collect();
    spread(&mut times)
}

fn main() {
    let stream = Stream::open();
    println!("{} level updates in {} events", stream.levels.len(), stream.events.len());
    let ours = answer::<velox::Velox>(&stream, &velox::Velox::prepare(&stream));
    let entries = [
        entry::<velox::Velox>(&stream, &ours, None),
        entry::<sorted_vec::SortedVec>(&stream, &ours, None),
        entry::<hftbacktest::Roi>(&stream, &ours, Some(1.5)),
        entry::<hftbacktest::HashMap>(&stream, &ours, Some(3.0)),
        entry::<btree::BTree>(&stream, &ours, Some(4.0)),
        entry::<nautilus::Nautilus>(&stream, &ours, Some(15.0)),
        entry::<barter::Barter>(&stream, &ours, Some(30.0)),
    ];
    let mut times = vec![Vec::new(); entries.len()];
    for round in 0..ROUNDS {
        for at in (0..entries.len()).map(|at| (at + round) % entries.len()) {
            (entries[at].time)();
            times[at].push((entries[at].time)() / stream.levels.len() as f64);
        }
    }
    let ours = spread(&mut times[0])[0];
    println!("\n{:<20} {:>10} {:>16} {:>8} {:>6}", "book", "ns/update", "lowest..highest", "ratio", "aim");
    for (entry, times) in entries.iter().zip(&mut times) {
        let [median, low, high] = spread(times);
        let aim = entry.aim.map_or(String::new(), |aim| format!("{aim}"));
        println!(
            "{:<20} {median:>10.1} {:>16} {:>8.2} {aim:>6}",
            entry.name,
            format!("{low:.1}..{high:.1}"),
            median / ours
        );
    }
    let [median, low, high] = reading_the_best(&stream);
    println!("\nbest bid and best ask of L2Book: {median:.2} ns ({low:.2}..{high:.2}), aim 2");
}
