//! The highest number that any thread said, in cells of several threads each: writers of increasing numbers would
//! otherwise pass one cache line around with every update.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const CELLS: usize = 8;

#[derive(Debug, Default)]
#[repr(align(64))]
struct OwnLine(AtomicU64);

#[derive(Debug, Default)]
pub(super) struct Latest([OwnLine; CELLS]);

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static CELL: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) % CELLS);
}

impl Latest {
    // Relaxed throughout: a number for reports, which orders nothing.
    pub(super) fn raise(&self, number: u64) {
        let OwnLine(cell) = &self.0[CELL.get() % CELLS];
        if cell.load(Ordering::Relaxed) < number {
            cell.fetch_max(number, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self) -> u64 {
        self.0.iter().map(|OwnLine(cell)| cell.load(Ordering::Relaxed)).max().unwrap_or(0)
    }
}
