use ringbuf::traits::{Consumer as _, Producer as _, Split as _};
use ringbuf::{CachingCons, CachingProd, HeapRb};
use std::sync::Arc;

use super::{BATCH, CAPACITY, Record, Rival};

pub struct Ringbuf;

impl Rival for Ringbuf {
    const NAME: &'static str = "ringbuf";
    type Producer = CachingProd<Arc<HeapRb<Record>>>;
    type Consumer = CachingCons<Arc<HeapRb<Record>>>;

    fn pair() -> (Self::Producer, Self::Consumer) {
        HeapRb::new(CAPACITY).split()
    }

    #[inline]
    fn push(producer: &mut Self::Producer, record: Record) -> bool {
        producer.try_push(record).is_ok()
    }

    #[inline]
    fn pop(consumer: &mut Self::Consumer) -> Option<Record> {
        consumer.try_pop()
    }

    #[inline]
    fn push_batch(producer: &mut Self::Producer, first: u64, most: usize) -> usize {
        producer.push_iter((first..).take(most.min(BATCH)).map(Record::new))
    }

    #[inline]
    fn pop_batch(consumer: &mut Self::Consumer, read: &mut impl FnMut(&Record)) -> usize {
        let (one, two) = consumer.as_slices();
        one.iter().chain(two).take(BATCH).for_each(&mut *read);
        let count = (one.len() + two.len()).min(BATCH);
        consumer.skip(count)
    }
}
