//! The rings against a naive model, under load, and at their edges.
#![cfg(not(loom))]

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use proptest::prelude::*;
use velox_ring::{InvalidCapacity, RingBuffer, ring};

proptest! {
    #[test]
    fn both_forms_do_what_a_queue_does(steps in prop::collection::vec((0u8..4, 0usize..12), 0..200)) {
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
                _ => {
                    let mut out = Vec::new();
                    let expected: Vec<usize> = (0..size).map_while(|_| model.pop_front()).collect();
                    prop_assert_eq!(consumer.pop_into(&mut out, size), expected.len());
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
