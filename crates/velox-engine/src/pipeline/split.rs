//! Where a stream becomes two.

use super::agent::{Agent, AgentEnd, Ledger};
use super::batch::{BATCH, Input};
use super::error::EngineError;
use super::flow::Flow;
use super::graph::{End, Wiring};
use super::stage::{Notes, Tally};

/// Where one record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// To the first port.
    #[default]
    First,
    /// To the second.
    Second,
    /// Nowhere: it was refused in the tally.
    Refused,
}

/// Chooses the way of each of up to [`BATCH`] records.
pub type Choose<T> = Box<dyn FnMut(&[T], &mut [Way], &mut Tally) + Send>;

/// Which of two ports a record goes to.
pub enum Route<T> {
    /// To both.
    Both,
    /// To the one that is chosen.
    Chosen(Choose<T>),
}

/// Gives records on to two steps. Takes only what both have room for, as it isn't known before which one needs it.
pub(crate) struct SplitAgent<T: Flow> {
    route: Route<T>,
    input: End<T>,
    outputs: [End<T>; 2],
    ways: [Way; BATCH],
    ledger: Ledger,
    done: bool,
}

impl<T: Flow> SplitAgent<T> {
    pub(crate) fn new(route: Route<T>, wiring: &mut Wiring) -> Self {
        let outputs = [0, 1].map(|port| wiring.output(port).expect("a split leads to two steps"));
        let (input, ledger) = (wiring.input(0), Ledger::new(wiring));
        Self { route, input, outputs, ways: [Way::First; BATCH], ledger, done: false }
    }

    fn publish(&self) {
        self.input.publish_read(&self.input.batch.borrow());
        let mut out = 0;
        for end in &self.outputs {
            let batch = end.batch.borrow();
            end.publish_written(&batch);
            out += batch.offered;
        }
        let both = matches!(self.route, Route::Both);
        self.ledger.publish(if both { out / 2 } else { out });
    }
}

impl<T: Flow> Agent for SplitAgent<T> {
    fn poll(&mut self) -> Result<usize, EngineError> {
        if self.done {
            return Ok(0);
        }
        let mut batch = self.input.batch.borrow_mut();
        let [mut first, mut second] = self.outputs.each_ref().map(|end| end.batch.borrow_mut());
        let mut input = Input::new(&mut batch);
        let count = input.records().len().min(first.room()).min(second.room()).min(BATCH);
        if count > 0 {
            let (records, stamps) = (&input.records()[..count], &input.stamps()[..count]);
            let tally = &mut self.ledger.tally;
            match &mut self.route {
                Route::Both => {
                    for (record, stamp) in records.iter().zip(stamps) {
                        first.push(*record, *stamp);
                        second.push(*record, *stamp);
                    }
                    tally.consumed += count as u64;
                }
                Route::Chosen(choose) => {
                    let ways = &mut self.ways[..count];
                    let refused = tally.errors;
                    choose(records, ways, tally);
                    for ((record, stamp), way) in records.iter().zip(stamps).zip(ways) {
                        match way {
                            Way::First => first.push(*record, *stamp),
                            Way::Second => second.push(*record, *stamp),
                            Way::Refused => {}
                        }
                    }
                    tally.consumed += count as u64 - (tally.errors - refused);
                }
            }
            let now = velox_clock::now();
            self.ledger.looked(now);
            self.ledger.latency.record_stamps(stamps, now);
            first.note_high_water();
            second.note_high_water();
            self.ledger.taken += count as u64;
        }
        input.advance(count);
        input.settle();
        if batch.is_empty() {
            for out in [&mut first, &mut second] {
                out.pass(batch.watermark, batch.clock_offset);
                out.ended = batch.ended;
            }
            self.done = batch.ended;
        }
        drop((batch, first, second));
        let moved = count + usize::from(self.done);
        if moved > 0 {
            self.publish();
        }
        Ok(moved)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn stage(&self) -> usize {
        self.ledger.index
    }

    fn end(&mut self) -> AgentEnd {
        self.publish();
        self.ledger.end(Notes::default(), vec![self.input.left()])
    }
}
