//! Every interleaving of the protocols, at small sizes: `RUSTFLAGS="--cfg loom" cargo test --release -p velox-ring --test loom`.
#![cfg(loom)]

use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use velox_ring::{Awaited, Parker, RingBuffer, ring};

#[test]
fn values_pass_a_ring_of_two_in_order() {
    loom::model(|| {
        let (mut producer, mut consumer) = ring::<Box<usize>>(2).unwrap();
        let thread = thread::spawn(move || {
            let mut refused = 0;
            for n in 0..3 {
                refused += usize::from(producer.push(Box::new(n)).is_err());
            }
            refused
        });
        let mut got = Vec::new();
        for _ in 0..2 {
            got.extend(consumer.pop());
        }
        let refused = thread.join().unwrap();
        while let Some(n) = consumer.pop() {
            got.push(n);
        }
        assert!(consumer.is_finished());
        assert_eq!(got.len() + refused, 3);
        assert!(got.windows(2).all(|w| w[0] < w[1]));
    });
}

#[test]
fn a_slice_is_seen_whole_or_in_part_and_never_torn() {
    loom::model(|| {
        let (mut producer, mut consumer) = ring::<usize>(4).unwrap();
        let thread = thread::spawn(move || producer.push_slice(&[1, 2, 3]));
        let mut got = Vec::new();
        consumer.pop_into(&mut got, 2);
        consumer.pop_into(&mut got, 4);
        assert_eq!(thread.join().unwrap(), 3);
        consumer.pop_into(&mut got, 4);
        assert_eq!(got, [1, 2, 3]);
    });
}

#[test]
fn a_finished_ring_has_given_everything() {
    loom::model(|| {
        let (mut producer, mut consumer) = ring::<usize>(2).unwrap();
        let thread = thread::spawn(move || producer.push(7).unwrap());
        if consumer.is_finished() {
            panic!("a value was pushed and nobody took it");
        }
        let early = consumer.pop();
        thread.join().unwrap();
        assert_eq!(early.or_else(|| consumer.pop()), Some(7));
        assert!(consumer.is_finished());
    });
}

#[test]
fn a_side_that_is_handed_over_goes_on_where_it_was() {
    loom::model(|| {
        let shared = Arc::new(RingBuffer::<usize, 2>::new());
        shared.push(1).unwrap();
        shared.release_producer();
        let pushing = Arc::clone(&shared);
        let thread = thread::spawn(move || pushing.push(2).unwrap());
        let first = shared.pop();
        thread.join().unwrap();
        assert_eq!((first, shared.pop()), (Some(1), Some(2)));
    });
}

#[test]
fn one_of_those_who_leave_work_sees_who_waits_for_it() {
    loom::model(|| {
        let shared = Arc::new((Awaited::new(), AtomicUsize::new(0)));
        let leave = |shared: Arc<(Awaited, AtomicUsize)>| {
            move || {
                shared.1.fetch_add(1, Ordering::Relaxed);
                usize::from(shared.0.is_raised() && shared.0.lower())
            }
        };
        let threads = [(); 2].map(|()| thread::spawn(leave(Arc::clone(&shared))));
        shared.0.raise();
        let seen = shared.1.load(Ordering::Relaxed);
        let told: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert!(told <= 1, "told twice");
        assert!(seen == 2 || told == 1, "work was left that nobody was told of");
    });
}

#[test]
fn a_wake_up_is_never_lost() {
    loom::model(|| {
        let (mut parker, waker) = Parker::new();
        let work = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&work);
        let thread = thread::spawn(move || {
            left.store(1, Ordering::Relaxed);
            waker.wake();
        });
        // loom's time-out never comes: a lost wake-up is a deadlock.
        while work.load(Ordering::Relaxed) == 0 {
            parker.park_unless(|| work.load(Ordering::Relaxed) == 1, Duration::from_secs(1));
        }
        thread.join().unwrap();
    });
}
