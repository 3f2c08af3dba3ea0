use rtrb::RingBuffer;
use rtrb::chunks::ChunkError;

use super::{BATCH, CAPACITY, Record, Rival};

pub struct Rtrb;

impl Rival for Rtrb {
    const NAME: &'static str = "rtrb";
    type Producer = rtrb::Producer<Record>;
    type Consumer = rtrb::Consumer<Record>;

    fn pair() -> (Self::Producer, Self::Consumer) {
        RingBuffer::new(CAPACITY)
    }

    #[inline]
    fn push(producer: &mut Self::Producer, record: Record) -> bool {
        producer.push(record).is_ok()
    }

    #[inline]
    fn pop(consumer: &mut Self::Consumer) -> Option<Record> {
        consumer.pop().ok()
    }

    #[inline]
    fn push_batch(producer: &mut Self::Producer, first: u64, most: usize) -> usize {
        let records = (first..).map(Record::new);
        match producer.write_chunk_uninit(most.min(BATCH)) {
            Ok(chunk) => chunk.fill_from_iter(records),
            Err(ChunkError::TooFewSlots(few)) => {
                producer.write_chunk_uninit(few).map_or(0, |chunk| chunk.fill_from_iter(records))
            }
        }
    }

    #[inline]
    fn pop_batch(consumer: &mut Self::Consumer, read: &mut impl FnMut(&Record)) -> usize {
        let count = match consumer.read_chunk(BATCH) {
            Ok(_) => BATCH,
            Err(ChunkError::TooFewSlots(few)) => few,
        };
        let Ok(chunk) = consumer.read_chunk(count) else { return 0 };
        let (one, two) = chunk.as_slices();
        one.iter().for_each(&mut *read);
        two.iter().for_each(&mut *read);
        chunk.commit_all();
        count
    }
}
