use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use super::{CAPACITY, Record, Rival};

pub struct Crossbeam;

impl Rival for Crossbeam {
    const NAME: &'static str = "crossbeam `ArrayQueue`";
    const BATCHES: bool = false;
    type Producer = Arc<ArrayQueue<Record>>;
    type Consumer = Arc<ArrayQueue<Record>>;

    fn pair() -> (Self::Producer, Self::Consumer) {
        let ring = Arc::new(ArrayQueue::new(CAPACITY));
        (Arc::clone(&ring), ring)
    }

    #[inline]
    fn push(producer: &mut Self::Producer, record: Record) -> bool {
        producer.push(record).is_ok()
    }

    #[inline]
    fn pop(consumer: &mut Self::Consumer) -> Option<Record> {
        consumer.pop()
    }

    fn push_batch(_: &mut Self::Producer, _: u64, _: usize) -> usize {
        unreachable!("it has no batches")
    }

    fn pop_batch(_: &mut Self::Consumer, _: &mut impl FnMut(&Record)) -> usize {
        unreachable!("it has no batches")
    }
}
