use super::{BATCH, CAPACITY, Record, Rival};

pub struct Velox;

impl Rival for Velox {
    const NAME: &'static str = "velox `ring`";
    type Producer = velox_ring::Producer<Record>;
    type Consumer = velox_ring::Consumer<Record>;

    fn pair() -> (Self::Producer, Self::Consumer) {
        velox_ring::ring(CAPACITY).unwrap()
    }

    #[inline]
    fn push(producer: &mut Self::Producer, record: Record) -> bool {
        producer.push(record).is_ok()
    }

    #[inline]
    fn pop(consumer: &mut Self::Consumer) -> Option<Record> {
        consumer.pop()
    }

    #[inline]
    fn push_batch(producer: &mut Self::Producer, first: u64, most: usize) -> usize {
        producer.write_chunk(most.min(BATCH)).fill((first..).map(Record::new))
    }

    #[inline]
    fn pop_batch(consumer: &mut Self::Consumer, read: &mut impl FnMut(&Record)) -> usize {
        consumer.drain(BATCH, |record| read(&record))
    }
}
