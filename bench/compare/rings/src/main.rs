//! Every ring in turn, many short trials each, interleaved: `cargo run --release [ROUNDS] [NAME,…]`. Or one alone on one
//! thread, for a count of its instructions: `cargo run --release alone NAME single|batches COUNT`.
//!
//! The two cores of a virtual machine are now near, now far from each other, within one run. So each trial lies between
//! two looks at the distance, counts only where they agree, and is compared within a class.

mod record;
mod rivals;
mod trial;

use rivals::Rival;
use rivals::crossbeam::Crossbeam;
use rivals::disruptor::Disruptor;
use rivals::gil::Gil;
use rivals::naive::Naive;
use rivals::omango::Omango;
use rivals::ringbuf::Ringbuf;
use rivals::rtrb::Rtrb;
use rivals::velox::Velox;
use trial::{Kind, Sample, alone, run};

/// Records of a trial: some 10 ms.
const RECORDS: u64 = 1_000_000;
const ROUND_TRIPS: u64 = 16_000;
/// A line there and back in less is NEAR, in ns.
const NEAR_BELOW: f64 = 400.0;
/// Two looks agree when they differ by less than this factor.
const AGREE: f64 = 1.25;

struct Entry {
    name: &'static str,
    batches: bool,
    run: fn(Kind, u64) -> Sample,
    alone: fn(u64, bool),
}

fn entry<R: Rival>() -> Entry {
    Entry { name: R::NAME, batches: R::BATCHES, run: run::<R>, alone: alone::<R> }
}

fn all_rings() -> Vec<Entry> {
    vec![
        entry::<Velox>(),
        entry::<Rtrb>(),
        entry::<Omango>(),
        entry::<Gil>(),
        entry::<Ringbuf>(),
        entry::<Crossbeam>(),
        entry::<Disruptor>(),
        entry::<Naive>(),
    ]
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn cell(samples: &[Sample], near: bool) -> String {
    let class = |s: &&Sample| {
        let [a, b] = s.probes;
        a.max(b) / a.min(b) < AGREE && (a.max(b) < NEAR_BELOW) == near
    };
    let mut figures: Vec<f64> = samples.iter().filter(class).map(|s| s.figure).collect();
    if figures.len() < 5 {
        return format!("– ({})", figures.len());
    }
    figures.sort_by(f64::total_cmp);
    let [low, mid, high] = [0.25, 0.5, 0.75].map(|share| quantile(&figures, share));
    format!("{mid:.0} ({low:.0} – {high:.0}; {})", figures.len())
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, word, name, kind, count] = &args[..]
        && word == "alone"
    {
        let count = count.parse().expect("a number of records");
        let entry = all_rings().into_iter().find(|entry| entry.name.contains(name.as_str())).expect("a ring's name");
        return (entry.alone)(count, kind == "batches");
    }
    let rounds: usize = std::env::args().nth(1).map_or(20, |rounds| rounds.parse().expect("a number of rounds"));
    let mut entries = all_rings();
    if let Some(only) = std::env::args().nth(2) {
        entries.retain(|entry| only.split(',').any(|name| entry.name.contains(name)));
    }
    let mut all = Vec::new();
    for kind in [Kind::Single, Kind::Batches, Kind::RoundTrip] {
        let mut samples: Vec<Vec<Sample>> = entries.iter().map(|_| Vec::new()).collect();
        for round in 0..rounds {
            for i in 0..entries.len() {
                let at = (i + round) % entries.len();
                let entry = &entries[at];
                if kind == Kind::Batches && !entry.batches {
                    continue;
                }
                let count = if kind == Kind::RoundTrip { ROUND_TRIPS } else { RECORDS };
                samples[at].push((entry.run)(kind, count));
            }
        }
        println!("\n| {kind:?} | NEAR | FAR |\n|---|---|---|");
        for (entry, samples) in entries.iter().zip(&samples) {
            if !samples.is_empty() {
                println!("| {} | {} | {} |", entry.name, cell(samples, true), cell(samples, false));
            }
        }
        all.extend(samples.iter().flatten().flat_map(|s| s.probes));
    }
    assert!(!all.is_empty(), "no ring was run");
    all.sort_by(f64::total_cmp);
    let [low, mid, high] = [0.1, 0.5, 0.9].map(|share| quantile(&all, share));
    println!(
        "\nA line there and back took {mid:.0} ns at the median, {low:.0} and {high:.0} at the 10th and 90th percentile."
    );
}
