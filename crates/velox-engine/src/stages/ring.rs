//! Rings that scripts share, as the two ends of a pipeline.

use std::sync::Arc;

use velox_ring::{ForeignConsumer, ForeignProducer};

use super::doorbell::Doorbell;
use crate::pipeline::{BATCH, Batch, EngineError, Feed, Flow, Input, Notes, Nothing, Source, Stage, Tally};

/// A sink into a ring that a script reads. Blocks while the ring is full, unless it was told to drop.
pub struct RingSink<T: Flow> {
    producer: ForeignProducer<T>,
    bell: Option<Arc<Doorbell>>,
    drops: bool,
}

impl<T: Flow> RingSink<T> {
    /// Fills this ring.
    pub fn new(producer: ForeignProducer<T>) -> Self {
        Self { producer, bell: None, drops: false }
    }

    /// Rings when records have come. `drops`: whether what finds no room counts as dropped instead of holding up the
    /// run.
    #[must_use]
    pub fn ringing(self, bell: Arc<Doorbell>, drops: bool) -> Self {
        Self { bell: Some(bell), drops, ..self }
    }

    fn is_abandoned(&self) -> bool {
        self.bell.as_ref().is_some_and(|bell| bell.is_abandoned())
    }
}

impl<T: Flow> Stage for RingSink<T> {
    type In = T;
    type Out = Nothing;

    fn poll(&mut self, input: &mut Input<'_, T>, _: &mut Batch<Nothing>, tally: &mut Tally) -> Result<(), EngineError> {
        if input.is_empty() {
            return Ok(());
        }
        let pushed = self.producer.push_slice(input.records())?;
        input.advance(pushed);
        tally.consumed += pushed as u64;
        if let Some(bell) = self.bell.as_ref().filter(|_| pushed > 0) {
            bell.ring();
        }
        if !input.is_empty() && (self.drops || self.is_abandoned()) {
            input.discard();
        }
        Ok(())
    }

    fn is_foreign(&self) -> bool {
        true
    }

    fn discards(&self) -> bool {
        self.drops
    }

    fn notes(&mut self) -> Notes {
        let unread = if self.is_abandoned() { self.producer.len().unwrap_or(0) as u64 } else { 0 };
        Notes { unread, ..Notes::default() }
    }
}

/// A source from a ring that a script fills. Ends when the ring is closed and empty.
pub struct RingSource<T: Flow<Stamp = u64>> {
    consumer: ForeignConsumer<T>,
    records: Vec<T>,
    bell: Option<Arc<Doorbell>>,
    ended: bool,
}

impl<T: Flow<Stamp = u64>> RingSource<T> {
    /// Reads this ring.
    pub fn new(consumer: ForeignConsumer<T>) -> Self {
        Self { consumer, records: Vec::with_capacity(BATCH), bell: None, ended: false }
    }

    /// Rings when there is room again.
    #[must_use]
    pub fn ringing(self, bell: Arc<Doorbell>) -> Self {
        Self { bell: Some(bell), ..self }
    }
}

impl<T: Flow<Stamp = u64>> Source for RingSource<T> {
    type Out = T;

    fn poll(&mut self, feed: &mut Feed<'_, T>, stopping: bool) -> Result<bool, EngineError> {
        // Before the look into the ring: what a script pushed before it closed is seen by that look.
        let closed = self.consumer.is_closed();
        let room = feed.room().min(BATCH);
        self.records.clear();
        let read = self.consumer.pop_into(&mut self.records, room);
        let now = velox_clock::now();
        for record in &self.records {
            feed.push(*record, now);
        }
        if let Some(bell) = self.bell.as_ref().filter(|_| !self.records.is_empty()) {
            bell.ring();
        }
        // A record that is none stays in front; what stood before it was given, and the next look meets it.
        let read = read?;
        feed.pass_time(now);
        feed.follow_clock(0);
        // Not `read < room`: see above.
        self.ended = closed && room > 0 && read == 0;
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
