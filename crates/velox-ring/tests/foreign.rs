//! The ring in memory that somebody else writes to.
#![cfg(not(loom))]

use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use velox_record::{Bundle, Record, Transaction};
use velox_ring::{ForeignError, ForeignRing, RingSide, header};

/// What a script's SharedArrayBuffer would be.
#[derive(Clone)]
struct Memory(Arc<Vec<AtomicU64>>);

impl Memory {
    fn of<R: Record>(capacity: u32) -> Self {
        let words = header::SLOTS_AT / 8 + capacity as usize * R::WORDS;
        let memory = Self(Arc::new((0..words).map(|_| AtomicU64::new(0)).collect()));
        memory.set(0, u64::from(header::MAGIC) | u64::from(header::VERSION) << 32);
        memory.set(1, u64::from(capacity) | (R::WORDS as u64 * 8) << 32);
        memory
    }

    /// As if `start` records had gone through it. The cursors are the lower halves of their words.
    fn started(self, start: u32) -> Self {
        self.set(header::TAIL_AT / 8, u64::from(start));
        self.set(header::HEAD_AT / 8, u64::from(start));
        self
    }

    fn set(&self, word: usize, value: u64) {
        self.0[word].store(value, Ordering::Relaxed);
    }

    fn ring<R: Record>(&self, capacity: u32) -> Result<ForeignRing<R>, ForeignError> {
        let at = NonNull::new(self.0.as_ptr().cast_mut().cast::<u64>()).unwrap();
        // SAFETY: the vector is 8-byte aligned, as long as said, lives as long as the handle, and holds atomics.
        unsafe { ForeignRing::new(at, self.0.len() * 8, capacity, Arc::new(self.clone())) }
    }
}

fn transaction(id: u64) -> Transaction {
    Transaction::new(id, -5, 7, 1, 9).with_instrument(3)
}

/// Where rings begin: at 0, and a little before 2^31 and 2^32 records.
const STARTS: [u32; 3] = [0, (1 << 31) - 30, u32::MAX - 30];

#[test]
fn records_pass_in_order_and_a_full_ring_refuses() {
    for start in STARTS {
        let memory = Memory::of::<Transaction>(4).started(start);
        let mut producer = memory.ring::<Transaction>(4).unwrap().producer().unwrap();
        let mut consumer = memory.ring::<Transaction>(4).unwrap().consumer().unwrap();
        let mut out = Vec::new();
        for round in 0..100 {
            let sent: Vec<_> = (0..6).map(|i| transaction(round * 6 + i)).collect();
            assert_eq!(producer.push_slice(&sent).unwrap(), 4);
            assert!(!producer.push(&sent[4]).unwrap());
            out.clear();
            assert_eq!(consumer.pop_into(&mut out, 3).unwrap() + consumer.pop_into(&mut out, 3).unwrap(), 4);
            assert_eq!(out, sent[..4]);
        }
    }
}

#[test]
fn a_ring_does_what_a_queue_does_across_the_wrap_of_its_cursors() {
    for start in STARTS {
        let memory = Memory::of::<Transaction>(8).started(start);
        let mut producer = memory.ring::<Transaction>(8).unwrap().producer().unwrap();
        let mut consumer = memory.ring::<Transaction>(8).unwrap().consumer().unwrap();
        let mut model = VecDeque::new();
        let mut random = u64::from(start) | 1;
        for round in 0..2_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let wanted = (random >> 40) as usize % 12;
            if random >> 63 == 0 {
                let sent: Vec<_> = (0..wanted as u64).map(|i| transaction(round * 12 + i)).collect();
                let fits = wanted.min(8 - model.len());
                assert_eq!(producer.push_slice(&sent), Ok(fits));
                model.extend(&sent[..fits]);
            } else {
                let mut out = Vec::new();
                let expected: Vec<_> = model.drain(..wanted.min(model.len())).collect();
                assert_eq!(consumer.pop_into(&mut out, wanted), Ok(expected.len()));
                assert_eq!(out, expected);
            }
            assert_eq!((producer.len(), producer.room()), (Ok(model.len()), Ok(8 - model.len())));
        }
    }
}

#[test]
fn a_side_has_one_owner_at_a_time() {
    let memory = Memory::of::<Transaction>(4);
    let first = memory.ring::<Transaction>(4).unwrap().producer().unwrap();
    let refused = memory.ring::<Transaction>(4).unwrap().producer().err();
    assert!(matches!(refused, Some(ForeignError::Claimed { side: RingSide::Producer, .. })), "{refused:?}");
    drop(first);
    assert!(memory.ring::<Transaction>(4).unwrap().producer().is_ok());
}

#[test]
fn a_closed_ring_gives_what_it_holds_and_takes_nothing() {
    let memory = Memory::of::<Transaction>(4);
    let mut producer = memory.ring::<Transaction>(4).unwrap().producer().unwrap();
    let mut consumer = memory.ring::<Transaction>(4).unwrap().consumer().unwrap();
    producer.push(&transaction(1)).unwrap();
    let owner = memory.0[2].load(Ordering::Relaxed);
    memory.set(2, owner | 1);
    assert_eq!(producer.push(&transaction(2)), Err(ForeignError::Closed));
    let mut out = Vec::new();
    assert!(consumer.is_closed() && consumer.pop_into(&mut out, 9) == Ok(1) && out[0].id == 1);
}

#[test]
fn memory_that_is_no_ring_of_this_type_is_refused() {
    let memory = Memory::of::<Transaction>(4);
    assert!(matches!(memory.ring::<Transaction>(8), Err(ForeignError::NotARing { .. })));
    assert!(matches!(memory.ring::<Transaction>(3), Err(ForeignError::NotARing { .. })));
    assert!(matches!(memory.ring::<Transaction>(2), Err(ForeignError::NotARing { .. })));
    assert!(matches!(memory.ring::<Bundle>(4), Err(ForeignError::NotARing { .. })));
    memory.set(0, 0);
    assert!(matches!(memory.ring::<Transaction>(4), Err(ForeignError::NotARing { .. })));
}

#[test]
fn a_bundle_that_counts_more_than_sixteen_is_an_error_and_what_stands_before_it_is_not_lost() {
    let memory = Memory::of::<Bundle>(4);
    let mut producer = memory.ring::<Bundle>(4).unwrap().producer().unwrap();
    let mut consumer = memory.ring::<Bundle>(4).unwrap().consumer().unwrap();
    producer.push_slice(&[Bundle::new(); 3]).unwrap();
    memory.set(header::SLOTS_AT / 8 + Bundle::WORDS + 64, 17);
    let mut out = Vec::new();
    assert_eq!(consumer.pop_into(&mut out, 9), Ok(1));
    let error = consumer.pop_into(&mut out, 9).unwrap_err();
    assert_eq!(error.to_string(), "Bundle.count: expected 0 to 16, got 17");
    assert_eq!(out.len(), 1);
}

#[test]
fn a_cursor_out_of_range_is_an_error() {
    let memory = Memory::of::<Transaction>(4);
    let mut consumer = memory.ring::<Transaction>(4).unwrap().consumer().unwrap();
    memory.set(header::TAIL_AT / 8, 5);
    let error = consumer.pop_into(&mut Vec::new(), 9).unwrap_err();
    assert!(matches!(error, ForeignError::Corrupt { got: 5, .. }), "{error}");
    memory.set(header::HEAD_AT / 8, 3);
    assert!(matches!(consumer.pop_into(&mut Vec::new(), 9), Err(ForeignError::Corrupt { got: 3, .. })));
}

#[test]
fn random_words_end_in_an_error_and_never_in_a_crash() {
    let seconds = std::env::var("VELOX_SOAK_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(2);
    let memory = Memory::of::<Bundle>(16);
    let stop = Arc::new(AtomicBool::new(false));
    let (hostile, stopping) = (memory.clone(), Arc::clone(&stop));
    let vandal = thread::spawn(move || {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        while !stopping.load(Ordering::Relaxed) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // The header is a third of the targets, so that it is hit often enough.
            let all = hostile.0.len();
            let word =
                if random.is_multiple_of(3) { (random >> 8) as usize % 24 } else { (random >> 8) as usize % all };
            hostile.set(word, random);
        }
    });
    let (mut errors, mut passed) = (0u64, 0u64);
    let mut out = Vec::with_capacity(64);
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        let heal = || {
            let fresh = Memory::of::<Bundle>(16);
            (0..24).for_each(|word| memory.set(word, fresh.0[word].load(Ordering::Relaxed)));
        };
        heal();
        let ends = memory.ring::<Bundle>(16).and_then(|ring| {
            let producer = ring.clone().producer()?;
            Ok((producer, ring.consumer()?))
        });
        let Ok((mut producer, mut consumer)) = ends else {
            errors += 1;
            continue;
        };
        for _ in 0..100 {
            out.clear();
            let result = producer.push(&Bundle::new()).and_then(|_| consumer.pop_into(&mut out, 64));
            assert!(out.iter().all(|bundle| bundle.active_transactions().len() <= 16));
            let Ok(count) = result else {
                errors += 1;
                break;
            };
            passed += count as u64;
        }
    }
    stop.store(true, Ordering::Relaxed);
    vandal.join().unwrap();
    assert!(errors > 0 && passed > 0, "{errors} errors, {passed} passed");
}
