//! No ring allocates for a record: a global allocator counts.
#![cfg(not(loom))]

use std::time::Duration;

use velox_record::Transaction;
use velox_ring::{Backoff, RingBuffer, broadcast_ring, latest_ring, mpsc_ring, ring};
use velox_sys::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn passing_records_allocates_nothing() {
    let shared = RingBuffer::<Transaction, 64>::new();
    let (mut producer, mut consumer) = ring::<Transaction>(64).unwrap();
    let (mut many, mut one) = mpsc_ring::<Transaction>(64).unwrap();
    let (mut to_all, mut each) = broadcast_ring::<Transaction>(64, 2).unwrap();
    let (mut writer, mut reader) = latest_ring::<Transaction>(64).unwrap();
    let batch = [Transaction::new(1, 2, 3, 0, 4); 16];
    let mut out = Vec::with_capacity(16);
    let (brief, mut seen) = (Duration::from_micros(1), 0);

    shared.push(batch[0]).unwrap();
    assert!(shared.pop().is_some());
    let before = Counting::of_thread().allocations;
    for _ in 0..1_000 {
        shared.push(batch[0]).unwrap();
        producer.push_slice(&batch);
        producer.write_chunk(16).fill(batch);
        producer.push_wait(batch[0], &mut Backoff, brief).unwrap();
        many.push_slice(&batch);
        many.push(batch[0]).unwrap();
        to_all.push_slice(&batch);
        to_all.push(batch[0]).unwrap();
        for record in &batch {
            writer.push(record);
        }

        seen += usize::from(shared.pop().is_some());
        out.clear();
        seen += consumer.pop_into(&mut out, 16);
        let chunk = consumer.read_chunk(8);
        seen += chunk.len();
        chunk.commit_all();
        seen += consumer.drain(64, drop);
        seen += one.drain(64, drop);
        seen += each.iter_mut().map(|consumer| consumer.drain(64, |_| ())).sum::<usize>();
        seen += usize::from(consumer.pop_wait(&mut Backoff, brief).is_ok());
        while reader.pop().is_some() {
            seen += 1;
        }
    }
    assert_eq!(Counting::of_thread().allocations - before, 0);
    assert_eq!(seen, 1_000 * (1 + 33 + 17 + 34 + 16));
}
