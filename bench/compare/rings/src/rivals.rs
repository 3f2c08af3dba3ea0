//! The rings, each by its documented fast path.

pub mod crossbeam;
pub mod disruptor;
pub mod gil;
pub mod naive;
pub mod omango;
pub mod ringbuf;
pub mod rtrb;
pub mod velox;

use crate::record::Record;

/// Slots of every ring.
pub const CAPACITY: usize = 4096;
/// Records a batch, at most.
pub const BATCH: usize = 256;

/// A ring of [`CAPACITY`] records. Nothing waits in here: the loop around it does, alike for all.
pub trait Rival {
    const NAME: &'static str;
    /// Whether it has calls for batches of its own.
    const BATCHES: bool = true;
    type Producer: Send;
    type Consumer: Send;

    fn pair() -> (Self::Producer, Self::Consumer);
    /// `false` when full.
    fn push(producer: &mut Self::Producer, record: Record) -> bool;
    fn pop(consumer: &mut Self::Consumer) -> Option<Record>;
    /// Pushes records `first ..`, up to `most` and to [`BATCH`], made in place, published together; says how many.
    fn push_batch(producer: &mut Self::Producer, first: u64, most: usize) -> usize;
    /// Reads up to [`BATCH`] records in place and gives them back together; says how many.
    fn pop_batch(consumer: &mut Self::Consumer, read: &mut impl FnMut(&Record)) -> usize;
}
