//! No ring allocates for a record: a global allocator counts.
#![cfg(not(loom))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use velox_record::Transaction;
use velox_ring::{Backoff, RingBuffer, broadcast_ring, latest_ring, mpsc_ring, ring};

struct Counting;

thread_local! {
    // This thread's own: the harness allocates on another one when it likes.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: it only counts; every duty of an allocator is passed on to the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: the caller's promise about the block is handed on.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; the pointer came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

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
    let before = ALLOCATIONS.get();
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
    assert_eq!(ALLOCATIONS.get() - before, 0);
    assert_eq!(seen, 1_000 * (1 + 33 + 17 + 34 + 16));
}
