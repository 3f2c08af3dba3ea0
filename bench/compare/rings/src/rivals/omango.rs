use omango::queue::spsc::{self, BReceiver, BSender};

use super::{CAPACITY, Record, Rival};

pub struct Omango;

impl Rival for Omango {
    const NAME: &'static str = "omango";
    const BATCHES: bool = false;
    type Producer = BSender<Record>;
    type Consumer = BReceiver<Record>;

    fn pair() -> (Self::Producer, Self::Consumer) {
        spsc::bounded(CAPACITY as u32)
    }

    #[inline]
    fn push(producer: &mut Self::Producer, record: Record) -> bool {
        producer.try_send(record).is_ok()
    }

    #[inline]
    fn pop(consumer: &mut Self::Consumer) -> Option<Record> {
        consumer.try_recv().ok()
    }

    fn push_batch(_: &mut Self::Producer, _: u64, _: usize) -> usize {
        unreachable!("it has no batches")
    }

    fn pop_batch(_: &mut Self::Consumer, _: &mut impl FnMut(&Record)) -> usize {
        unreachable!("it has no batches")
    }
}
