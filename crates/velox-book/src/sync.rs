//! Atomics: std's, or loom's where a protocol is modelled (`--cfg loom`).

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicI64, AtomicU64, Ordering, fence};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicI64, AtomicU64, Ordering, fence};

/// A sequentially consistent load, where all accesses to all cells of a protocol are such, so that their executions are
/// interleavings. loom takes such a load for an acquire (see its documentation) and may give it an old value; what reads and
/// writes gets the newest.
#[inline]
pub(crate) fn load(cell: &AtomicU64) -> u64 {
    #[cfg(not(loom))]
    return cell.load(Ordering::SeqCst);
    #[cfg(loom)]
    cell.fetch_add(0, Ordering::SeqCst)
}

/// As [`load`].
#[inline]
pub(crate) fn load_signed(cell: &AtomicI64) -> i64 {
    #[cfg(not(loom))]
    return cell.load(Ordering::SeqCst);
    #[cfg(loom)]
    cell.fetch_add(0, Ordering::SeqCst)
}
