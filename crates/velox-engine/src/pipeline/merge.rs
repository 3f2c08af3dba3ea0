//! Where streams become one, in the order of a time.

use std::collections::VecDeque;

use super::agent::{Agent, AgentEnd, Ledger};
use super::batch::{BATCH, Input};
use super::error::EngineError;
use super::flow::Flow;
use super::graph::{End, Wiring};
use super::stage::{Notes, Tally};

/// The most records of one input that wait for the others.
const MOST_WAITING: usize = 1 << 20;

/// What happens to a record that is older than one that was given on before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Late {
    /// It is counted, and given on.
    #[default]
    Emit,
    /// It is counted, and left out.
    Drop,
}

/// Reads the time of each of up to [`BATCH`] records: `None` for one that has none, which it refuses in the tally.
pub type Times<T> = Box<dyn FnMut(&[T], &mut [Option<i128>], &mut Tally) + Send>;

/// How streams are brought together.
pub struct Merge<T> {
    /// The time that decides.
    pub times: Times<T>,
    /// Whether that is the time that watermarks count in: then a quiet stream holds up the others only until it has
    /// told how far it is.
    pub by_record_time: bool,
    /// What happens to records out of order.
    pub late: Late,
}

struct Waiting<T: Flow> {
    time: i128,
    record: T,
    stamp: T::Stamp,
}

/// Merges by the smallest time at the head of its inputs; of equal times the earlier input goes first. An input that is
/// quiet holds up the others until it has a record, has ended, or its watermark has come as far.
pub(crate) struct MergeAgent<T: Flow> {
    merge: Merge<T>,
    inputs: Vec<End<T>>,
    /// What was taken of each input and waits for the others: up to a batch, more only where an input can't go on before
    /// another has, as behind a split.
    waiting: Vec<VecDeque<Waiting<T>>>,
    output: End<T>,
    times: [Option<i128>; BATCH],
    ledger: Ledger,
    /// The latest time that was given on.
    last: Option<i128>,
    late: u64,
    done: bool,
}

impl<T: Flow> MergeAgent<T> {
    pub(crate) fn new(merge: Merge<T>, wiring: &mut Wiring) -> Self {
        let inputs: Vec<_> = (0..wiring.inputs.len()).map(|port| wiring.input(port)).collect();
        let waiting = inputs.iter().map(|_| VecDeque::with_capacity(2 * BATCH)).collect();
        let output = wiring.output(0).expect("a merge leads to a step");
        let ledger = Ledger::new(wiring);
        let times = [None; BATCH];
        Self { merge, inputs, waiting, output, times, ledger, last: None, late: 0, done: false }
    }

    /// Takes records of one input; says how many.
    fn take(&mut self, at: usize) -> Result<usize, EngineError> {
        let mut batch = self.inputs[at].batch.borrow_mut();
        let mut input = Input::new(&mut batch);
        let count = input.records().len().min(BATCH);
        if count == 0 {
            return Ok(0);
        }
        let waiting = &mut self.waiting[at];
        if waiting.len() + count > MOST_WAITING {
            return Err(EngineError::Stage(format!(
                "expected at most {MOST_WAITING} records of one input to wait for another, got more: an input is silent"
            )));
        }
        let Ledger { tally, .. } = &mut self.ledger;
        let times = &mut self.times[..count];
        (self.merge.times)(&input.records()[..count], times, tally);
        for ((record, stamp), time) in input.records().iter().zip(input.stamps()).zip(times) {
            if let Some(time) = *time {
                waiting.push_back(Waiting { time, record: *record, stamp: *stamp });
                tally.held += 1;
            }
        }
        input.advance(count);
        input.settle();
        self.ledger.taken += count as u64;
        Ok(count)
    }

    /// The input whose head goes next, where that is known.
    fn next(&self) -> Option<usize> {
        let heads = self.waiting.iter().enumerate().filter_map(|(at, waiting)| Some((waiting.front()?.time, at)));
        let (time, at) = heads.min()?;
        let may_go = |other: usize| {
            let batch = self.inputs[other].batch.borrow();
            if !self.waiting[other].is_empty() || batch.drained() {
                return true;
            }
            let watermark = i128::from(batch.watermark);
            self.merge.by_record_time && batch.is_empty() && (watermark > time || (watermark == time && at < other))
        };
        (0..self.inputs.len()).all(may_go).then_some(at)
    }

    fn give(&mut self) -> usize {
        let mut given = 0;
        let before = self.output.batch.borrow().offered;
        while self.output.batch.borrow().room() > 0 {
            let Some(Waiting { time, record, stamp }) = self.next().and_then(|at| self.waiting[at].pop_front()) else {
                break;
            };
            given += 1;
            let Ledger { tally, .. } = &mut self.ledger;
            tally.held -= 1;
            let is_late = self.last.is_some_and(|last| time < last);
            self.late += u64::from(is_late);
            if is_late && self.merge.late == Late::Drop {
                tally.filtered += 1;
                continue;
            }
            self.last = self.last.max(Some(time));
            tally.consumed += 1;
            self.output.batch.borrow_mut().push(record, stamp);
        }
        if given > 0 {
            let now = velox_clock::now();
            self.ledger.looked(now);
            let output = self.output.batch.borrow();
            self.ledger.latency.record_stamps(output.last_stamps((output.offered - before) as usize), now);
        }
        given
    }

    /// How far record time has come for what is still to be given on.
    fn watermark(&self) -> u64 {
        let of = |(end, waiting): (&End<T>, &VecDeque<Waiting<T>>)| match waiting.front() {
            Some(head) if self.merge.by_record_time => u64::try_from(head.time).unwrap_or(0),
            Some(_) => 0,
            None => {
                let batch = end.batch.borrow();
                if batch.drained() {
                    u64::MAX
                } else if batch.is_empty() {
                    batch.watermark
                } else {
                    0
                }
            }
        };
        self.inputs.iter().zip(&self.waiting).map(of).min().unwrap_or(0)
    }

    fn publish(&self) {
        for end in &self.inputs {
            end.publish_read(&end.batch.borrow());
        }
        let output = self.output.batch.borrow();
        self.output.publish_written(&output);
        self.ledger.publish(output.offered);
    }
}

impl<T: Flow> Agent for MergeAgent<T> {
    fn poll(&mut self) -> Result<usize, EngineError> {
        if self.done {
            return Ok(0);
        }
        let mut moved = 0;
        let stuck = self.next().is_none();
        for at in 0..self.inputs.len() {
            // Beyond a batch only where nothing can go: else a branch that waits here could hold up the one it waits for.
            if self.waiting[at].len() < BATCH || stuck {
                match self.take(at) {
                    Ok(taken) => moved += taken,
                    Err(error) => {
                        self.ledger.fail_rest();
                        self.publish();
                        return Err(error);
                    }
                }
            }
        }
        moved += self.give();
        let drained = self.inputs.iter().all(|end| end.batch.borrow().drained());
        let mut output = self.output.batch.borrow_mut();
        output.note_high_water();
        if drained && self.waiting.iter().all(VecDeque::is_empty) {
            (self.done, output.ended) = (true, true);
            moved += 1;
        } else {
            drop(output);
            let watermark = self.watermark();
            let offset = self.inputs.first().and_then(|end| end.batch.borrow().clock_offset);
            output = self.output.batch.borrow_mut();
            output.pass(watermark, offset);
        }
        drop(output);
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
        let left = self.inputs.iter().map(End::left).collect();
        let notes = Notes { late: self.late, ..Notes::default() };
        self.ledger.end(notes, left)
    }
}
