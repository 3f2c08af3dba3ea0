//! One short run of one ring between two pinned threads, between two looks at how far apart these are.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use core_affinity::CoreId;

use crate::record::Record;
use crate::rivals::Rival;

/// Round trips of a look at the distance.
const PROBES: u64 = 4_000;
/// Round trips that are timed together: one alone is shorter than the clock is fine.
const TOGETHER: u64 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One call a record: M records a second.
    Single,
    /// Batches of 256: M records a second.
    Batches,
    /// There and back through two rings: ns at the median.
    RoundTrip,
}

/// What came of a trial.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub figure: f64,
    /// ns of a cache line there and back, before and after.
    pub probes: [f64; 2],
}

#[repr(align(128))]
struct Line(AtomicU64);

struct Meeting {
    ping: Line,
    pong: Line,
    at: Line,
}

impl Meeting {
    fn new() -> Self {
        let line = || Line(AtomicU64::new(0));
        Self { ping: line(), pong: line(), at: line() }
    }

    /// Both threads are here.
    fn meet(&self, nth: u64) {
        self.at.0.fetch_add(1, Ordering::AcqRel);
        while self.at.0.load(Ordering::Acquire) < 2 * nth {
            spin_loop();
        }
    }

    /// The distance, on the first thread's side.
    fn ping(&self, base: u64) -> f64 {
        let mut times: Vec<f64> = (0..PROBES / TOGETHER)
            .map(|piece| {
                let begin = Instant::now();
                for n in 1..=TOGETHER {
                    let n = base + piece * TOGETHER + n;
                    self.ping.0.store(n, Ordering::Release);
                    while self.pong.0.load(Ordering::Acquire) < n {
                        spin_loop();
                    }
                }
                begin.elapsed().as_nanos() as f64 / TOGETHER as f64
            })
            .collect();
        median(&mut times)
    }

    fn pong(&self, base: u64) {
        for n in base + 1..=base + PROBES {
            while self.ping.0.load(Ordering::Acquire) < n {
                spin_loop();
            }
            self.pong.0.store(n, Ordering::Release);
        }
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn pin(core: usize) {
    assert!(core_affinity::set_for_current(CoreId { id: core }), "the thread is pinned to core {core}");
}

/// Runs `here` and `there` on two pinned threads; both are told when to begin.
fn between<A, B: Send>(here: impl FnOnce() -> A, there: impl FnOnce() -> B + Send) -> (A, [f64; 2]) {
    let meeting = Meeting::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            meeting.meet(1);
            meeting.pong(0);
            meeting.meet(2);
            there();
            meeting.meet(3);
            meeting.pong(PROBES);
        });
        pin(0);
        meeting.meet(1);
        let before = meeting.ping(0);
        meeting.meet(2);
        let answer = here();
        meeting.meet(3);
        (answer, [before, meeting.ping(PROBES)])
    })
}

/// `count` records by one call each, or the time of as many round trips.
pub fn run<R: Rival>(kind: Kind, count: u64) -> Sample {
    match kind {
        Kind::Single => single::<R>(count),
        Kind::Batches => batches::<R>(count),
        Kind::RoundTrip => round_trip::<R>(count),
    }
}

/// Looks at a record, in order.
#[inline]
fn check(record: &Record, expected: &mut u64, sum: &mut u64) {
    assert!(record.id == *expected, "{} instead of {expected}", record.id);
    *expected += 1;
    *sum = sum.wrapping_add(record.price as u64 ^ u64::from(record.size) ^ record.at);
}

fn single<R: Rival>(count: u64) -> Sample {
    let (mut producer, mut consumer) = R::pair();
    let there = move || {
        for id in 0..count {
            while !R::push(&mut producer, Record::new(id)) {
                spin_loop();
            }
        }
        producer
    };
    let here = move || {
        let begin = Instant::now();
        let (mut expected, mut sum) = (0, 0);
        while expected < count {
            match R::pop(&mut consumer) {
                Some(record) => check(&record, &mut expected, &mut sum),
                None => spin_loop(),
            }
        }
        std::hint::black_box(sum);
        begin.elapsed().as_nanos() as f64
    };
    let (nanos, probes) = between(here, there);
    Sample { figure: count as f64 * 1e3 / nanos, probes }
}

fn batches<R: Rival>(count: u64) -> Sample {
    let (mut producer, mut consumer) = R::pair();
    let there = move || {
        let mut next = 0;
        while next < count {
            let pushed = R::push_batch(&mut producer, next, (count - next) as usize);
            next += pushed as u64;
            if pushed == 0 {
                spin_loop();
            }
        }
        producer
    };
    let here = move || {
        let begin = Instant::now();
        let (mut expected, mut sum) = (0, 0);
        while expected < count {
            if R::pop_batch(&mut consumer, &mut |record| check(record, &mut expected, &mut sum)) == 0 {
                spin_loop();
            }
        }
        std::hint::black_box(sum);
        begin.elapsed().as_nanos() as f64
    };
    let (nanos, probes) = between(here, there);
    Sample { figure: count as f64 * 1e3 / nanos, probes }
}

fn round_trip<R: Rival>(count: u64) -> Sample {
    let (mut out, mut echo_in) = R::pair();
    let (mut echo_out, mut back) = R::pair();
    let there = move || {
        for _ in 0..count {
            let record = loop {
                match R::pop(&mut echo_in) {
                    Some(record) => break record,
                    None => spin_loop(),
                }
            };
            while !R::push(&mut echo_out, record) {
                spin_loop();
            }
        }
        (echo_in, echo_out)
    };
    let here = move || {
        let mut times = Vec::with_capacity((count / TOGETHER) as usize);
        let (mut expected, mut sum) = (0, 0);
        for _ in 0..count / TOGETHER {
            let begin = Instant::now();
            for _ in 0..TOGETHER {
                R::push(&mut out, Record::new(expected));
                loop {
                    match R::pop(&mut back) {
                        Some(record) => break check(&record, &mut expected, &mut sum),
                        None => spin_loop(),
                    }
                }
            }
            times.push(begin.elapsed().as_nanos() as f64 / TOGETHER as f64);
        }
        std::hint::black_box(sum);
        median(&mut times)
    };
    let (figure, probes) = between(here, there);
    Sample { figure, probes }
}

/// Fills and empties a ring on one thread, for what it takes without any other core.
pub fn alone<R: Rival>(count: u64, in_batches: bool) {
    let (mut producer, mut consumer) = R::pair();
    let (mut next, mut expected, mut sum) = (0, 0, 0);
    while expected < count {
        for _ in 0..8 {
            if in_batches {
                next += R::push_batch(&mut producer, next, 256) as u64;
            } else {
                for _ in 0..256 {
                    next += u64::from(R::push(&mut producer, Record::new(next)));
                }
            }
        }
        while expected < next {
            if in_batches {
                R::pop_batch(&mut consumer, &mut |record| check(record, &mut expected, &mut sum));
            } else if let Some(record) = R::pop(&mut consumer) {
                check(&record, &mut expected, &mut sum);
            }
        }
    }
    std::hint::black_box(sum);
}
