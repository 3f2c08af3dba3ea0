//! A stage that a script runs between two polls of its thread: records are laid out for it in place, and what it wrote
//! is taken back.

use std::any::Any;
use std::cell::Cell;
use std::iter;
use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use velox_metrics::EdgeCounters;
use velox_record::{Bundle, InvalidRecord, Record};
use velox_ring::ForeignWords;

use super::agent::{Agent, AgentEnd, Ledger};
use super::batch::{BATCH, Input, Shared};
use super::control::Control;
use super::error::EngineError;
use super::flow::{Flow, Stamp};
use super::graph::{End, Wiring};
use super::latency::Latency;
use super::params::{Param, Params};
use super::run::Plan;
use super::span::Span;
use super::stage::Notes;
use super::thread::{Loop, ThreadEnd, Turn};

/// How many records a script may write for one batch that it reads.
pub const SCRIPT_OUT: usize = 4 * BATCH;

/// What a script made of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It wrote so many records.
    Wrote(usize),
    /// So many of the records pass as they are, by the indices that it wrote.
    Kept(usize),
}

/// Memory that a script and its thread share, by turns.
pub struct ScriptMemory {
    /// [`BATCH`] records to read, by columns: word `w` of record `i` lies at `w * BATCH + i`. Only the columns that the
    /// script asked for hold anything.
    pub input: ForeignWords,
    /// [`SCRIPT_OUT`] records to write, or the indices of those that pass, two to a word.
    pub output: ForeignWords,
}

/// A thread of a run that a script runs: on its way to that thread.
pub struct HostedThread {
    plan: Plan,
    stages: Vec<String>,
    end: mpsc::Sender<ThreadEnd>,
}

impl HostedThread {
    pub(crate) fn new(plan: Plan, stages: Vec<String>) -> (Self, mpsc::Receiver<ThreadEnd>) {
        let (end, ended) = mpsc::channel();
        (Self { plan, stages, end }, ended)
    }

    /// The names of its stages, in order.
    pub fn stages(&self) -> &[String] {
        &self.stages
    }

    /// Builds its stages on the thread that calls, which runs them from here on.
    pub fn open(self) -> ScriptLoop {
        self.plan.pin();
        let control = self.plan.control();
        let own = self.plan.build();
        ScriptLoop {
            own: Some(own),
            control,
            end: self.end,
            rested: velox_clock::now(),
            resting: false,
            warm: false,
            opened: false,
        }
    }
}

/// What a script's thread has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The script reads so many records of the stage of this number, and answers.
    Read {
        /// The stage, counted from the source.
        stage: usize,
        /// How many records lie in its memory.
        count: usize,
    },
    /// The script's own event loop has its turn; then it goes on.
    Rest,
    /// The run is over.
    Ended,
}

/// A thread of a run that a script runs, step by step. Dropping it before its end fails the run.
pub struct ScriptLoop {
    /// None after the end.
    own: Option<Loop>,
    control: Arc<Control>,
    end: mpsc::Sender<ThreadEnd>,
    /// When the script's event loop had its last turn, on the clock.
    rested: u64,
    /// Its event loop has its turn now.
    resting: bool,
    warm: bool,
    /// Whether the run goes: asked for once, as asking takes a lock.
    opened: bool,
}

/// The script's event loop has a turn at least this often, in ns.
const REST_NS: u64 = 50_000_000;
/// So many rounds at most between two looks at the clock.
const ROUNDS: u32 = 1_024;

impl ScriptLoop {
    /// Gives a stage the memory that it shares with its script.
    ///
    /// # Errors
    /// No such stage here, not one of a script, memory that is too small.
    pub fn open_stage(&mut self, stage: usize, memory: ScriptMemory) -> Result<(), EngineError> {
        let mut scripts = self.own.iter_mut().flat_map(|own| &mut own.agents).filter_map(|agent| agent.script());
        let found = scripts.find(|script| script.ledger.index == stage);
        found
            .ok_or_else(|| EngineError::Stage(format!("expected a script's stage of this thread, got {stage}")))?
            .open(memory)
    }

    /// Says that the script of a stage looks at the books before it: from here on it meets each as of its records' own
    /// instant, where the book is kept on this thread; else the report says that the run can't be repeated.
    pub fn watch_books(&mut self, stage: usize) {
        let mut scripts = self.own.iter_mut().flat_map(|own| &mut own.agents).filter_map(|agent| agent.script());
        if let Some(script) = scripts.find(|script| script.ledger.index == stage) {
            script.watch();
        }
    }

    fn offering(&mut self, stage: usize) -> Result<&mut ScriptAgent, EngineError> {
        let mut scripts = self.own.iter_mut().flat_map(|own| &mut own.agents).filter_map(|agent| agent.script());
        let found = scripts.find(|script| script.ledger.index == stage && script.offered > 0);
        found.ok_or_else(|| EngineError::Stage(format!("expected a stage that the script is at, got {stage}")))
    }

    /// Lays out one word of each record that the script is reading, or all; from now on it is there with each batch,
    /// until [`forget`](Self::forget).
    ///
    /// # Errors
    /// Not the stage of the last [`Step::Read`], no such word.
    pub fn lay_out(&mut self, stage: usize, word: Option<usize>) -> Result<(), EngineError> {
        self.offering(stage)?.lay_out(word)
    }

    /// Lays out nothing any more but what is asked for anew, from the next batch on.
    ///
    /// # Errors
    /// Not the stage of the last [`Step::Read`].
    pub fn forget(&mut self, stage: usize) -> Result<(), EngineError> {
        self.offering(stage)?.columns = 0;
        Ok(())
    }

    /// Takes the script's answer to the last [`Step::Read`], and goes on until there is something for it to do.
    /// Sleeps inside when nothing is.
    pub fn step(&mut self, answer: Option<Answer>) -> Step {
        let Some(own) = &mut self.own else { return Step::Ended };
        let now = velox_clock::now();
        own.resume(now);
        // From its end on: a turn that took longer than the time between two would leave no step in between.
        if std::mem::take(&mut self.resting) {
            self.rested = now;
        }
        if let Some(answer) = answer {
            own.commit(answer, now);
        }
        if !self.opened {
            self.opened = self.control.is_open();
        }
        if !self.opened {
            if !std::mem::replace(&mut self.warm, true) {
                own.warm_up();
            }
            std::thread::sleep(Duration::from_millis(1));
            return Step::Rest;
        }
        loop {
            if own.last().saturating_sub(self.rested) > REST_NS {
                self.resting = true;
                return Step::Rest;
            }
            match own.turn(ROUNDS) {
                Turn::Offered(at) => {
                    let agent = &own.agents[at];
                    return Step::Read { stage: agent.stage(), count: agent.offered() };
                }
                Turn::Idle => own.wait(Duration::from_millis(10)),
                Turn::Working => {}
                Turn::Ended => {
                    self.finish();
                    return Step::Ended;
                }
            }
        }
    }

    /// Fails the run: the script of this stage threw.
    pub fn fail(&mut self, stage: usize, reason: String) {
        if let Some(own) = &self.own {
            own.fail_at(stage, EngineError::Script(reason));
        }
        self.finish();
    }

    fn finish(&mut self) {
        if let Some(own) = self.own.take() {
            // A run that nobody waits for any more has no use for it.
            let _ = self.end.send(own.end());
        }
    }
}

impl Drop for ScriptLoop {
    fn drop(&mut self) {
        // Where the run ends anyway, this thread's end is no reason of its own.
        if self.control.aborted() {
            self.finish();
        } else if self.own.is_some() {
            let stage = self.own.iter_mut().flat_map(|own| &mut own.agents).find_map(|agent| agent.script());
            let stage = stage.map_or(0, |script| script.ledger.index);
            self.fail(stage, "the script's thread ended".into());
        }
    }
}

/// The stage's input, by words. A record that comes alone pays for each call through here.
pub(crate) trait Reader {
    fn words(&self) -> usize;
    fn len(&self) -> usize;
    /// Gives what has passed on to `out`, where nothing waits; says whether nothing will ever come.
    fn pass(&self, out: &mut dyn Outlet) -> bool;
    /// Lays these words of the records that wait out in `memory`, of so many at most; says of how many.
    fn lay_out(&self, columns: Columns, most: usize, memory: &ForeignWords) -> usize;
    /// Takes the `offered` records that the script was through with at `now`, and gives on those that it kept.
    fn take(&mut self, offered: usize, kept: Option<Kept<'_>>, now: u64, latency: &Latency) -> Taken;
}

/// Records that pass as they are: by so many ascending indices, two to a word.
pub(crate) struct Kept<'a> {
    count: usize,
    indices: &'a ForeignWords,
    /// What was wrong with them. Not a result: moving one costs more than to keep a record.
    failed: &'a mut Option<EngineError>,
}

/// What the stage's account needs to know of the records that it took.
pub(crate) struct Taken {
    /// When the oldest was ready.
    ready: u64,
    /// How many its edge has given in all.
    popped: u64,
}

/// The stage's output, by words.
pub(crate) trait Outlet {
    fn words(&self) -> usize;
    fn room(&self) -> usize;
    fn any(&mut self) -> &mut dyn Any;
    /// Takes records from `memory` as far as there is room; says how many.
    fn take_from(
        &mut self,
        memory: &ForeignWords,
        records: Range<usize>,
        ready: u64,
        scratch: &mut [u64],
    ) -> Result<usize, InvalidRecord>;
    fn pass(&mut self, passed: (u64, Option<u64>));
    fn end(&mut self);
    /// How many records went out in all. Tells the edge what was written to it.
    fn account(&mut self, edge: &EdgeCounters) -> u64;
}

/// Words of a record, by bit.
type Columns = u128;

/// The words of the longest record: no more than [`Columns`] has bits.
const LONGEST: usize = Bundle::WORDS;
const _: () = assert!(LONGEST < Columns::BITS as usize);

/// The columns below this one are laid out each by code of its own.
const FIRST_COLUMNS: Columns = 1 << 8;

fn words_of(mut columns: Columns) -> impl Iterator<Item = usize> {
    iter::from_fn(move || {
        let word = (columns != 0).then(|| columns.trailing_zeros() as usize);
        columns &= columns.wrapping_sub(1);
        word
    })
}

fn words_in<T: Flow>(record: &T) -> [u64; LONGEST] {
    let mut words = [0; LONGEST];
    record.to_words(&mut words[..T::WORDS]);
    words
}

/// One word of each record. Which one is known when this is compiled, so that the others are not touched.
fn column<T: Flow, const WORD: usize>(records: &[T], memory: &ForeignWords) {
    memory.fill(WORD * BATCH, records.iter().map(|record| words_in(record)[WORD]));
}

struct ScriptInput<T: Flow> {
    batch: Shared<T>,
    /// The stage's output, where it is of the same type.
    same: Option<Shared<T>>,
    kept: Indices,
}

/// The indices of one answer, out of the script's reach: two to a word, and each its own.
struct Indices {
    pairs: [u64; BATCH / 2],
    each: [u32; BATCH],
}

impl<T: Flow> Reader for ScriptInput<T> {
    fn len(&self) -> usize {
        self.batch.borrow().len()
    }

    fn pass(&self, out: &mut dyn Outlet) -> bool {
        let batch = self.batch.borrow();
        out.pass((batch.watermark, batch.clock_offset));
        batch.drained()
    }

    fn words(&self) -> usize {
        T::WORDS
    }

    fn lay_out(&self, columns: Columns, most: usize, memory: &ForeignWords) -> usize {
        let mut batch = self.batch.borrow_mut();
        let input = Input::new(&mut batch);
        let records = input.records();
        let records = &records[..records.len().min(most)];
        for word in words_of(columns & (FIRST_COLUMNS - 1)) {
            match word {
                0 => column::<T, 0>(records, memory),
                1 => column::<T, 1>(records, memory),
                2 => column::<T, 2>(records, memory),
                3 => column::<T, 3>(records, memory),
                4 => column::<T, 4>(records, memory),
                5 => column::<T, 5>(records, memory),
                6 => column::<T, 6>(records, memory),
                _ => column::<T, 7>(records, memory),
            }
        }
        let others = columns & !(FIRST_COLUMNS - 1);
        if others != 0 {
            for (i, record) in records.iter().enumerate() {
                let words = words_in(record);
                for word in words_of(others) {
                    memory.fill(word * BATCH + i, iter::once(words[word]));
                }
            }
        }
        records.len()
    }

    fn take(&mut self, offered: usize, kept: Option<Kept<'_>>, now: u64, latency: &Latency) -> Taken {
        let mut batch = self.batch.borrow_mut();
        let mut input = Input::new(&mut batch);
        let stamps = &input.stamps()[..offered];
        let ready = stamps.first().map_or(now, Stamp::ready);
        latency.record_stamps(stamps, now);
        if let Some(mut kept) = kept {
            keep(&input, self.same.as_ref(), offered, &mut kept, &mut self.kept);
        }
        input.advance(offered);
        input.settle();
        Taken { ready, popped: batch.popped }
    }
}

fn keep<T: Flow>(
    input: &Input<'_, T>,
    out: Option<&Shared<T>>,
    offered: usize,
    kept: &mut Kept<'_>,
    indices: &mut Indices,
) {
    let Some(out) = out else {
        let reason = "expected records that were written, got indices: the output is of another type";
        *kept.failed = Some(EngineError::Stage(reason.into()));
        return;
    };
    let Indices { pairs, each } = indices;
    let (pairs, each) = (&mut pairs[..kept.count.div_ceil(2)], &mut each[..kept.count]);
    kept.indices.load(0, pairs);
    let mut least = 0;
    for (k, index) in each.iter_mut().enumerate() {
        *index = (pairs[k / 2] >> (32 * (k % 2))) as u32;
        if *index < least || *index as usize >= offered {
            let reason = format!("expected ascending indices below {offered}, got {index}");
            *kept.failed = Some(EngineError::Stage(reason));
            return;
        }
        least = *index + 1;
    }
    out.borrow_mut().pick(input, each);
}

impl<T: Flow> Outlet for Shared<T> {
    fn words(&self) -> usize {
        T::WORDS
    }

    fn room(&self) -> usize {
        self.borrow().room()
    }

    fn any(&mut self) -> &mut dyn Any {
        self
    }

    fn take_from(
        &mut self,
        memory: &ForeignWords,
        records: Range<usize>,
        ready: u64,
        scratch: &mut [u64],
    ) -> Result<usize, InvalidRecord> {
        let mut batch = self.borrow_mut();
        let count = records.len().min(batch.room());
        for i in records.start..records.start + count {
            memory.load(i * T::WORDS, &mut scratch[..T::WORDS]);
            batch.push(T::from_words(scratch)?, T::Stamp::made(ready));
        }
        Ok(count)
    }

    fn pass(&mut self, (watermark, offset): (u64, Option<u64>)) {
        self.borrow_mut().pass(watermark, offset);
    }

    fn end(&mut self) {
        self.borrow_mut().ended = true;
    }

    fn account(&mut self, edge: &EdgeCounters) -> u64 {
        let mut batch = self.borrow_mut();
        batch.note_high_water();
        edge.offered(batch.offered);
        edge.dropped(batch.dropped);
        edge.fill(batch.high_water as u64);
        batch.offered
    }
}

/// The output of a script's stage, whatever its type.
pub(crate) struct ScriptOutput {
    batch: Box<dyn Outlet>,
    counters: EdgeCounters,
}

/// An output of records `O`.
pub(crate) fn outlet<O: Flow>(wiring: &mut Wiring) -> ScriptOutput {
    let End { batch, counters, .. } = wiring.output::<O>(0).expect("a script's stage leads to a step");
    ScriptOutput { batch: Box::new(batch), counters }
}

/// The agent of a script's stage.
pub(crate) struct ScriptAgent {
    ledger: Ledger,
    input: Box<dyn Reader>,
    output: Box<dyn Outlet>,
    /// Comes with the script, before the first poll.
    memory: Option<ScriptMemory>,
    /// The number of the edge before it.
    edge: usize,
    edge_in: EdgeCounters,
    edge_out: EdgeCounters,
    popped: u64,
    offered: usize,
    /// The words that are laid out with each batch, by bit.
    columns: Columns,
    /// Behind the records in the script's memory.
    params: Params,
    /// Records that the script wrote and the output had no room for: they lie in the script's memory until it has.
    left: Range<usize>,
    /// Whether there are any, for the books before it that others behind it look at.
    holds: Rc<Cell<bool>>,
    /// When the oldest record of the batch that these are of was ready.
    ready: u64,
    words: Vec<u64>,
    /// The books before it that are on its thread, and how many there are on any.
    watched: Vec<Rc<Span>>,
    watches: usize,
    notes: Notes,
    done: bool,
}

impl ScriptAgent {
    pub(crate) fn new<T: Flow>(
        params: Vec<Param>,
        output: fn(&mut Wiring) -> ScriptOutput,
        wiring: &mut Wiring,
    ) -> Self {
        let input = wiring.input::<T>(0);
        let mut output = output(wiring);
        let holds = Rc::new(Cell::new(false));
        for way in &wiring.ways {
            let holds = Rc::clone(&holds);
            way.watch(Box::new(move || !holds.get()));
        }
        // Records can pass as they are where the output takes the same type.
        let same = output.batch.any().downcast_mut::<Shared<T>>().map(|out| Rc::clone(out));
        Self {
            words: vec![0; output.batch.words()],
            ledger: Ledger::new(wiring),
            input: Box::new(ScriptInput {
                batch: input.batch,
                same,
                kept: Indices { pairs: [0; BATCH / 2], each: [0; BATCH] },
            }),
            output: output.batch,
            memory: None,
            edge: input.edge,
            edge_in: input.counters,
            edge_out: output.counters,
            popped: 0,
            offered: 0,
            columns: 0,
            params: Params::new(params),
            left: 0..0,
            holds,
            ready: 0,
            watched: std::mem::take(&mut wiring.watched),
            watches: wiring.watches,
            notes: Notes::default(),
            done: false,
        }
    }

    /// The script looks at the books before it: it sees them as they were at the instant of each record.
    fn watch(&mut self) {
        self.watched.iter().for_each(|span| span.activate());
        if self.watched.len() < self.watches {
            let reason = "a stage looks at a book that another thread keeps";
            self.notes.non_deterministic = Some(reason.into());
        }
    }

    fn open(&mut self, memory: ScriptMemory) -> Result<(), EngineError> {
        let params = self.params.values().len();
        let needed = (BATCH * self.input.words() + params, SCRIPT_OUT * self.output.words());
        if memory.input.len() < needed.0 || memory.output.len() < needed.1.max(BATCH / 2) {
            return Err(EngineError::Stage("expected memory for whole batches, got less".into()));
        }
        self.memory = Some(memory);
        self.show_params();
        Ok(())
    }

    fn show_params(&self) {
        if let Some(memory) = &self.memory {
            let values = self.params.values().iter().map(|value| value.to_bits());
            memory.input.fill(BATCH * self.input.words(), values);
        }
    }

    fn lay_out(&mut self, word: Option<usize>) -> Result<(), EngineError> {
        let words = self.input.words();
        let Some(memory) = self.memory.as_ref().filter(|_| word.is_none_or(|word| word < words)) else {
            return Err(EngineError::Stage(format!("expected one of {words} words, got {word:?}")));
        };
        let columns = word.map_or((1 << words) - 1, |word| 1 << word);
        self.input.lay_out(columns & !self.columns, self.offered, &memory.input);
        self.columns |= columns;
        Ok(())
    }

    /// Gives on what the script wrote, as far as there is room.
    fn give(&mut self) -> Result<usize, EngineError> {
        let Some(memory) = &self.memory else { return Ok(0) };
        if self.left.is_empty() {
            return Ok(0);
        }
        let given = self.output.take_from(&memory.output, self.left.clone(), self.ready, &mut self.words)?;
        self.left.start += given;
        Ok(given)
    }

    fn publish(&mut self) {
        self.edge_in.popped(self.popped);
        let out = self.output.account(&self.edge_out);
        self.ledger.publish(out);
    }
}

impl Agent for ScriptAgent {
    fn poll(&mut self) -> Result<usize, EngineError> {
        if self.done || self.offered > 0 {
            return Ok(0);
        }
        let mut given = 0;
        if !self.left.is_empty() {
            given = self.give()?;
            self.holds.set(!self.left.is_empty());
            if given > 0 {
                self.publish();
            }
            if !self.left.is_empty() {
                return Ok(given);
            }
        }
        if self.input.len() == 0 {
            if self.input.pass(&mut *self.output) {
                self.output.end();
                self.done = true;
                return Ok(given + 1);
            }
            return Ok(given);
        }
        let Some(memory) = &self.memory else {
            return Err(EngineError::Script("expected a script for the stage, got none".into()));
        };
        // Room for a record each is reserved before anything is offered; more than that waits in the script's memory.
        // The memory has room for one batch, whatever the edges hold.
        let room = self.output.room().min(BATCH);
        if room > 0 {
            self.offered = self.input.lay_out(self.columns, room, &memory.input);
            if self.params.look() {
                self.show_params();
            }
            self.params.pass(self.offered);
        }
        Ok(given)
    }

    fn offered(&self) -> usize {
        self.offered
    }

    fn script(&mut self) -> Option<&mut ScriptAgent> {
        Some(self)
    }

    fn commit(&mut self, answer: Answer, now: u64) -> Result<usize, EngineError> {
        let offered = std::mem::take(&mut self.offered);
        self.ledger.looked(now);
        let mut failed = None;
        let kept = match (answer, &self.memory) {
            (Answer::Wrote(count), _) => {
                self.left = 0..count.min(SCRIPT_OUT);
                self.ledger.tally.consumed += offered as u64;
                None
            }
            (Answer::Kept(count), memory) => {
                let count = count.min(offered);
                self.ledger.tally.consumed += count as u64;
                self.ledger.tally.filtered += (offered - count) as u64;
                memory.as_ref().map(|memory| Kept { count, indices: &memory.output, failed: &mut failed })
            }
        };
        let taken = self.input.take(offered, kept, now, &self.ledger.latency);
        (self.ready, self.popped) = (taken.ready, taken.popped);
        self.ledger.taken += offered as u64;
        if !self.left.is_empty() {
            failed = self.give().err();
            self.holds.set(!self.left.is_empty());
        }
        self.publish();
        failed.map_or(Ok(offered), Err)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn stage(&self) -> usize {
        self.ledger.index
    }

    fn end(&mut self) -> AgentEnd {
        self.publish();
        let left = vec![(self.edge, self.input.len())];
        (self.notes.changes, self.notes.more_changes) = self.params.take_changes();
        self.ledger.end(std::mem::take(&mut self.notes), left)
    }
}
