//! Rings that scripts share, as the two ends of a pipeline.

use velox_ring::{ForeignConsumer, ForeignProducer};

use crate::pipeline::{BATCH, Batch, EngineError, Feed, Flow, Input, Notes, Nothing, Source, Stage, Tally};

/// A sink into a ring that a script reads. Blocks while the ring is full.
pub struct RingSink<T: Flow>(ForeignProducer<T>);

impl<T: Flow> RingSink<T> {
    /// Fills this ring.
    pub fn new(producer: ForeignProducer<T>) -> Self {
        Self(producer)
    }
}

impl<T: Flow> Stage for RingSink<T> {
    type In = T;
    type Out = Nothing;

    fn poll(&mut self, input: &mut Input<'_, T>, _: &mut Batch<Nothing>, tally: &mut Tally) -> Result<(), EngineError> {
        if input.is_empty() {
            return Ok(());
        }
        let pushed = self.0.push_slice(input.records())?;
        input.advance(pushed);
        tally.consumed += pushed as u64;
        Ok(())
    }

    fn is_foreign(&self) -> bool {
        true
    }
}

/// A source from a ring that a script fills. Ends when the ring is closed and empty.
pub struct RingSource<T: Flow<Stamp = u64>> {
    consumer: ForeignConsumer<T>,
    records: Vec<T>,
    ended: bool,
}

impl<T: Flow<Stamp = u64>> RingSource<T> {
    /// Reads this ring.
    pub fn new(consumer: ForeignConsumer<T>) -> Self {
        Self { consumer, records: Vec::with_capacity(BATCH), ended: false }
    }
}

impl<T: Flow<Stamp = u64>> Source for RingSource<T> {
    type Out = T;

    fn poll(&mut self, feed: &mut Feed<'_, T>, stopping: bool) -> Result<bool, EngineError> {
        // Before the look into the ring: what a script pushed before it closed is seen by that look.
        let closed = self.consumer.is_closed();
        let room = feed.room();
        self.records.clear();
        let read = self.consumer.pop_into(&mut self.records, room);
        let now = velox_clock::now();
        for record in &self.records {
            feed.push(*record, now);
        }
        feed.pass_time(now);
        feed.follow_clock(0);
        // Not `read < room`: a record that is none stays in front, and the next look meets it.
        self.ended = closed && room > 0 && read? == 0;
        Ok(self.ended || stopping)
    }

    fn has_record_time(&self) -> bool {
        false
    }

    fn is_foreign(&self) -> bool {
        true
    }

    fn notes(&mut self) -> Notes {
        Notes {
            non_deterministic: Some("a ring is filled while the run goes: bundles close by the clock".into()),
            ..Notes::default()
        }
    }
}
