//! Medians of short rounds: what disturbs the machine for a moment meets few of them.

use std::time::{Duration, Instant};

use crate::work::{BLOCK, Work};

/// A round lasts some µs, so that an interruption spoils one and not all.
const BLOCKS: u32 = 8;

/// The middle one; 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// What `round` gives, again and again for so long, at least three times.
pub(crate) fn rounds(long: Duration, mut round: impl FnMut() -> f64) -> Vec<f64> {
    let (start, mut found) = (Instant::now(), Vec::new());
    while found.len() < 3 || start.elapsed() < long {
        found.push(round());
    }
    found
}

/// ns of one operation.
fn round(work: &mut Work) -> f64 {
    let start = Instant::now();
    for _ in 0..BLOCKS {
        work.block();
    }
    start.elapsed().as_nanos() as f64 / (f64::from(BLOCKS) * BLOCK as f64)
}

/// ns an operation.
pub(crate) fn each(work: &mut Work, long: Duration) -> f64 {
    median(rounds(long, || round(work)))
}

/// ns an operation of two that are to be compared: in turns, so that a change of the processor's speed meets both.
pub(crate) fn both(a: &mut Work, b: &mut Work, long: Duration) -> (f64, f64) {
    let (start, mut found) = (Instant::now(), (Vec::new(), Vec::new()));
    while found.0.len() < 3 || start.elapsed() < long {
        found.0.push(round(a));
        found.1.push(round(b));
    }
    (median(found.0), median(found.1))
}
