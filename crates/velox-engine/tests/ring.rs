//! A script's ring as the end of a pipeline: the script is Rust, and the memory an array of atomics.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use velox_engine::feed::{Poisson, PoissonOptions};
use velox_engine::pipeline::{Pace, Paced, Pipeline, StartOptions};
use velox_engine::record::Record;
use velox_engine::ring::{ForeignProducer, ForeignRing, header};
use velox_engine::stages::{Doorbell, RingSink};
use velox_engine::{MarketEvent, Trade};

const CAPACITY: u32 = 64;

fn producer(memory: &Arc<Vec<AtomicU64>>) -> ForeignProducer<Trade> {
    let at = NonNull::new(memory.as_ptr().cast_mut().cast::<u64>()).unwrap();
    // SAFETY: aligned words of atomics, as many as said, alive as long as their handle.
    let ring = unsafe { ForeignRing::new(at, memory.len() * 8, CAPACITY, Arc::clone(memory) as Arc<_>) };
    ring.unwrap().producer().unwrap()
}

#[test]
fn no_more_is_left_unread_than_the_run_gave() {
    let words = header::SLOTS_AT / 8 + CAPACITY as usize * Trade::WORDS;
    let memory: Arc<Vec<AtomicU64>> = Arc::new((0..words).map(|_| AtomicU64::new(0)).collect());
    memory[0].store(u64::from(header::MAGIC) | u64::from(header::VERSION) << 32, Ordering::Relaxed);
    memory[1].store(u64::from(CAPACITY) | (Trade::WORDS as u64 * 8) << 32, Ordering::Relaxed);
    // Of somebody before.
    assert_eq!(producer(&memory).push_slice(&[Trade::default(); 5]), Ok(5));

    let bell = Arc::new(Doorbell::new(|| ()));
    bell.abandon(true);
    let market = Poisson::new(PoissonOptions { per_second: 1e6, count: Some(3), seed: 1 }).unwrap();
    let run = Pipeline::<MarketEvent>::from("poisson", Paced::new(Box::new(market), Pace::Max, &[]))
        .trades("trades")
        .to("ring", RingSink::new(producer(&memory)).ringing(bell, false))
        .start(StartOptions::default())
        .unwrap();
    let report = run.wait().unwrap();
    let (ring, edge) = (report.stage("ring").unwrap(), report.stats.edges.last().unwrap());
    assert_eq!((ring.taken, ring.consumed, edge.popped, edge.dropped, report.balanced), (0, 0, 0, 3, true), "{report}");
}
