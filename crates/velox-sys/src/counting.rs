//! An allocator that counts what each thread asks of it, for tests that a hot path asks nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    // Each thread's own: a test's harness allocates on another one when it likes.
    static COUNTED: Cell<Allocated> = const { Cell::new(Allocated { allocations: 0, frees: 0, bytes: 0, most_bytes: 0 }) };
}

/// What a thread has asked of [`Counting`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allocated {
    /// Blocks that were asked for; one that grows counts as another.
    pub allocations: u64,
    /// Blocks that were given back.
    pub frees: u64,
    /// Bytes that are held: below zero where it gave back what another thread had asked for.
    pub bytes: i64,
    /// The most that were held at once since [`Counting::forget_most`].
    pub most_bytes: i64,
}

/// The system's allocator, which counts by thread. For tests and benchmarks: a call costs a few ns more.
///
/// ```
/// use velox_sys::Counting;
///
/// #[global_allocator]
/// static ALLOCATOR: Counting = Counting;
///
/// let before = Counting::of_thread().allocations;
/// let room: Vec<u64> = Vec::with_capacity(16);
/// assert_eq!(Counting::of_thread().allocations - before, 1);
/// drop(room);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Counting;

impl Counting {
    /// What the calling thread has asked for by now; all zeros where another allocator is in use. Allocates nothing.
    pub fn of_thread() -> Allocated {
        COUNTED.get()
    }

    /// The calling thread's `most_bytes` begin anew, at what is held now.
    pub fn forget_most() {
        count(|counted| counted.most_bytes = counted.bytes);
    }
}

fn count(change: impl FnOnce(&mut Allocated)) {
    let mut counted = COUNTED.get();
    change(&mut counted);
    COUNTED.set(counted);
}

// SAFETY: it only counts, in a cell of the thread that allocates nothing itself; every duty of an allocator is passed on to
// the system's.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: the caller's promise about the layout is handed on.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|counted| {
            counted.allocations += 1;
            counted.bytes += layout.size() as i64;
            counted.most_bytes = counted.most_bytes.max(counted.bytes);
        });
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: the caller's promise about the block is handed on.
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(|counted| {
            counted.frees += 1;
            counted.bytes -= layout.size() as i64;
        });
        // SAFETY: as above; the block came from `System`.
        unsafe { System.dealloc(at, layout) }
    }
}
