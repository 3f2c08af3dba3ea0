//! Stamped records under load: a million by default, a hundred million with `VELOX_SOAK=1`. The cursors of every ring begin
//! one capacity before they wrap. With ThreadSanitizer, for which std is built anew (rustup's component `rust-src` of nightly):
//! `RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR=target/tsan cargo +nightly test -Zbuild-std --target x86_64-unknown-linux-gnu -p
//! velox-ring --tests`.
#![cfg(not(loom))]

use std::thread::{self, yield_now};
use std::time::Duration;

use velox_record::Transaction;
use velox_ring::{Backoff, Block, PopError, blocking_ring, broadcast_ring, latest_ring, mpsc_ring, ring};

const FOREVER: Duration = Duration::MAX;

fn records() -> u64 {
    if std::env::var_os("VELOX_SOAK").is_some_and(|soak| soak == "1") { 100_000_000 } else { 1_000_000 }
}

/// A record whose every field says which it is.
fn stamped(id: u64) -> Transaction {
    Transaction::new(id, -(id as i64), id as u32, (id & 1) as u8, id ^ 0x5555)
}

#[test]
fn records_in_chunks_arrive_whole_and_in_order() {
    let count = records();
    let (mut producer, mut consumer) = ring::<Transaction>(64).unwrap();
    let thread = thread::spawn(move || {
        let mut next = 0;
        while next < count {
            let most = ((next % 37) + 1).min(count - next) as usize;
            let pushed = if next % 3 == 0 {
                let values: Vec<_> = (next..next + most as u64).map(stamped).collect();
                producer.push_slice(&values)
            } else {
                producer.write_chunk(most).fill((next..).map(stamped))
            };
            next += pushed as u64;
            if pushed == 0 {
                yield_now();
            }
        }
    });
    let mut next = 0;
    while !consumer.is_finished() {
        let chunk = consumer.read_chunk(29);
        let (one, two) = chunk.as_slices();
        let used = chunk.len() - chunk.len() / 5;
        for record in one.iter().chain(two).take(used) {
            assert_eq!(*record, stamped(next));
            next += 1;
        }
        chunk.commit(used);
        consumer.drain(3, |record| {
            assert_eq!(record, stamped(next));
            next += 1;
        });
        if used == 0 {
            yield_now();
        }
    }
    thread.join().unwrap();
    assert_eq!(next, count);
}

#[test]
fn sides_that_sleep_lose_no_wake_up() {
    let count = records() / 10;
    let (mut producer, mut consumer) = blocking_ring::<u64>(2).unwrap();
    let thread = thread::spawn(move || (0..count).for_each(|n| producer.push_wait(n, &mut Block, FOREVER).unwrap()));
    for expected in 0..count {
        assert_eq!(consumer.pop_wait(&mut Block, FOREVER), Ok(expected));
    }
    assert_eq!(consumer.pop_wait(&mut Block, FOREVER), Err(PopError::Closed));
    thread.join().unwrap();
}

#[test]
fn records_of_three_producers_arrive_once_and_in_the_order_of_each() {
    let count = records() / 3;
    let (producer, mut consumer) = mpsc_ring::<[u64; 2]>(16).unwrap();
    let threads: Vec<_> = (0..3u64)
        .map(|who| {
            let mut producer = producer.clone();
            thread::spawn(move || {
                let mut next = 0;
                while next < count {
                    let batch = [[who, next], [who, next + 1], [who, next + 2]];
                    let most = batch.len().min((count - next) as usize);
                    let pushed = if next % 2 == 0 {
                        producer.push_slice(&batch[..most])
                    } else {
                        usize::from(producer.push_wait(batch[0], &mut Backoff, FOREVER).is_ok())
                    };
                    next += pushed as u64;
                    if pushed == 0 {
                        yield_now();
                    }
                }
            })
        })
        .collect();
    drop(producer);
    let mut expected = [0u64; 3];
    while !consumer.is_finished() {
        let taken = consumer.drain(7, |[who, n]| {
            assert_eq!(n, expected[who as usize]);
            expected[who as usize] += 1;
        });
        if taken == 0 {
            yield_now();
        }
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(expected, [count; 3]);
}

#[test]
fn each_consumer_sees_every_record_in_order() {
    let count = records() / 2;
    let (mut producer, consumers) = broadcast_ring::<Transaction>(32, 2).unwrap();
    let threads: Vec<_> = consumers
        .into_iter()
        .enumerate()
        .map(|(i, mut consumer)| {
            thread::spawn(move || {
                let mut next = 0;
                while !consumer.is_finished() {
                    let read = consumer.drain(5 + i * 7, |record| {
                        assert_eq!(*record, stamped(next));
                        next += 1;
                    });
                    if read == 0 {
                        yield_now();
                    }
                }
                next
            })
        })
        .collect();
    let mut next = 0;
    while next < count {
        let batch = [stamped(next), stamped(next + 1)];
        let pushed = if next % 2 == 0 && next + 1 < count {
            producer.push_slice(&batch)
        } else {
            usize::from(producer.push(batch[0]).is_ok())
        };
        next += pushed as u64;
        if pushed == 0 {
            yield_now();
        }
    }
    drop(producer);
    for thread in threads {
        assert_eq!(thread.join().unwrap(), count);
    }
}

#[test]
fn a_reader_that_is_lapped_gets_whole_records_and_the_right_count() {
    let count = records();
    let (mut producer, mut consumer) = latest_ring::<Transaction>(8).unwrap();
    let thread = thread::spawn(move || (0..count).for_each(|id| producer.push(&stamped(id))));
    let (mut next, mut missed) = (0, 0);
    while !consumer.is_finished() {
        let Some(latest) = consumer.pop() else {
            yield_now();
            continue;
        };
        missed += latest.missed;
        next += latest.missed;
        assert_eq!(latest.record, stamped(next));
        next += 1;
    }
    thread.join().unwrap();
    assert_eq!(next, count);
    assert!(missed < count, "{missed} of {count} missed");
}
