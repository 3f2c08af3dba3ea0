use disruptor::{
    BusySpin, EventPoller, Producer as _, SingleConsumerBarrier, SingleProducer, SingleProducerBarrier,
    build_single_producer,
};

use super::{BATCH, CAPACITY, Record, Rival};

pub struct Disruptor;

impl Rival for Disruptor {
    const NAME: &'static str = "disruptor-rs";
    type Producer = SingleProducer<Record, SingleConsumerBarrier>;
    type Consumer = EventPoller<Record, SingleProducerBarrier>;

    fn pair() -> (Self::Producer, Self::Consumer) {
        let (poller, builder) = build_single_producer(CAPACITY, Record::default, BusySpin).new_event_poller();
        (builder.build(), poller)
    }

    #[inline]
    fn push(producer: &mut Self::Producer, record: Record) -> bool {
        producer.try_publish(|slot| *slot = record).is_ok()
    }

    #[inline]
    fn pop(consumer: &mut Self::Consumer) -> Option<Record> {
        let mut events = consumer.take(1).ok()?;
        (&mut events).next().copied()
    }

    #[inline]
    fn push_batch(producer: &mut Self::Producer, first: u64, most: usize) -> usize {
        let count = most.min(BATCH);
        let pushed = producer.try_batch_publish(count, |slots| {
            for (slot, id) in slots.zip(first..) {
                *slot = Record::new(id);
            }
        });
        if pushed.is_ok() { count } else { 0 }
    }

    #[inline]
    fn pop_batch(consumer: &mut Self::Consumer, read: &mut impl FnMut(&Record)) -> usize {
        let Ok(mut events) = consumer.take(BATCH as u64) else { return 0 };
        let count = (&mut events).len();
        (&mut events).for_each(read);
        count
    }
}
