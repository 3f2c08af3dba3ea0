use std::num::NonZeroUsize;

use gil::spsc::{Receiver, Sender, channel};

use super::{BATCH, CAPACITY, Record, Rival};

pub struct Gil;

impl Rival for Gil {
    const NAME: &'static str = "gil";
    type Producer = Sender<Record>;
    type Consumer = Receiver<Record>;

    fn pair() -> (Self::Producer, Self::Consumer) {
        channel(NonZeroUsize::new(CAPACITY).unwrap())
    }

    #[inline]
    fn push(producer: &mut Self::Producer, record: Record) -> bool {
        producer.try_send(record).is_ok()
    }

    #[inline]
    fn pop(consumer: &mut Self::Consumer) -> Option<Record> {
        consumer.try_recv()
    }

    #[inline]
    fn push_batch(producer: &mut Self::Producer, first: u64, most: usize) -> usize {
        let slots = producer.write_buffer();
        let count = slots.len().min(most).min(BATCH);
        for (slot, id) in slots[..count].iter_mut().zip(first..) {
            slot.write(Record::new(id));
        }
        // SAFETY: so many were written.
        unsafe { producer.commit(count) };
        count
    }

    #[inline]
    fn pop_batch(consumer: &mut Self::Consumer, read: &mut impl FnMut(&Record)) -> usize {
        let mut guard = consumer.read_guard();
        let count = guard.len().min(BATCH);
        guard.as_slice()[..count].iter().for_each(read);
        guard.advance(count);
        count
    }
}
