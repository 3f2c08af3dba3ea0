//! What a thread runs: agents, each of which does a bounded bit of work a call and says how much.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::batch::{Batch, Input, Shared};
use super::error::EngineError;
use super::flow::Flow;
use super::gauges::BookGauge;
use super::graph::{End, Wiring};
use super::latency::Latency;
use super::script::{Answer, ScriptAgent};
use super::stage::{Notes, Stage, Tally};
use super::thread::panic_text;
use velox_metrics::{EdgeCounters, StageCounters};

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
    /// Its part of the report. Called once, and nothing behind it.
    fn end(&mut self) -> AgentEnd;
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
    pub first_error: Option<String>,
    pub notes: Notes,
}

/// The account of one stage, as its agent keeps it.
pub(crate) struct Ledger {
    pub index: usize,
    counters: StageCounters,
    pub tally: Tally,
    pub latency: Latency,
    pub taken: u64,
    /// For how long it was at work, in ns: from the look at the clock before its work until the one after.
    busy: u64,
    /// When somebody of its thread looked at the clock last.
    look: Rc<Cell<u64>>,
}

impl Ledger {
    // Not inlined, like `end`: called once by each of some hundred kinds of agents.
    #[inline(never)]
    pub(crate) fn new(wiring: &Wiring) -> Self {
        let (gauges, look) = (&wiring.gauges, Rc::clone(&wiring.look));
        let tally = Tally { waits: gauges.waits.clone(), ..Tally::default() };
        let (counters, latency) = (gauges.counters.clone(), gauges.latency.clone());
        Self { index: wiring.index, counters, tally, latency, taken: 0, busy: 0, look }
    }

    /// The stage is through with a bit of work, at `now`.
    #[inline]
    pub(crate) fn looked(&mut self, now: u64) {
        self.busy += now.saturating_sub(self.look.replace(now));
    }

    /// What the stage took and did not come to account for has failed.
    pub(crate) fn fail_rest(&mut self) {
        self.tally.errors += self.taken.saturating_sub(self.tally.accounted());
    }

    pub(crate) fn publish(&self, out: u64) {
        let Tally { consumed, filtered, conflated, errors, held, .. } = self.tally;
        self.counters.publish([self.taken, out, consumed, filtered, conflated, errors, held, self.busy]);
    }

    /// The part of the report of an agent with such an account, which `left` so much.
    #[inline(never)]
    pub(crate) fn end(&mut self, notes: Notes, left: Vec<(usize, usize)>) -> AgentEnd {
        let first_error = self.tally.first_error.take();
        AgentEnd { stage: Some(StageEnd { index: self.index, first_error, notes }), left, ring_left: None }
    }
}

impl<T: Flow> End<T> {
    /// Tells what was written to it.
    pub(crate) fn publish_written(&self, batch: &Batch<T>) {
        self.counters.offered(batch.offered);
        if batch.dropped > 0 {
            self.counters.dropped(batch.dropped);
        }
        self.counters.fill(batch.high_water as u64);
    }

    /// Tells what was read from it.
    pub(crate) fn publish_read(&self, batch: &Batch<T>) {
        self.counters.popped(batch.popped);
        if batch.discarded > 0 {
            self.counters.discarded(batch.discarded);
        }
    }

    pub(crate) fn left(&self) -> (usize, usize) {
        (self.edge, self.batch.borrow().len())
    }
}

/// What is the same for every stage between two types: one piece of code for each pair, and not for each kind of stage.
struct Ends<I: Flow, O: Flow> {
    input: End<I>,
    /// None behind a sink, whose batch leads nowhere.
    output: Option<End<O>>,
    nowhere: Shared<O>,
}

/// What is told of a stage, whatever its types.
struct Account {
    ledger: Ledger,
    end_to_end: Latency,
    /// Whether it holds records for a time on their way from a book to a step that looks at it.
    lets_go_late: bool,
    /// Whether it tells how much stood in its input, as it drops what it has no room for.
    tells_input: bool,
}

impl<I: Flow, O: Flow> Ends<I, O> {
    #[inline(never)]
    fn new(wiring: &mut Wiring) -> Self {
        let (input, output): (_, Option<End<O>>) = (wiring.input(0), wiring.output(0));
        let nowhere = output.as_ref().map_or_else(Batch::shared, |end| Rc::clone(&end.batch));
        nowhere.borrow_mut().span = wiring.span.take();
        Self { input, output, nowhere }
    }

    #[inline(never)]
    fn publish(&self, read: &Batch<I>, written: &Batch<O>, ledger: &Ledger) {
        self.input.publish_read(read);
        if let Some(output) = &self.output {
            output.publish_written(written);
        }
        ledger.publish(written.offered);
    }

    #[inline(never)]
    fn end(&self, account: &mut Account, mut notes: Notes) -> AgentEnd {
        if account.lets_go_late {
            let reason = "what a step holds meets a book as it stands when it is let go";
            notes.non_deterministic.get_or_insert_with(|| reason.into());
        }
        self.publish(&self.input.batch.borrow(), &self.nowhere.borrow(), &account.ledger);
        account.ledger.end(notes, vec![self.input.left()])
    }
}

impl Account {
    /// What follows the poll of any stage. Looks at the clock once for all that is told of this bit of work; says how many
    /// records it took, and when it looked, if it took any.
    #[inline(never)]
    fn settle<I: Flow, O: Flow>(
        &mut self,
        edge: &EdgeCounters,
        input: &mut Input<'_, I>,
        output: &mut Batch<O>,
    ) -> (usize, Option<u64>) {
        let Self { ledger, end_to_end, .. } = self;
        let stamps = input.taken();
        let mut looked = None;
        if !stamps.is_empty() {
            let now = velox_clock::now();
            ledger.looked(now);
            ledger.latency.record_stamps(stamps, now);
            end_to_end.record_paths(stamps, now);
            looked = Some(now);
        }
        let taken = input.settle();
        ledger.taken += taken as u64;
        if self.tells_input {
            edge.fill((taken + input.records().len()) as u64);
        }
        output.note_high_water();
        // What it still holds is older than what has passed.
        if input.is_empty() && ledger.tally.held == 0 {
            output.pass(input.watermark(), input.clock_offset());
        }
        (taken, looked)
    }
}

#[cold]
fn panicked(panic: &(dyn Any + Send)) -> EngineError {
    EngineError::Panic(panic_text(panic))
}

/// A stage with its two batches.
pub(crate) struct StageAgent<S: Stage> {
    stage: S,
    ends: Ends<S::In, S::Out>,
    account: Account,
    book: Option<BookGauge>,
    done: bool,
}

impl<S: Stage> StageAgent<S> {
    pub(crate) fn new(stage: S, wiring: &mut Wiring) -> Self {
        let ends = Ends::<S::In, S::Out>::new(wiring);
        let account = Account {
            ledger: Ledger::new(wiring),
            end_to_end: std::mem::take(&mut wiring.gauges.end_to_end),
            lets_go_late: S::WAITS && !wiring.ways.is_empty(),
            // Between threads the sender has told it.
            tells_input: stage.discards() && std::mem::replace(&mut ends.input.batch.borrow_mut().noted, false),
        };
        Self { stage, ends, account, book: wiring.gauges.book.take(), done: false }
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
        let Self { stage, ends, account, .. } = self;
        let mut batch = ends.input.batch.borrow_mut();
        let mut output = ends.nowhere.borrow_mut();
        let (before, discarded) = (output.offered, batch.discarded);
        let mut input = Input::new(&mut batch);
        let tally = &mut account.ledger.tally;
        // Unwind safety: after a panic the stage is only asked for its notes, and the batches are whole after each call.
        let result = catch_unwind(AssertUnwindSafe(|| stage.poll(&mut input, &mut output, tally)));
        let mut failed = result.unwrap_or_else(|panic| Err(panicked(&*panic))).err();
        let (taken, looked) = account.settle(&ends.input.counters, &mut input, &mut output);
        if let (Some(now), Some(gauge), Some(book)) = (looked, &mut self.book, stage.book()) {
            gauge.look(book, now);
        }
        if failed.is_some() {
            account.ledger.fail_rest();
        } else if batch.drained() {
            match stage.finish(&mut output, &mut account.ledger.tally) {
                Ok(out) => (self.done, output.ended) = (out, out),
                Err(error) => failed = Some(error),
            }
        }
        let gone = taken + (batch.discarded - discarded) as usize;
        let moved = gone + (output.offered - before) as usize + usize::from(self.done);
        if moved > 0 || failed.is_some() {
            ends.publish(&batch, &output, &account.ledger);
        }
        failed.map_or(Ok(moved), Err)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn due(&self) -> Option<u64> {
        Some(self.stage.deadline()?.wrapping_add(self.ends.input.batch.borrow().clock_offset?))
    }

    fn stage(&self) -> usize {
        self.account.ledger.index
    }

    fn end(&mut self) -> AgentEnd {
        self.ends.end(&mut self.account, self.stage.notes())
    }
}
