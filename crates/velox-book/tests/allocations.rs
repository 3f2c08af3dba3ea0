//! No update of a book allocates: a global allocator counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use velox_book::L2Book;
use velox_record::{ASK, BID, Instrument};

struct Counting;

thread_local! {
    /// Calls of this thread alone: the harness has others.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: it only counts; every duty of an allocator is passed on to the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise about the block is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn no_update_allocates() {
    let book = L2Book::new(Instrument::new("BTCUSDT", "", "0.1", "0.001").unwrap());
    let mut writer = book.claim("the test").unwrap();
    // A best price that goes up and down by 4,000 ticks, with 100 levels behind it a side and one far away that comes and goes.
    let mut lap = || {
        for step in 0..8_000i64 {
            let best = 600_000 + (4_000 - step).abs();
            let qty = step % 3;
            let far = (BID, 5, qty);
            let levels = [(BID, best, 5), (BID, best + 1, 0), (BID, best - step % 100, qty), (ASK, best + 2, 7), far];
            writer.apply(&levels, step as u64).unwrap();
        }
    };
    let before = ALLOCATIONS.get();
    lap();
    assert_eq!(ALLOCATIONS.get(), before);
}
