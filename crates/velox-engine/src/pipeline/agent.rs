//! What a thread runs: agents, each of which does a bounded bit of work a call and says how much.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::batch::{Batch, Input};
use super::counters::StageCounters;
use super::error::EngineError;
use super::flow::Flow;
use super::graph::{End, Wiring};
use super::latency::Latency;
use super::script::{Answer, ScriptAgent};
use super::stage::{Notes, Stage, Tally};
use super::thread::panic_text;

/// A bit of work on a thread.
pub(crate) trait Agent {
    /// Called once, before the first poll.
    fn start(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
    /// Called once, behind the last.
    fn stop(&mut self) {}
    /// Does a bounded bit of work; says how many records it moved.
    fn poll(&mut self) -> Result<usize, EngineError>;
    /// Whether it will never have work again.
    fn done(&self) -> bool;
    /// How many records wait in place for a script that runs between two polls.
    fn offered(&self) -> usize {
        0
    }
    /// Itself, where it is a script's stage.
    fn script(&mut self) -> Option<&mut ScriptAgent> {
        None
    }
    /// Takes back what the script made, by `now`, of the records that were offered.
    fn commit(&mut self, answer: Answer, now: u64) -> Result<usize, EngineError> {
        let _ = (answer, now);
        Ok(0)
    }
    /// When it looked at the clock last, where it keeps that.
    fn last_look(&self) -> u64 {
        0
    }
    /// When its next work is due, on the clock, where it knows.
    fn due(&self) -> Option<u64> {
        None
    }
    /// Whether polling it before the run goes would start the run.
    fn is_source(&self) -> bool {
        false
    }
    /// The stage that an error of this agent is an error of.
    fn stage(&self) -> usize;
    /// Its part of the report.
    fn end(self: Box<Self>) -> AgentEnd;
}

/// What an agent leaves.
#[derive(Default)]
pub(crate) struct AgentEnd {
    pub stage: Option<StageEnd>,
    /// Records that it did not take from the edges before it.
    pub left: Vec<(usize, usize)>,
    /// The part of a ring that is still to be counted when both its threads have ended.
    pub ring_left: Option<(usize, Box<dyn Fn() -> usize + Send>)>,
}

pub(crate) struct StageEnd {
    pub index: usize,
    pub latency: Latency,
    pub end_to_end: Latency,
    pub waits: Latency,
    pub first_error: Option<String>,
    pub notes: Notes,
}

/// The account of one stage, as its agent keeps it.
pub(crate) struct Ledger {
    pub index: usize,
    counters: Arc<StageCounters>,
    pub tally: Tally,
    pub latency: Latency,
    pub taken: u64,
}

impl Ledger {
    pub(crate) fn new(wiring: &Wiring) -> Self {
        let latency = if wiring.inputs.is_empty() { Latency::default() } else { Latency::ready() };
        let counters = Arc::clone(&wiring.counters);
        Self { index: wiring.index, counters, tally: Tally::default(), latency, taken: 0 }
    }

    /// What the stage took and did not come to account for has failed.
    pub(crate) fn fail_rest(&mut self) {
        self.tally.errors += self.taken.saturating_sub(self.tally.accounted());
    }

    pub(crate) fn publish(&self, out: u64) {
        self.counters.publish(self.taken, out, &self.tally);
    }

    pub(crate) fn end(self, end_to_end: Latency, notes: Notes) -> StageEnd {
        let Tally { waits, first_error, .. } = self.tally;
        StageEnd { index: self.index, latency: self.latency, end_to_end, waits, first_error, notes }
    }
}

impl<T: Flow> End<T> {
    /// Tells what was written to it.
    pub(crate) fn publish_written(&self, batch: &Batch<T>) {
        self.counters.offered.set(batch.offered);
        if batch.dropped > 0 {
            self.counters.dropped.set(batch.dropped);
        }
        self.counters.high_water.raise(batch.high_water as u64);
    }

    /// Tells what was read from it.
    pub(crate) fn publish_read(&self, batch: &Batch<T>) {
        self.counters.popped.set(batch.popped);
        if batch.discarded > 0 {
            self.counters.discarded.set(batch.discarded);
        }
    }

    pub(crate) fn left(&self) -> (usize, usize) {
        (self.edge, self.batch.borrow().len())
    }
}

/// A stage with its two batches.
pub(crate) struct StageAgent<S: Stage> {
    stage: S,
    input: End<S::In>,
    /// None behind a sink, whose batch leads nowhere.
    output: Option<End<S::Out>>,
    nowhere: super::batch::Shared<S::Out>,
    ledger: Ledger,
    end_to_end: Latency,
    /// Whether it holds records for a time on their way from a book to a step that looks at it.
    lets_go_late: bool,
    last_look: u64,
    done: bool,
}

impl<S: Stage> StageAgent<S> {
    pub(crate) fn new(stage: S, mut wiring: Wiring) -> Self {
        let (input, output) = (wiring.input(0), wiring.output(0));
        let mut ledger = Ledger::new(&wiring);
        if S::WAITS {
            ledger.tally.waits = Latency::ready();
        }
        let nowhere = output.as_ref().map_or_else(Batch::shared, |end: &End<S::Out>| std::rc::Rc::clone(&end.batch));
        nowhere.borrow_mut().span = wiring.span.take();
        let end_to_end = if output.is_none() { Latency::ready() } else { Latency::default() };
        let lets_go_late = S::WAITS && !wiring.ways.is_empty();
        Self { stage, input, output, nowhere, ledger, end_to_end, lets_go_late, last_look: 0, done: false }
    }

    fn record_latencies(
        latency: &mut Latency,
        end_to_end: Option<&mut Latency>,
        last_look: &mut u64,
        taken: &[<S::In as Flow>::Stamp],
    ) {
        if taken.is_empty() {
            return;
        }
        let now = velox_clock::now();
        *last_look = now;
        latency.record_stamps(taken, now);
        if let Some(end_to_end) = end_to_end {
            end_to_end.record_paths(taken, now);
        }
    }

    fn publish(&self, input: &Batch<S::In>, output: &Batch<S::Out>) {
        self.input.publish_read(input);
        if let Some(end) = &self.output {
            end.publish_written(output);
        }
        self.ledger.publish(output.offered);
    }
}

impl<S: Stage> Agent for StageAgent<S> {
    fn start(&mut self) -> Result<(), EngineError> {
        self.stage.on_start()
    }

    fn stop(&mut self) {
        self.stage.on_stop();
    }

    fn poll(&mut self) -> Result<usize, EngineError> {
        if self.done {
            return Ok(0);
        }
        let mut batch = self.input.batch.borrow_mut();
        let mut output = self.nowhere.borrow_mut();
        let (before, discarded) = (output.offered, batch.discarded);
        let mut input = Input::new(&mut batch);
        let Ledger { tally, latency, .. } = &mut self.ledger;
        // Unwind safety: after a panic the stage is only asked for its notes, and the batches are whole after each call.
        let result = catch_unwind(AssertUnwindSafe(|| self.stage.poll(&mut input, &mut output, tally)));
        let result = result.unwrap_or_else(|panic| Err(EngineError::Panic(panic_text(&*panic))));
        let sink = self.output.is_none().then_some(&mut self.end_to_end);
        Self::record_latencies(latency, sink, &mut self.last_look, input.taken());
        let taken = input.settle();
        self.ledger.taken += taken as u64;
        output.note_high_water();
        // What it still holds is older than what has passed.
        if batch.is_empty() && self.ledger.tally.held == 0 {
            output.pass(batch.watermark, batch.clock_offset);
        }
        let mut failed = result.err();
        if failed.is_some() {
            self.ledger.fail_rest();
        } else if batch.drained() {
            match self.stage.finish(&mut output, &mut self.ledger.tally) {
                Ok(out) => (self.done, output.ended) = (out, out),
                Err(error) => failed = Some(error),
            }
        }
        let gone = taken + (batch.discarded - discarded) as usize;
        let moved = gone + (output.offered - before) as usize + usize::from(self.done);
        if moved > 0 || failed.is_some() {
            self.publish(&batch, &output);
        }
        failed.map_or(Ok(moved), Err)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn last_look(&self) -> u64 {
        self.last_look
    }

    fn due(&self) -> Option<u64> {
        Some(self.stage.deadline()?.wrapping_add(self.input.batch.borrow().clock_offset?))
    }

    fn stage(&self) -> usize {
        self.ledger.index
    }

    fn end(mut self: Box<Self>) -> AgentEnd {
        let mut notes = self.stage.notes();
        if self.lets_go_late {
            let reason = "what a step holds meets a book as it stands when it is let go";
            notes.non_deterministic.get_or_insert_with(|| reason.into());
        }
        self.publish(&self.input.batch.borrow(), &self.nowhere.borrow());
        let left = vec![self.input.left()];
        AgentEnd { left, stage: Some(self.ledger.end(self.end_to_end, notes)), ring_left: None }
    }
}
