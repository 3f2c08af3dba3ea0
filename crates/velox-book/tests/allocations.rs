//! What a book allocates, and when: a global allocator counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use velox_book::L2Book;
use velox_record::{ASK, BID, Instrument};

struct Counting;

thread_local! {
    /// Calls and bytes, of this thread alone: the harness has others.
    static ALLOCATED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

// SAFETY: it only counts; every duty of an allocator is passed on to the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.with(|it| it.set((it.get().0 + 1, it.get().1 + layout.size())));
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

/// Calls and bytes of some work.
fn of<T>(work: impl FnOnce() -> T) -> (T, usize, usize) {
    let (calls, bytes) = ALLOCATED.get();
    let done = work();
    let (calls_then, bytes_then) = ALLOCATED.get();
    (done, calls_then - calls, bytes_then - bytes)
}

#[test]
fn a_new_book_is_small_and_one_that_has_settled_allocates_nothing() {
    let instrument = Instrument::new("BTCUSDT", "", "0.1", "0.001").unwrap();
    let (book, _, bytes) = of(|| L2Book::new(instrument));
    assert!(bytes <= 55_000, "{bytes} bytes");
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
    let ((), calls, bytes) = of(&mut lap);
    // The doubled lengths of two sides, of which each copies the one before.
    assert!((1..=10).contains(&calls) && bytes < 2 * 2 * (4_200 / 64 + 2) * 2 * 512, "{calls} times, {bytes} bytes");
    let ((), calls, _) = of(&mut lap);
    assert_eq!(calls, 0);
}
