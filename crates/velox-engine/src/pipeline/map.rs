//! A stage whose output type is known by its words only: one piece of code serves every output type.

use velox_record::InvalidRecord;

use super::agent::{Agent, AgentEnd, Ledger};
use super::batch::{BATCH, Input};
use super::error::EngineError;
use super::flow::{Flow, Stamp};
use super::graph::{End, Wiring};
use super::stage::{Notes, Tally};

/// Makes records of words of up to [`BATCH`] records: fills `words`, record by record, and lists in `made` which of the
/// records it made one of. Those that it did not it refuses in the tally.
pub type Make<T> = Box<dyn Maker<T>>;

/// See [`Make`].
pub trait Maker<T>: Send {
    /// Fills the words of the records that it makes, each at its record's place.
    fn make(&mut self, records: &[T], words: &mut [u64], made: &mut Vec<u16>, tally: &mut Tally);
    /// What the report should know at the end.
    fn notes(&mut self) -> Notes {
        Notes::default()
    }
}

/// An output by words.
pub(crate) trait Written {
    fn words(&self) -> usize;
    fn room(&self) -> usize;
    fn write(&mut self, words: &[u64], made: &[u16], ready: &mut dyn FnMut(u16) -> u64) -> Result<(), InvalidRecord>;
    fn pass(&mut self, passed: (u64, Option<u64>), ended: bool);
    fn publish(&mut self);
    fn offered(&self) -> u64;
}

/// The output of a map to records `O`.
pub(crate) fn written<O: Flow>(wiring: &mut Wiring) -> Box<dyn Written> {
    Box::new(wiring.output::<O>(0).expect("a map leads to a step"))
}

impl<O: Flow> Written for End<O> {
    fn words(&self) -> usize {
        O::WORDS
    }

    fn room(&self) -> usize {
        self.batch.borrow().room()
    }

    fn write(&mut self, words: &[u64], made: &[u16], ready: &mut dyn FnMut(u16) -> u64) -> Result<(), InvalidRecord> {
        let mut batch = self.batch.borrow_mut();
        for row in made {
            let at = usize::from(*row) * O::WORDS;
            batch.push(O::from_words(&words[at..at + O::WORDS])?, O::Stamp::made(ready(*row)));
        }
        Ok(())
    }

    fn pass(&mut self, (watermark, offset): (u64, Option<u64>), ended: bool) {
        let mut batch = self.batch.borrow_mut();
        batch.pass(watermark, offset);
        batch.ended = ended;
    }

    fn publish(&mut self) {
        let mut batch = self.batch.borrow_mut();
        batch.note_high_water();
        self.publish_written(&batch);
    }

    fn offered(&self) -> u64 {
        self.batch.borrow().offered
    }
}

/// The agent of a map.
pub(crate) struct MapAgent<T: Flow> {
    make: Make<T>,
    input: End<T>,
    output: Box<dyn Written>,
    words: Vec<u64>,
    stride: usize,
    made: Vec<u16>,
    ledger: Ledger,
    done: bool,
}

impl<T: Flow> MapAgent<T> {
    pub(crate) fn new(make: Make<T>, output: fn(&mut Wiring) -> Box<dyn Written>, wiring: &mut Wiring) -> Self {
        let output = output(wiring);
        let (input, ledger) = (wiring.input(0), Ledger::new(wiring));
        let stride = output.words();
        let (words, made) = (vec![0; BATCH * stride], Vec::with_capacity(BATCH));
        Self { make, input, output, words, stride, made, ledger, done: false }
    }

    fn publish(&mut self) {
        self.input.publish_read(&self.input.batch.borrow());
        self.output.publish();
        self.ledger.publish(self.output.offered());
    }
}

impl<T: Flow> Agent for MapAgent<T> {
    fn poll(&mut self) -> Result<usize, EngineError> {
        if self.done {
            return Ok(0);
        }
        let mut batch = self.input.batch.borrow_mut();
        let mut input = Input::new(&mut batch);
        let count = input.records().len().min(self.output.room()).min(BATCH);
        let mut failed = None;
        if count > 0 {
            let (records, stamps) = (&input.records()[..count], &input.stamps()[..count]);
            let tally = &mut self.ledger.tally;
            self.made.clear();
            self.make.make(records, &mut self.words[..count * self.stride], &mut self.made, tally);
            tally.consumed += self.made.len() as u64;
            failed = self.output.write(&self.words, &self.made, &mut |row| stamps[usize::from(row)].ready()).err();
            let now = velox_clock::now();
            self.ledger.looked(now);
            self.ledger.latency.record_stamps(stamps, now);
        }
        input.advance(count);
        input.settle();
        self.ledger.taken += count as u64;
        if batch.is_empty() {
            self.done = batch.ended;
            self.output.pass((batch.watermark, batch.clock_offset), batch.ended);
        }
        drop(batch);
        if failed.is_some() {
            self.ledger.fail_rest();
        }
        if count > 0 || self.done {
            self.publish();
        }
        failed.map_or(Ok(count + usize::from(self.done)), |error| Err(error.into()))
    }

    fn done(&self) -> bool {
        self.done
    }

    fn stage(&self) -> usize {
        self.ledger.index
    }

    fn end(&mut self) -> AgentEnd {
        self.publish();
        self.ledger.end(self.make.notes(), vec![self.input.left()])
    }
}
