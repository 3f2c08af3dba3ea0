//! The rings of several producers or consumers against naive models, and at their edges.
#![cfg(not(loom))]

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use velox_record::{InvalidRecord, Record, Transaction};
use velox_ring::{
    Backoff, Block, InvalidCapacity, PopError, PushError, Spin, blocking_broadcast_ring, blocking_latest_ring,
    blocking_mpsc_ring, broadcast_ring, latest_ring, mpsc_ring,
};

const LONG: Duration = Duration::from_secs(60);

fn transaction(id: u64) -> Transaction {
    Transaction::new(id, -5, 7, 1, 9)
}

proptest! {
    #[test]
    fn an_mpsc_ring_does_what_a_queue_does(steps in prop::collection::vec((0u8..5, 0usize..12), 0..200)) {
        let (mut one, mut consumer) = mpsc_ring::<usize>(8).unwrap();
        let mut other = one.clone();
        let mut model = VecDeque::new();
        for (n, (step, size)) in steps.into_iter().enumerate() {
            match step {
                0 | 1 => {
                    let producer = if step == 0 { &mut one } else { &mut other };
                    let expected = if model.len() < 8 { model.push_back(n); Ok(()) } else { Err(n) };
                    prop_assert_eq!(producer.push(n), expected);
                }
                2 => {
                    let values: Vec<usize> = (0..size).map(|i| n * 100 + i).collect();
                    let fits = values.len().min(8 - model.len());
                    prop_assert_eq!(other.push_slice(&values), fits);
                    model.extend(&values[..fits]);
                }
                3 => prop_assert_eq!(consumer.pop(), model.pop_front()),
                _ => {
                    let (mut out, expected) = (Vec::new(), size.min(model.len()));
                    prop_assert_eq!(consumer.pop_into(&mut out, size), expected);
                    prop_assert_eq!(out, model.drain(..expected).collect::<Vec<_>>());
                }
            }
            prop_assert_eq!(consumer.len(), model.len());
        }
    }

    #[test]
    fn each_consumer_of_a_broadcast_has_a_queue_of_its_own(steps in prop::collection::vec((0u8..6, 0usize..12), 0..200)) {
        let (mut producer, mut consumers) = broadcast_ring::<usize>(8, 2).unwrap();
        let mut models = vec![VecDeque::new(), VecDeque::new()];
        for (n, (step, size)) in steps.into_iter().enumerate() {
            let room = 8 - models.iter().map(VecDeque::len).max().unwrap_or(0);
            match step {
                0 => {
                    prop_assert_eq!(producer.push(n), if room > 0 { Ok(()) } else { Err(n) });
                    for model in models.iter_mut().filter(|_| room > 0) {
                        model.push_back(n);
                    }
                }
                1 => {
                    let values: Vec<usize> = (0..size).map(|i| n * 100 + i).collect();
                    let fits = size.min(room);
                    prop_assert_eq!(producer.push_slice(&values), fits);
                    for model in &mut models {
                        model.extend(&values[..fits]);
                    }
                }
                2 if consumers.len() < 4 => {
                    consumers.push(producer.subscribe());
                    models.push(VecDeque::new());
                }
                3 if consumers.len() > 1 => {
                    consumers.swap_remove(size % models.len());
                    models.swap_remove(size % models.len());
                }
                4 => {
                    let i = size % consumers.len();
                    prop_assert_eq!(consumers[i].pop(), models[i].pop_front());
                }
                _ => {
                    let i = n % consumers.len();
                    let (mut got, expected) = (Vec::new(), size.min(models[i].len()));
                    prop_assert_eq!(consumers[i].drain(size, |value| got.push(*value)), expected);
                    prop_assert_eq!(got, models[i].drain(..expected).collect::<Vec<_>>());
                }
            }
            for (consumer, model) in consumers.iter().zip(&models) {
                prop_assert_eq!(consumer.len(), model.len());
            }
            prop_assert_eq!(producer.room(), 8 - models.iter().map(VecDeque::len).max().unwrap_or(0));
        }
    }

    #[test]
    fn a_latest_ring_keeps_the_latest(steps in prop::collection::vec((0u8..3, 0u64..20), 0..200)) {
        let (mut producer, mut consumer) = latest_ring::<Transaction>(8).unwrap();
        let (mut pushed, mut read) = (0u64, 0u64);
        for (step, size) in steps {
            match step {
                0 => (0..size).for_each(|_| {
                    producer.push(&transaction(pushed));
                    pushed += 1;
                }),
                1 => {
                    let got = consumer.pop().map(|latest| (latest.record, latest.missed));
                    let missed = (pushed - read).saturating_sub(8);
                    let expected = (pushed > read).then(|| (transaction(read + missed), missed));
                    prop_assert_eq!(got, expected);
                    read += got.map_or(0, |(_, missed)| missed + 1);
                }
                _ => {
                    let passed = consumer.skip_to_latest();
                    prop_assert_eq!(passed, (pushed - read).saturating_sub(1));
                    read += passed;
                }
            }
        }
    }
}

#[test]
fn what_was_not_read_is_dropped_once() {
    let counted = Arc::new(());
    let (mut producer, mut consumer) = mpsc_ring::<Arc<()>>(4).unwrap();
    (0..4).for_each(|_| producer.push(Arc::clone(&counted)).unwrap());
    drop(consumer.pop());
    producer.push(Arc::clone(&counted)).unwrap();
    assert_eq!(Arc::strong_count(&counted), 5);
    drop((producer, consumer));
    assert_eq!(Arc::strong_count(&counted), 1);

    let (mut producer, mut consumers) = broadcast_ring::<Arc<()>>(4, 1).unwrap();
    for _ in 0..3 {
        producer.push(Arc::clone(&counted)).unwrap();
    }
    drop(consumers[0].pop());
    assert_eq!(Arc::strong_count(&counted), 4, "a record stays until it is written over");
    for _ in 0..2 {
        producer.push(Arc::clone(&counted)).unwrap();
    }
    assert_eq!(Arc::strong_count(&counted), 5);
    drop((producer, consumers));
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn a_panic_in_a_closure_loses_nothing_else() {
    let (mut producer, mut consumer) = mpsc_ring::<Box<u32>>(4).unwrap();
    (0..4).for_each(|n| producer.push(Box::new(n)).unwrap());
    let panicked = catch_unwind(AssertUnwindSafe(|| consumer.drain(4, |n| assert!(*n != 1))));
    assert!(panicked.is_err() && consumer.len() == 2 && consumer.pop() == Some(Box::new(2)));

    let (mut producer, mut consumers) = broadcast_ring::<Box<u32>>(4, 1).unwrap();
    (0..4).for_each(|n| producer.push(Box::new(n)).unwrap());
    let panicked = catch_unwind(AssertUnwindSafe(|| consumers[0].drain(4, |n| assert!(**n != 1))));
    assert!(panicked.is_err() && consumers[0].pop() == Some(Box::new(1)), "it is shown again");
}

#[test]
fn a_chunk_of_a_broadcast_lies_around_the_end_and_is_read_as_far_as_committed() {
    let (mut producer, mut consumers) = broadcast_ring::<u32>(4, 1).unwrap();
    producer.push_slice(&[1, 2, 3]);
    consumers[0].read_chunk(9).commit(2);
    producer.push_slice(&[4, 5, 6]);
    let chunk = consumers[0].read_chunk(9);
    assert_eq!((chunk.as_slices(), chunk.len()), ((&[3, 4][..], &[5, 6][..]), 4));
    chunk.commit(1);
    assert_eq!(consumers[0].read_chunk(1).as_slices().0, [4]);
    assert_eq!(consumers[0].pop(), Some(4));
    let refused = catch_unwind(AssertUnwindSafe(|| consumers[0].read_chunk(9).commit(3)));
    assert!(refused.is_err() && consumers[0].len() == 2);
}

#[test]
fn a_lost_end_is_seen_and_wakes_who_sleeps_for_it() {
    let (producer, mut consumer) = mpsc_ring::<u32>(2).unwrap();
    let other = producer.clone();
    let waiting = thread::spawn(move || (consumer.pop_wait(&mut Block, LONG), consumer.is_finished()));
    drop(producer);
    thread::sleep(Duration::from_millis(20));
    assert!(!waiting.is_finished());
    drop(other);
    assert_eq!(waiting.join().unwrap(), (Err(PopError::Closed), true));

    let (mut producer, consumer) = blocking_mpsc_ring::<u32>(1).unwrap();
    producer.push(1).unwrap();
    let waiting = [(); 2].map(|()| {
        let mut producer = producer.clone();
        thread::spawn(move || producer.push_wait(2, &mut Block, LONG))
    });
    drop(consumer);
    for thread in waiting {
        assert_eq!(thread.join().unwrap(), Err(PushError::Closed(2)));
    }

    let (producer, consumers) = broadcast_ring::<u32>(2, 2).unwrap();
    let waiting = consumers.into_iter().map(|mut consumer| thread::spawn(move || consumer.pop_wait(&mut Block, LONG)));
    let waiting: Vec<_> = waiting.collect();
    drop(producer);
    for thread in waiting {
        assert_eq!(thread.join().unwrap(), Err(PopError::Closed));
    }

    let (mut producer, mut consumers) = blocking_broadcast_ring::<u32>(1, 2).unwrap();
    producer.push(1).unwrap();
    consumers[0].pop();
    let waiting = thread::spawn(move || (producer.push_wait(2, &mut Block, LONG), producer));
    drop(consumers.pop());
    let (pushed, mut producer) = waiting.join().unwrap();
    assert_eq!((pushed, producer.consumers()), (Ok(()), 1), "the slowest went");
    drop(consumers);
    assert_eq!(producer.push_wait(3, &mut Block, LONG), Err(PushError::Closed(3)));

    let (producer, mut consumer) = latest_ring::<Transaction>(2).unwrap();
    let waiting = thread::spawn(move || consumer.pop_wait(&mut Block, LONG).map(|latest| latest.missed));
    drop(producer);
    assert_eq!(waiting.join().unwrap(), Err(PopError::Closed));
}

#[test]
fn waiting_ends_with_its_time() {
    let brief = Duration::from_millis(5);
    let (mut producer, mut consumer) = mpsc_ring::<u32>(1).unwrap();
    assert_eq!(consumer.pop_wait(&mut Backoff, brief), Err(PopError::TimedOut));
    producer.push(1).unwrap();
    assert_eq!(producer.push_wait(2, &mut Backoff, brief), Err(PushError::TimedOut(2)));
    let (mut producer, mut consumers) = broadcast_ring::<u32>(1, 1).unwrap();
    assert_eq!(consumers[0].pop_wait(&mut Backoff, brief), Err(PopError::TimedOut));
    producer.push(1).unwrap();
    assert_eq!(producer.push_wait(2, &mut Backoff, brief).map_err(PushError::into_inner), Err(2));
    let (_producer, mut consumer) = latest_ring::<Transaction>(1).unwrap();
    assert_eq!(consumer.pop_wait(&mut Block, brief).map(|latest| latest.missed), Err(PopError::TimedOut));
}

#[test]
fn a_wait_for_the_latest_ends_closed_only_where_the_producer_is_gone() {
    /// So long that the next is written while one is copied.
    #[derive(Clone, Copy)]
    struct Long;
    impl Record for Long {
        const NAME: &'static str = "Long";
        const WORDS: usize = 256;
        const FIELDS: &'static [(&'static str, usize)] = &[];
        fn to_words(&self, _: &mut [u64]) {}
        fn from_words(_: &[u64]) -> Result<Self, InvalidRecord> {
            Ok(Self)
        }
    }
    // One slot: what the reader saw is written over, and the next isn't there yet.
    let (mut producer, mut consumer) = latest_ring::<Long>(1).unwrap();
    let both = Arc::new(Barrier::new(2));
    let begun = Arc::clone(&both);
    let reading = thread::spawn(move || {
        begun.wait();
        let mut passed = 0;
        while let Ok(latest) = consumer.pop_wait(&mut Spin, LONG) {
            passed += 1 + latest.missed;
        }
        passed
    });
    both.wait();
    (0..200_000).for_each(|_| producer.push(&Long));
    drop(producer);
    assert_eq!(reading.join().unwrap(), 200_000);
}

#[test]
fn who_sleeps_is_woken_by_a_ring_that_wakes() {
    let (mut producer, mut consumer) = blocking_latest_ring::<Transaction>(4).unwrap();
    let waiting = thread::spawn(move || consumer.pop_wait(&mut Block, LONG).unwrap().record.id);
    thread::sleep(Duration::from_millis(20));
    producer.push(&transaction(9));
    assert_eq!(waiting.join().unwrap(), 9);

    let (mut producer, mut consumers) = blocking_broadcast_ring::<u32>(4, 3).unwrap();
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let mut consumer = consumers.pop().unwrap();
            thread::spawn(move || consumer.pop_wait(&mut Block, LONG))
        })
        .collect();
    thread::sleep(Duration::from_millis(20));
    producer.push(7).unwrap();
    for thread in waiting {
        assert_eq!(thread.join().unwrap(), Ok(7));
    }
}

#[test]
fn a_capacity_that_is_no_power_of_two_is_refused() {
    for capacity in [0, 3, 1000, usize::MAX] {
        assert_eq!(mpsc_ring::<u8>(capacity).err(), Some(InvalidCapacity(capacity)));
        assert_eq!(broadcast_ring::<u8>(capacity, 1).err(), Some(InvalidCapacity(capacity)));
        assert_eq!(latest_ring::<Transaction>(capacity).err(), Some(InvalidCapacity(capacity)));
    }
}
