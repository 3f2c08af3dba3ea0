//! What a read of the clock costs, beside the system's: prints one line of JSON, ns a call, medians of interleaved rounds.

use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 31;
const CALLS: u32 = 1_000_000;

fn nanos_a_call(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

fn main() {
    velox_clock::init_tsc();
    let mut rounds: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        rounds[0].push(nanos_a_call(|| {
            black_box(velox_clock::rdtsc());
        }));
        rounds[1].push(nanos_a_call(|| {
            black_box(velox_clock::now());
        }));
        rounds[2].push(nanos_a_call(|| {
            black_box(Instant::now());
        }));
    }
    let [read, converted, system] = rounds.map(|mut of| {
        of.sort_unstable_by(f64::total_cmp);
        of[ROUNDS / 2]
    });
    println!("{{\"read\":{read},\"converted\":{converted},\"system\":{system}}}");
}
