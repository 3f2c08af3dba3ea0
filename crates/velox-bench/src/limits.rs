//! What the machine allows at best, without the engine.

use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::rounds::{median, rounds};

/// Round trips of a measurement, short enough that an interruption spoils one.
const TRIPS: u64 = 64;
/// Far more than the caches of a processor hold.
const MEMORY_BYTES: usize = 256 << 20;
const READS: u32 = 1_000;
/// The product's own threshold for a gap: see `stalls` of a report.
const GAP_NS: u64 = 10_000;

/// A word that has a cache line, and the one beside it that processors fetch with it, for itself.
#[repr(align(128))]
#[derive(Default)]
pub(crate) struct Line(pub AtomicU64);

/// Looks until the word is as it should be. Where both threads have one core, the other one gets it.
pub(crate) fn until(is_so: impl Fn() -> bool) {
    for looks in 0u32.. {
        if is_so() {
            return;
        }
        if looks % 10_000 == 9_999 {
            thread::yield_now();
        }
        spin_loop();
    }
}

/// ns that a word takes to another thread and back, on lines of their own: no ring can be faster.
pub(crate) fn line_round_trip(long: Duration) -> f64 {
    const END: u64 = u64::MAX;
    let lines = Arc::new([Line::default(), Line::default()]);
    let theirs = Arc::clone(&lines);
    let echo = thread::spawn(move || {
        let mut last = 0;
        while last != END {
            // Acquire and release: what was written before goes with the word, as a ring's records do.
            until(|| theirs[0].0.load(Ordering::Acquire) != last);
            last = theirs[0].0.load(Ordering::Acquire);
            theirs[1].0.store(last, Ordering::Release);
        }
    });
    let mut sent = 0;
    let found = rounds(long, || {
        let start = Instant::now();
        for _ in 0..TRIPS {
            sent += 1;
            lines[0].0.store(sent, Ordering::Release);
            until(|| lines[1].0.load(Ordering::Acquire) == sent);
        }
        start.elapsed().as_nanos() as f64 / TRIPS as f64
    });
    lines[0].0.store(END, Ordering::Release);
    echo.join().expect("a thread that only answers");
    median(found)
}

/// Bytes a second that one core reads, and that it copies.
pub(crate) fn memory(long: Duration) -> (f64, f64) {
    let words = MEMORY_BYTES / 8 / 2;
    let (from, mut to) = (vec![1u64; words], vec![2u64; words]);
    let bytes = (words * 8) as f64;
    let read = rounds(long / 2, || {
        let start = Instant::now();
        black_box(black_box(&from).iter().fold(0u64, |sum, word| sum.wrapping_add(*word)));
        bytes / start.elapsed().as_secs_f64()
    });
    let copied = rounds(long / 2, || {
        let start = Instant::now();
        black_box(&mut to).copy_from_slice(black_box(&from));
        bytes / start.elapsed().as_secs_f64()
    });
    (median(read), median(copied))
}

/// ns of a bare read of the counter, of a read that is converted, and of the system's clock.
pub(crate) fn clock(long: Duration) -> [f64; 3] {
    fn nanos(mut read: impl FnMut() -> u64) -> f64 {
        let start = Instant::now();
        for _ in 0..READS {
            black_box(read());
        }
        start.elapsed().as_nanos() as f64 / f64::from(READS)
    }
    velox_clock::init_tsc();
    let (base, mut found) = (Instant::now(), [const { Vec::new() }; 3]);
    // One round of each in turn, so that all meet the same speed of the processor.
    let _ = rounds(long, || {
        found[0].push(nanos(velox_clock::rdtsc));
        found[1].push(nanos(velox_clock::now));
        found[2].push(nanos(|| base.elapsed().as_nanos() as u64));
        0.0
    });
    found.map(median)
}

/// What the machine took of a core that wanted all of it.
pub(crate) struct Gaps {
    pub count: u64,
    /// Of the time, 0 to 1.
    pub share: f64,
    pub max_ns: u64,
}

/// Spins, and adds up the times between two looks at the clock that were too long.
pub(crate) fn gaps(long: Duration) -> Gaps {
    velox_clock::init_tsc();
    let start = velox_clock::now();
    let end = start + u64::try_from(long.as_nanos()).unwrap_or(u64::MAX / 2);
    let (mut last, mut count, mut total, mut max_ns) = (start, 0, 0, 0);
    while last < end {
        let now = velox_clock::now();
        let gap = now.saturating_sub(last);
        if gap > GAP_NS {
            count += 1;
            total += gap;
            max_ns = gap.max(max_ns);
        }
        last = now;
    }
    Gaps { count, share: total as f64 / (last - start).max(1) as f64, max_ns }
}
