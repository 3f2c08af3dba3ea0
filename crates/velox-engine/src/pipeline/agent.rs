//! What a thread runs: agents, each of which does a bounded bit of work a call and says how much.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use velox_ring::{Consumer, Producer, Waker};

use super::batch::{Batch, Input, Shared};
use super::counters::{EdgeCounters, StageCounters};
use super::error::EngineError;
use super::flow::{Flow, Stamp};
use super::latency::Latency;
use super::script::{Answer, ScriptAgent};
use super::stage::{Notes, Stage, Tally};
use super::thread::panic_text;

/// Stands for an offset that there is not.
const NO_OFFSET: u64 = u64::MAX;

/// A bit of work on a thread.
pub(crate) trait Agent {
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
    /// The stage that an error of this agent is an error of.
    fn stage(&self) -> usize;
    /// Its part of the report.
    fn end(self: Box<Self>) -> AgentEnd;
}

/// What an agent leaves.
#[derive(Default)]
pub(crate) struct AgentEnd {
    pub stage: Option<StageEnd>,
    /// Records that it did not take from the edge before this stage.
    pub left: (usize, usize),
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

/// A stage with its two batches.
pub(crate) struct StageAgent<S: Stage> {
    pub index: usize,
    pub stage: S,
    pub input: Shared<S::In>,
    pub output: Shared<S::Out>,
    pub counters: Arc<StageCounters>,
    pub edge_in: Arc<EdgeCounters>,
    /// None behind the last stage.
    pub edge_out: Option<Arc<EdgeCounters>>,
    pub tally: Tally,
    pub latency: Latency,
    pub end_to_end: Latency,
    pub taken: u64,
    pub done: bool,
}

impl<S: Stage> StageAgent<S> {
    fn record_latencies(latency: &mut Latency, end_to_end: Option<&mut Latency>, taken: &[<S::In as Flow>::Stamp]) {
        if taken.is_empty() {
            return;
        }
        let now = velox_clock::now();
        latency.record_stamps(taken, now);
        if let Some(end_to_end) = end_to_end {
            for stamp in taken {
                stamp.paths(now, |nanos| end_to_end.record(nanos, 1));
            }
        }
    }

    fn publish(&self, input: &Batch<S::In>, output: &Batch<S::Out>) {
        self.edge_in.popped.set(input.popped);
        if let Some(edge) = &self.edge_out {
            edge.pushed.set(output.pushed);
            edge.high_water.raise(output.high_water as u64);
        }
        self.counters.publish(self.taken, output.pushed, &self.tally);
    }
}

impl<S: Stage> Agent for StageAgent<S> {
    fn poll(&mut self) -> Result<usize, EngineError> {
        if self.done {
            return Ok(0);
        }
        let mut batch = self.input.borrow_mut();
        let mut output = self.output.borrow_mut();
        let before = output.pushed;
        let mut input = Input::new(&mut batch);
        // Unwind safety: after a panic the stage is only asked for its notes, and the batches are whole after each call.
        let result = catch_unwind(AssertUnwindSafe(|| self.stage.poll(&mut input, &mut output, &mut self.tally)));
        let result = result.unwrap_or_else(|panic| Err(EngineError::Panic(panic_text(&*panic))));
        let sink = self.edge_out.is_none().then_some(&mut self.end_to_end);
        Self::record_latencies(&mut self.latency, sink, input.taken());
        let taken = input.settle();
        self.taken += taken as u64;
        output.note_high_water();
        if batch.is_empty() {
            output.pass(batch.watermark, batch.clock_offset);
        }
        let mut failed = result.err();
        if failed.is_some() {
            // What the stage took and did not come to account for.
            self.tally.errors += self.taken.saturating_sub(self.tally.accounted());
        } else if batch.drained() {
            match self.stage.finish(&mut output, &mut self.tally) {
                Ok(out) => (self.done, output.ended) = (out, out),
                Err(error) => failed = Some(error),
            }
        }
        let moved = taken + (output.pushed - before) as usize + usize::from(self.done);
        if moved > 0 || failed.is_some() {
            self.publish(&batch, &output);
        }
        failed.map_or(Ok(moved), Err)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn due(&self) -> Option<u64> {
        Some(self.stage.deadline()?.wrapping_add(self.input.borrow().clock_offset?))
    }

    fn stage(&self) -> usize {
        self.index
    }

    fn end(mut self: Box<Self>) -> AgentEnd {
        let notes = self.stage.notes();
        self.publish(&self.input.borrow(), &self.output.borrow());
        AgentEnd {
            left: (self.index - 1, self.input.borrow().len()),
            stage: Some(StageEnd {
                index: self.index,
                latency: self.latency,
                end_to_end: self.end_to_end,
                waits: self.tally.waits,
                first_error: self.tally.first_error,
                notes,
            }),
            ring_left: None,
        }
    }
}

/// A record and its stamp, as they cross between threads.
#[derive(Clone, Copy)]
pub(crate) struct Stamped<T: Flow> {
    record: T,
    stamp: T::Stamp,
}

/// What crosses beside the ring: the watermark, read before the ring is emptied and written after it is filled.
pub(crate) struct Crossing {
    pub watermark: AtomicU64,
    /// [`NO_OFFSET`] for none.
    pub clock_offset: AtomicU64,
    pub ended: AtomicBool,
}

impl Crossing {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            watermark: AtomicU64::new(0),
            clock_offset: AtomicU64::new(NO_OFFSET),
            ended: AtomicBool::new(false),
        })
    }
}

/// The near end of a cut: carries what the stage before it wrote into a ring.
pub(crate) struct Sender<T: Flow> {
    /// The stage before the cut.
    pub index: usize,
    pub input: Shared<T>,
    pub producer: Producer<Stamped<T>>,
    pub crossing: Arc<Crossing>,
    pub edge: Arc<EdgeCounters>,
    pub peer: Waker,
    /// The watermark that was passed on last.
    pub passed: u64,
    pub done: bool,
}

impl<T: Flow> Agent for Sender<T> {
    fn poll(&mut self) -> Result<usize, EngineError> {
        if self.done {
            return Ok(0);
        }
        let mut batch = self.input.borrow_mut();
        let mut input = Input::new(&mut batch);
        let room = self.producer.room();
        let sent = room.min(input.records().len());
        for (record, stamp) in input.records().iter().zip(input.stamps()).take(sent) {
            // One publish a record, so that the other core can start at once; the room was just seen.
            let pushed = self.producer.push(Stamped { record: *record, stamp: *stamp });
            debug_assert!(pushed.is_ok(), "only this thread takes room");
        }
        input.advance(sent);
        input.settle();
        let mut moved = sent;
        if batch.is_empty() && batch.watermark > self.passed {
            self.passed = batch.watermark;
            let offset = batch.clock_offset.unwrap_or(NO_OFFSET);
            // Relaxed: the watermark's release orders it.
            self.crossing.clock_offset.store(offset, Ordering::Relaxed);
            // Release: pairs with the receiver's acquire, which then finds every record pushed above in the ring.
            self.crossing.watermark.store(batch.watermark, Ordering::Release);
            self.peer.wake();
        }
        if batch.drained() {
            self.crossing.ended.store(true, Ordering::Release);
            self.done = true;
            moved += 1;
        }
        if moved > 0 {
            self.edge.high_water.raise(self.producer.len() as u64);
            self.peer.wake();
        }
        Ok(moved)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn stage(&self) -> usize {
        self.index
    }

    fn end(self: Box<Self>) -> AgentEnd {
        AgentEnd { left: (self.index, self.input.borrow().len()), ..AgentEnd::default() }
    }
}

/// The far end of a cut: carries from the ring to the stage behind it.
pub(crate) struct Receiver<T: Flow> {
    /// The stage before the cut.
    pub index: usize,
    pub consumer: Consumer<Stamped<T>>,
    pub output: Shared<T>,
    pub crossing: Arc<Crossing>,
    pub peer: Waker,
    pub done: bool,
}

impl<T: Flow> Agent for Receiver<T> {
    fn poll(&mut self) -> Result<usize, EngineError> {
        if self.done {
            return Ok(0);
        }
        // Acquire: pairs with the sender's release; what it had pushed before is in the ring now.
        let watermark = self.crossing.watermark.load(Ordering::Acquire);
        let ended = self.crossing.ended.load(Ordering::Acquire);
        let mut output = self.output.borrow_mut();
        let mut moved = 0;
        let mut empty = false;
        while output.room() > 0 {
            let Some(Stamped { record, stamp }) = self.consumer.pop() else {
                empty = true;
                break;
            };
            output.push(record, stamp);
            moved += 1;
        }
        if moved > 0 {
            self.peer.wake();
        }
        if empty {
            // Relaxed: ordered by the watermark's acquire above.
            let offset = self.crossing.clock_offset.load(Ordering::Relaxed);
            output.pass(watermark, (offset != NO_OFFSET).then_some(offset));
            if ended {
                output.ended = true;
                self.done = true;
                moved += 1;
            }
        }
        Ok(moved)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn stage(&self) -> usize {
        self.index + 1
    }

    fn end(self: Box<Self>) -> AgentEnd {
        let (index, consumer) = (self.index, self.consumer);
        AgentEnd { ring_left: Some((index, Box::new(move || consumer.len()))), ..AgentEnd::default() }
    }
}
