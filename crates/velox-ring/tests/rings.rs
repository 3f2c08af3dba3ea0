//! The rings against a naive model, under load, and at their edges.
#![cfg(not(loom))]

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use velox_ring::{
    Backoff, Block, Consumer, InvalidCapacity, PopError, Producer, PushError, RingBuffer, Spin, Wait, Yield,
    blocking_ring, ring,
};

proptest! {
    #[test]
    fn both_forms_do_what_a_queue_does(steps in prop::collection::vec((0u8..7, 0usize..12), 0..200)) {
        let shared = RingBuffer::<usize, 8>::new();
        let (mut producer, mut consumer) = ring::<usize>(8).unwrap();
        let mut model = VecDeque::new();
        for (n, (step, size)) in steps.into_iter().enumerate() {
            match step {
                0 => {
                    let expected = if model.len() < 8 { model.push_back(n); Ok(()) } else { Err(n) };
                    prop_assert_eq!(producer.push(n), expected);
                    prop_assert_eq!(shared.push(n), expected);
                }
                1 => {
                    let expected = model.pop_front();
                    prop_assert_eq!(consumer.pop(), expected);
                    prop_assert_eq!(shared.pop(), expected);
                }
                2 => {
                    let values: Vec<usize> = (0..size).map(|i| n * 100 + i).collect();
                    let fits = values.len().min(8 - model.len());
                    prop_assert_eq!(producer.push_slice(&values), fits);
                    for value in &values[..fits] {
                        prop_assert_eq!(shared.push(*value), Ok(()));
                        model.push_back(*value);
                    }
                }
                3 => {
                    let fits = size.min(8 - model.len());
                    let mut chunk = producer.write_chunk(size);
                    prop_assert_eq!(chunk.len(), fits);
                    let (one, two) = chunk.as_mut_slices();
                    // Half of what fits is used.
                    for (i, slot) in one.iter_mut().chain(two).take(fits / 2).enumerate() {
                        slot.write(n * 100 + i);
                    }
                    // SAFETY: so many were written.
                    unsafe { chunk.commit(fits / 2) };
                    for i in 0..fits / 2 {
                        prop_assert_eq!(shared.push(n * 100 + i), Ok(()));
                        model.push_back(n * 100 + i);
                    }
                }
                4 => {
                    let expected: Vec<usize> = model.iter().copied().take(size).collect();
                    let chunk = consumer.read_chunk(size);
                    let (one, two) = chunk.as_slices();
                    prop_assert_eq!([one, two].concat(), expected.clone());
                    chunk.commit(expected.len() / 2);
                    for value in &expected[..expected.len() / 2] {
                        prop_assert_eq!(shared.pop(), Some(*value));
                        model.pop_front();
                    }
                }
                5 => {
                    let fits = size.min(8 - model.len());
                    prop_assert_eq!(producer.write_chunk(9).fill((0..size).map(|i| n * 100 + i)), fits);
                    for i in 0..fits {
                        prop_assert_eq!(shared.push(n * 100 + i), Ok(()));
                        model.push_back(n * 100 + i);
                    }
                }
                _ => {
                    let mut out = Vec::new();
                    let expected: Vec<usize> = (0..size).map_while(|_| model.pop_front()).collect();
                    let taken = if n % 2 == 0 {
                        consumer.pop_into(&mut out, size)
                    } else {
                        consumer.drain(size, |value| out.push(value))
                    };
                    prop_assert_eq!(taken, expected.len());
                    let popped: Vec<usize> = (0..size).map_while(|_| shared.pop()).collect();
                    prop_assert_eq!(&popped, &expected);
                    prop_assert_eq!(out, expected);
                }
            }
            prop_assert_eq!((consumer.len(), shared.len(), producer.room()), (model.len(), model.len(), 8 - model.len()));
        }
    }
}

#[test]
fn a_million_values_arrive_in_order() {
    const COUNT: u64 = 1_000_000;
    let shared = Arc::new(RingBuffer::<u64, 1024>::new());
    let pushing = Arc::clone(&shared);
    let thread = thread::spawn(move || {
        for n in 0..COUNT {
            while pushing.push(n).is_err() {
                thread::yield_now();
            }
        }
    });
    for expected in 0..COUNT {
        let got = loop {
            match shared.pop() {
                Some(n) => break n,
                None => thread::yield_now(),
            }
        };
        assert_eq!(got, expected);
    }
    thread.join().unwrap();
    assert!(shared.is_empty());
}

#[test]
fn batches_of_a_million_values_arrive_in_order() {
    const COUNT: usize = 1_000_000;
    let (mut producer, mut consumer) = ring::<usize>(256).unwrap();
    let thread = thread::spawn(move || {
        let all: Vec<usize> = (0..COUNT).collect();
        let mut sent = 0;
        while sent < COUNT {
            let pushed = producer.push_slice(&all[sent..COUNT.min(sent + 100)]);
            sent += pushed;
            if pushed == 0 {
                thread::yield_now();
            }
        }
    });
    let mut out = Vec::with_capacity(COUNT);
    while !consumer.is_finished() {
        if consumer.pop_into(&mut out, 64) == 0 {
            thread::yield_now();
        }
    }
    thread.join().unwrap();
    assert!(out.len() == COUNT && out.iter().enumerate().all(|(i, n)| i == *n));
}

#[test]
fn what_was_not_popped_is_dropped_once() {
    let counted = Arc::new(());
    let full = RingBuffer::<Arc<()>, 4>::new();
    for _ in 0..3 {
        full.push(Arc::clone(&counted)).unwrap();
    }
    drop(full.pop());
    for _ in 0..2 {
        full.push(Arc::clone(&counted)).unwrap();
    }
    assert!(full.push(Arc::clone(&counted)).is_err());
    assert_eq!(Arc::strong_count(&counted), 5);
    let (producer, mut consumer) = full.split();
    drop(producer);
    assert!(consumer.pop().is_some() && !consumer.is_finished());
    drop(consumer);
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn a_second_thread_on_a_side_is_told_and_takes_it_when_it_is_handed_over() {
    let shared = RingBuffer::<u32, 4>::new();
    shared.push(1).unwrap();
    thread::scope(|scope| {
        let refused = scope.spawn(|| catch_unwind(AssertUnwindSafe(|| shared.push(2)))).join().unwrap();
        let text = *refused.unwrap_err().downcast::<String>().unwrap();
        assert!(text.contains("another thread as its producer"), "{text}");
    });
    assert!(shared.release_producer() && !shared.release_producer());
    thread::scope(|scope| scope.spawn(|| shared.push(2)).join().unwrap()).unwrap();
    assert_eq!((shared.pop(), shared.pop(), shared.pop()), (Some(1), Some(2), None));
}

#[test]
fn a_ring_of_large_values_does_not_stand_on_the_stack() {
    let small_stack = thread::Builder::new().stack_size(64 << 10);
    let thread = small_stack.spawn(|| RingBuffer::<[u64; 66], 1024>::new().capacity()).unwrap();
    assert_eq!(thread.join().unwrap(), 1024);
}

#[test]
fn a_capacity_that_is_no_power_of_two_is_refused() {
    for capacity in [0, 3, 1000, usize::MAX] {
        assert_eq!(ring::<u8>(capacity).err(), Some(InvalidCapacity(capacity)));
    }
}

/// Counts its drops, and panics at one of them.
struct Counted(u32, Arc<std::sync::atomic::AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        assert!(self.0 != 1, "the second one's drop");
    }
}

#[test]
fn a_panic_loses_nothing_but_the_value_that_it_met() {
    let drops = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = |n| Counted(n, Arc::clone(&drops));
    let dropped = || drops.load(std::sync::atomic::Ordering::Relaxed);
    let (mut producer, mut consumer) = ring::<Counted>(8).unwrap();

    let broken = (0..4).map(|n| if n == 3 { panic!("the iterator") } else { counted(n * 10) });
    let panicked = catch_unwind(AssertUnwindSafe(|| producer.write_chunk(8).fill(broken)));
    assert!(panicked.is_err() && consumer.len() == 3 && dropped() == 0, "what it gave before is pushed");

    let panicked = catch_unwind(AssertUnwindSafe(|| consumer.drain(8, |value| assert!(value.0 != 10))));
    assert!(panicked.is_err() && dropped() == 2);
    assert_eq!(consumer.pop().map(|value| value.0), Some(20));

    producer.write_chunk(3).fill((0..3).map(counted));
    let panicked = catch_unwind(AssertUnwindSafe(|| consumer.read_chunk(8).commit_all()));
    assert!(panicked.is_err() && dropped() == 5 && consumer.len() == 1, "the third is still there");
    assert_eq!(consumer.pop().map(|value| value.0), Some(2));
    drop((producer, consumer));
    assert_eq!(dropped(), 6);
}

#[test]
fn more_than_a_chunk_has_can_not_be_committed() {
    let (mut producer, mut consumer) = ring::<u32>(4).unwrap();
    producer.push_slice(&[1, 2]);
    assert!(catch_unwind(AssertUnwindSafe(|| consumer.read_chunk(9).commit(3))).is_err());
    // SAFETY: it panics before anything is published.
    let refused = catch_unwind(AssertUnwindSafe(|| unsafe { producer.write_chunk(1).commit(2) }));
    assert!(refused.is_err() && consumer.len() == 2);
}

type Strategy = fn() -> Box<dyn Wait + Send>;

#[test]
fn each_strategy_waits_for_the_other_side_and_no_longer_than_it_was_told() {
    let strategies: [Strategy; 4] = [|| Box::new(Spin), || Box::new(Yield), || Box::new(Backoff), || Box::new(Block)];
    for strategy in strategies {
        waits_as_told(strategy, ring(1).unwrap());
        waits_as_told(strategy, blocking_ring(1).unwrap());
    }
}

fn waits_as_told<const WAKES: bool>(strategy: Strategy, sides: (Producer<u32, WAKES>, Consumer<u32, WAKES>)) {
    let brief = Duration::from_millis(5);
    let (mut producer, mut consumer) = sides;
    let begin = Instant::now();
    assert_eq!(consumer.pop_wait(&mut *strategy(), brief), Err(PopError::TimedOut));
    producer.push(1).unwrap();
    assert_eq!(producer.push_wait(2, &mut *strategy(), brief), Err(PushError::TimedOut(2)));
    assert!(begin.elapsed() >= 2 * brief);
    let thread = thread::spawn(move || {
        let mut wait = strategy();
        (2..100).for_each(|n| producer.push_wait(n, &mut *wait, Duration::MAX).unwrap());
        let closed = producer
            .push_wait(100, &mut *wait, Duration::MAX)
            .and_then(|()| producer.push_wait(101, &mut *wait, Duration::MAX));
        (closed, producer.is_abandoned())
    });
    let mut wait = strategy();
    for n in 1..100 {
        assert_eq!(consumer.pop_wait(&mut *wait, Duration::MAX), Ok(n));
    }
    thread::sleep(brief);
    drop(consumer);
    let (closed, is_abandoned) = thread.join().unwrap();
    assert!(matches!(closed, Err(PushError::Closed(_))) && is_abandoned, "{closed:?}");
}

#[test]
fn a_sleeper_on_a_ring_that_wakes_is_woken_long_before_its_time() {
    let (mut producer, mut consumer) = blocking_ring::<u32>(2).unwrap();
    let thread = thread::spawn(move || consumer.pop_wait(&mut Block, Duration::from_secs(60)));
    thread::sleep(Duration::from_millis(20));
    producer.push(1).unwrap();
    assert_eq!(thread.join().unwrap(), Ok(1));
    let (producer, mut consumer) = ring::<u32>(2).unwrap();
    let thread = thread::spawn(move || consumer.pop_wait(&mut Block, Duration::from_secs(60)));
    thread::sleep(Duration::from_millis(20));
    drop(producer);
    assert_eq!(thread.join().unwrap(), Err(PopError::Closed), "a lost end is told on every ring");
}

#[test]
fn values_without_a_size_and_of_any_size_pass() {
    let (mut producer, mut consumer) = ring::<()>(1 << 20).unwrap();
    assert_eq!((producer.push_slice(&[(); 5]), consumer.len()), (5, 5));
    assert_eq!(consumer.drain(9, |()| ()), 5);
    let (mut producer, mut consumer) = ring::<[u8; 33]>(1024).unwrap();
    for round in 0..100u8 {
        let values: Vec<[u8; 33]> = (0..100).map(|i| [round ^ i; 33]).collect();
        assert_eq!(producer.push_slice(&values), 100);
        let mut out = Vec::new();
        assert_eq!((consumer.pop_into(&mut out, 100), out), (100, values));
    }
}
