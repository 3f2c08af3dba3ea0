//! Every interleaving of the protocols, at small sizes: `RUSTFLAGS="--cfg loom" cargo test --release -p velox-ring --test loom`.
//!
//! The cursors of every ring begin one capacity before they wrap, so a model that passes more than a ring's capacity meets
//! the wrap of the counters too. Bounded models look at two changes of thread more with
//! `VELOX_SOAK=1`.
#![cfg(loom)]

use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use velox_record::{InvalidRecord, Record};
use velox_ring::{
    Awaited, Block, Parker, PopError, PushError, RingBuffer, blocking_broadcast_ring, blocking_latest_ring,
    blocking_mpsc_ring, blocking_ring, broadcast_ring, latest_ring, mpsc_ring, ring,
};

/// For ever: loom's own time-outs never come, so a lost wake-up is a deadlock.
const FOREVER: Duration = Duration::MAX;

/// A model whose changes of thread are bounded, as there are too many orders of three threads, or of two that sleep.
fn bounded(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    let soak = std::env::var_os("VELOX_SOAK").is_some_and(|soak| soak == "1");
    builder.preemption_bound = Some(preemptions + if soak { 2 } else { 0 });
    builder.check(model);
}

/// Two words that must be of one record.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pair(u64);

impl Record for Pair {
    const NAME: &'static str = "Pair";
    const WORDS: usize = 2;
    const FIELDS: &'static [(&'static str, usize)] = &[("one", 0), ("two", 8)];

    fn to_words(&self, words: &mut [u64]) {
        words.copy_from_slice(&[self.0, !self.0]);
    }

    fn from_words(words: &[u64]) -> Result<Self, InvalidRecord> {
        assert_eq!(words[0], !words[1], "a torn record");
        Ok(Self(words[0]))
    }
}

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

#[test]
fn a_chunk_is_pushed_as_far_as_it_was_filled() {
    loom::model(|| {
        let (mut producer, mut consumer) = ring::<usize>(2).unwrap();
        let thread = thread::spawn(move || {
            let first = producer.write_chunk(2).fill([1]);
            first + producer.write_chunk(2).fill([2, 3])
        });
        let mut got = Vec::new();
        let chunk = consumer.read_chunk(2);
        got.extend(chunk.as_slices().0);
        let seen = chunk.len();
        chunk.commit(seen);
        consumer.drain(2, |n| got.push(n));
        let pushed = thread.join().unwrap();
        consumer.drain(2, |n| got.push(n));
        assert_eq!(got, [1, 2, 3][..pushed]);
    });
}

#[test]
fn what_was_pushed_before_the_end_was_lost_is_drained() {
    bounded(3, || {
        let (mut producer, mut consumer) = blocking_ring::<usize>(1).unwrap();
        let thread =
            thread::spawn(move || (0..2).take_while(|n| producer.push_wait(*n, &mut Block, FOREVER).is_ok()).count());
        assert_eq!(consumer.pop_wait(&mut Block, FOREVER), Ok(0));
        assert_eq!(consumer.pop_wait(&mut Block, FOREVER), Ok(1));
        assert_eq!(consumer.pop_wait(&mut Block, FOREVER), Err(PopError::Closed));
        assert_eq!(thread.join().unwrap(), 2);
    });
}

#[test]
fn a_producer_that_sleeps_is_told_of_a_lost_consumer() {
    bounded(3, || {
        let (mut producer, consumer) = blocking_ring::<usize>(1).unwrap();
        producer.push(1).unwrap();
        let thread = thread::spawn(move || drop(consumer));
        assert_eq!(producer.push_wait(2, &mut Block, FOREVER), Err(PushError::Closed(2)));
        thread.join().unwrap();
    });
}

#[test]
fn a_consumer_that_closes_gets_what_was_pushed_before_that_was_seen() {
    bounded(3, || {
        let (mut producer, mut consumer) = blocking_ring::<usize>(2).unwrap();
        let thread =
            thread::spawn(move || (0..2).take_while(|n| producer.push_wait(*n, &mut Block, FOREVER).is_ok()).count());
        consumer.close();
        let mut got = 0;
        while consumer.pop_wait(&mut Block, FOREVER).is_ok() {
            got += 1;
        }
        assert_eq!(got, thread.join().unwrap());
    });
}

#[test]
fn two_producers_lose_nothing_around_the_end() {
    bounded(2, || {
        let (mut one, mut consumer) = mpsc_ring::<Box<usize>>(2).unwrap();
        let mut other = one.clone();
        one.push(Box::new(0)).unwrap();
        let threads = [
            thread::spawn(move || {
                usize::from(one.push(Box::new(10)).is_ok()) + usize::from(one.push(Box::new(11)).is_ok())
            }),
            thread::spawn(move || usize::from(other.push(Box::new(20)).is_ok())),
        ];
        let mut got = Vec::new();
        consumer.drain(2, |n| got.push(*n));
        let pushed: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        consumer.drain(2, |n| got.push(*n));
        assert!(consumer.is_finished());
        assert_eq!(got.len(), 1 + pushed);
        let of_one: Vec<_> = got.iter().filter(|n| **n / 10 == 1).collect();
        assert!(got[0] == 0 && of_one.is_sorted(), "{got:?}");
    });
}

#[test]
fn a_consumer_that_sleeps_is_woken_by_each_of_two_producers_and_by_their_end() {
    bounded(2, || {
        let (mut one, mut consumer) = blocking_mpsc_ring::<usize>(2).unwrap();
        let mut other = one.clone();
        let threads = [thread::spawn(move || one.push(1).unwrap()), thread::spawn(move || other.push(2).unwrap())];
        let mut sum = 0;
        for _ in 0..2 {
            sum += consumer.pop_wait(&mut Block, FOREVER).unwrap();
        }
        assert_eq!((sum, consumer.pop_wait(&mut Block, FOREVER)), (3, Err(PopError::Closed)));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn two_producers_that_sleep_are_both_woken() {
    bounded(1, || {
        let (mut one, mut consumer) = blocking_mpsc_ring::<usize>(1).unwrap();
        let mut other = one.clone();
        one.push(0).unwrap();
        let threads = [
            thread::spawn(move || one.push_wait(1, &mut Block, FOREVER).unwrap()),
            thread::spawn(move || other.push_wait(2, &mut Block, FOREVER).unwrap()),
        ];
        let mut sum = 0;
        for _ in 0..3 {
            sum += consumer.pop_wait(&mut Block, FOREVER).unwrap();
        }
        assert_eq!(sum, 3);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn the_slowest_consumer_gates_and_each_sees_all() {
    bounded(2, || {
        let (mut producer, mut consumers) = broadcast_ring::<usize>(2, 2).unwrap();
        let mut second = consumers.pop().unwrap();
        let mut first = consumers.pop().unwrap();
        let reader = thread::spawn(move || {
            let mut got = Vec::new();
            first.drain(2, |n| got.push(*n));
            first.drain(2, |n| got.push(*n));
            (got, first)
        });
        let thread = thread::spawn(move || (0..3).take_while(|n| producer.push(*n).is_ok()).count());
        let mut got = Vec::new();
        second.drain(1, |n| got.push(*n));
        let pushed = thread.join().unwrap();
        let (mut early, mut first) = reader.join().unwrap();
        first.drain(9, |n| early.push(*n));
        second.drain(9, |n| got.push(*n));
        assert!(pushed >= 2 && first.is_finished() && second.is_finished());
        assert_eq!(early, (0..pushed).collect::<Vec<_>>());
        assert_eq!(got, early);
    });
}

#[test]
fn a_producer_goes_on_without_a_consumer_that_went_and_values_are_dropped_once() {
    bounded(2, || {
        let (mut producer, mut consumers) = blocking_broadcast_ring::<std::sync::Arc<()>>(1, 2).unwrap();
        let counted = std::sync::Arc::new(());
        producer.push(std::sync::Arc::clone(&counted)).unwrap();
        let mut stays = consumers.pop().unwrap();
        let goes = consumers.pop().unwrap();
        let thread = thread::spawn(move || drop(goes));
        assert!(stays.pop().is_some());
        producer.push_wait(std::sync::Arc::clone(&counted), &mut Block, FOREVER).unwrap();
        thread.join().unwrap();
        drop(producer);
        assert_eq!(stays.drain(2, |_| ()), 1);
        drop(stays);
        assert_eq!(std::sync::Arc::strong_count(&counted), 1);
    });
}

#[test]
fn two_consumers_that_sleep_are_both_woken() {
    bounded(2, || {
        let (mut producer, consumers) = blocking_broadcast_ring::<usize>(2, 2).unwrap();
        let threads: Vec<_> = consumers
            .into_iter()
            .map(|mut consumer| thread::spawn(move || consumer.pop_wait(&mut Block, FOREVER)))
            .collect();
        producer.push(1).unwrap();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Ok(1));
        }
    });
}

#[test]
fn a_reader_under_a_lapping_writer_gets_whole_records_and_the_right_count() {
    bounded(3, || {
        let (mut producer, mut consumer) = latest_ring::<Pair>(1).unwrap();
        let thread = thread::spawn(move || (0..2).for_each(|n| producer.push(&Pair(n))));
        let mut next = 0;
        let mut look = |consumer: &mut velox_ring::LatestConsumer<Pair>| {
            if let Some(latest) = consumer.pop() {
                next += latest.missed;
                assert_eq!(latest.record, Pair(next));
                next += 1;
            }
        };
        look(&mut consumer);
        thread.join().unwrap();
        look(&mut consumer);
        look(&mut consumer);
        assert!(next == 2 && consumer.is_finished());
    });
}

#[test]
fn a_reader_that_sleeps_is_woken_by_a_record_and_by_the_end() {
    bounded(2, || {
        let (mut producer, mut consumer) = blocking_latest_ring::<Pair>(2).unwrap();
        let thread = thread::spawn(move || producer.push(&Pair(5)));
        assert_eq!(consumer.pop_wait(&mut Block, FOREVER).map(|latest| latest.record), Ok(Pair(5)));
        assert!(matches!(consumer.pop_wait(&mut Block, FOREVER), Err(PopError::Closed)));
        thread.join().unwrap();
    });
}
