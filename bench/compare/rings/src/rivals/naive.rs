use std::sync::Arc;

use naive_ring::NaiveRing;

use super::{CAPACITY, Record, Rival};

pub struct Naive;

impl Rival for Naive {
    const NAME: &'static str = "naive: two atomics";
    const BATCHES: bool = false;
    type Producer = Arc<NaiveRing<Record, CAPACITY>>;
    type Consumer = Arc<NaiveRing<Record, CAPACITY>>;

    fn pair() -> (Self::Producer, Self::Consumer) {
        let ring = Arc::new(NaiveRing::new());
        (Arc::clone(&ring), ring)
    }

    #[inline]
    fn push(producer: &mut Self::Producer, record: Record) -> bool {
        producer.push(record)
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
