//! The engine's ring between two threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use velox_record::Transaction;
use velox_ring::{Consumer, Producer, ring};

use crate::limits::until;
use crate::rounds::{median, rounds};
use crate::work::BLOCK;

const CAPACITY: usize = 4096;
/// Records of a round.
const RECORDS: usize = 64 * BLOCK;
const TRIPS: usize = 64;

/// ns a record of 32 bytes, in batches, from one thread to another.
pub(crate) fn stream(long: Duration) -> f64 {
    let (mut producer, mut consumer) = sides();
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let source = thread::spawn(move || {
        let batch = [Transaction::default(); BLOCK];
        // Relaxed: the flag orders nothing.
        while !told.load(Ordering::Relaxed) {
            if producer.push_slice(&batch) == 0 {
                until(|| producer.len() < CAPACITY || told.load(Ordering::Relaxed));
            }
        }
    });
    let mut out = Vec::with_capacity(BLOCK);
    let found = rounds(long, || {
        let (start, mut taken) = (Instant::now(), 0);
        while taken < RECORDS {
            out.clear();
            until(|| !consumer.is_empty());
            taken += consumer.pop_into(&mut out, BLOCK);
        }
        start.elapsed().as_nanos() as f64 / taken as f64
    });
    stop.store(true, Ordering::Relaxed);
    source.join().expect("a thread that only pushes");
    median(found)
}

/// ns that a record takes through one ring to another thread, and back through another.
pub(crate) fn round_trip(long: Duration) -> f64 {
    let ((mut there, mut theirs), (mut back, mut here)) = (sides(), sides());
    let echo = thread::spawn(move || {
        loop {
            until(|| !theirs.is_empty() || theirs.is_finished());
            match theirs.pop() {
                Some(record) => back.push(record).expect("room for the only record"),
                None => return,
            }
        }
    });
    let found = rounds(long, || {
        let start = Instant::now();
        for _ in 0..TRIPS {
            there.push(Transaction::default()).expect("room for the only record");
            until(|| !here.is_empty());
            here.pop();
        }
        start.elapsed().as_nanos() as f64 / TRIPS as f64
    });
    drop(there);
    echo.join().expect("a thread that only answers");
    median(found)
}

fn sides() -> (Producer<Transaction>, Consumer<Transaction>) {
    ring(CAPACITY).expect("a power of two")
}
