//! Where records come from, and when.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use velox_feed::Arrivals;
use velox_live::Place;
use velox_record::MarketEvent;
use velox_ring::Waker;

use super::agent::{Agent, AgentEnd, Ledger};
use super::batch::{BATCH, Batch, touched};
use super::control::Control;
use super::error::EngineError;
use super::flow::Flow;
use super::graph::{End, Wiring};
use super::stage::Notes;
use super::timeline::Timeline;

/// What gives a pipeline its records.
pub trait Source: Send + 'static {
    /// What it gives.
    type Out: Flow;

    /// Writes what is due and has room, and says whether that was the last of it. `stopping`: give nothing more than what
    /// completes the arrival under way.
    ///
    /// # Errors
    /// An error ends the run.
    fn poll(&mut self, feed: &mut Feed<'_, Self::Out>, stopping: bool) -> Result<bool, EngineError>;

    /// When the next arrival is due, on the clock, where it is scheduled.
    fn due(&self) -> Option<u64> {
        None
    }

    /// Whether a record carries the time that bundles count in; else that is the time it was taken at.
    fn has_record_time(&self) -> bool {
        true
    }

    /// Whether records come from outside the run, so that a sleeping thread must look for them by itself.
    fn is_foreign(&self) -> bool {
        false
    }

    /// Called once, before the first poll, with what wakes the thread that polls it: a source whose records come from
    /// elsewhere wakes it when there are some.
    fn woken_by(&mut self, waker: Waker) {
        let _ = waker;
    }

    /// Called once, before the first poll, with the timeline of the run: a source whose records were received at a time of
    /// their own, and that keeps their distances, joins it and goes by it.
    fn along(&mut self, timeline: &Arc<Timeline>, waker: &Waker) {
        let _ = (timeline, waker);
    }

    /// The live market that it is, where it is one: the venue's name, and its symbols.
    fn market(&self) -> Option<(&'static str, Vec<String>)> {
        None
    }

    /// Called once, before the first poll, with where a live market's numbers are to lie.
    fn counts_in(&mut self, place: Place) {
        let _ = place;
    }

    /// It was held up for so long, in ns: what was scheduled shifts by as much.
    fn shift(&mut self, nanos: u64) {
        let _ = nanos;
    }

    /// What the report should know at the end.
    fn notes(&mut self) -> Notes {
        Notes::default()
    }
}

/// A source's output: a batch, and the record time that has passed.
#[derive(Debug)]
pub struct Feed<'a, T: Flow> {
    batch: &'a mut Batch<T>,
    /// Whether its reader has left no room since the last poll: only then may what finds none be dropped. Else a source
    /// would overrun a reader that has had no turn yet.
    was_full: bool,
}

impl<'a, T: Flow> Feed<'a, T> {
    pub(crate) fn new(batch: &'a mut Batch<T>) -> Self {
        let was_full = batch.vacant() == 0;
        Self { batch, was_full }
    }

    /// How many records fit, or may be given to be dropped.
    pub fn room(&self) -> usize {
        match self.batch.vacant() {
            0 if self.was_full => self.batch.room(),
            vacant => vacant,
        }
    }

    /// Gives a record that arrived at `stamp`.
    pub fn push(&mut self, record: T, stamp: T::Stamp) {
        self.batch.push(record, stamp);
    }

    /// Gives records that arrived at `stamp`, no more than there is [`room`](Self::room) for.
    pub fn push_all(&mut self, records: &[T], stamp: T::Stamp) {
        self.batch.push_all(records, stamp);
    }

    /// Says that record time runs with the clock from here on: the clock is at record time + `offset` (wrapping).
    pub fn follow_clock(&mut self, offset: u64) {
        self.batch.clock_offset = Some(offset);
    }

    /// Promises that no later record is older than this, in ns of record time.
    pub fn pass_time(&mut self, record_time: u64) {
        self.batch.watermark = self.batch.watermark.max(record_time);
    }
}

/// When recorded or scheduled arrivals are let go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// At the distances that they were received at, also from what other recorded sources of the run give so.
    Recorded,
    /// As fast as the pipeline takes them.
    Max,
    /// So many arrivals (messages) a second, evenly.
    PerSecond(f64),
}

/// Recorded or made market data, let go at a pace.
///
/// The next arrival is decoded while it is not due yet, so that its latency counts from when it was due and not from
/// when its file was read.
pub struct Paced {
    arrivals: Box<dyn Arrivals>,
    pace: Pace,
    /// The instruments of the books that the quotes are to check, one for each book.
    checked: Vec<u16>,
    /// The events of the arrival under way, from `given` on.
    events: Vec<MarketEvent>,
    given: usize,
    /// When the arrival under way is due, on the clock.
    due: u64,
    /// Its record time.
    time: u64,
    /// A point of the clock, and the record time that it stands for; none until the first arrival's is known.
    origin: Option<(u64, u64)>,
    /// What gives the origin, where others go by it too.
    timeline: Option<Arc<Timeline>>,
    /// How many arrivals were fetched.
    count: u64,
    /// Comparable quotes up to the last arrival that was given whole, and up to the one under way.
    comparable: (u64, u64),
    ended: bool,
    cut_short: bool,
}

impl Paced {
    /// Arrivals at a pace. `checked` are the instruments of the books that the quotes are to check, one for each book.
    /// Allocates its buffer here, once.
    pub fn new(arrivals: Box<dyn Arrivals>, pace: Pace, checked: &[u16]) -> Self {
        Self {
            arrivals,
            pace,
            checked: checked.to_vec(),
            // A snapshot of 1,000 levels a side and the deltas buffered before it.
            events: touched(16 * BATCH, Some(MarketEvent::default())),
            given: 0,
            due: 0,
            time: 0,
            origin: None,
            timeline: None,
            count: 0,
            comparable: (0, 0),
            ended: false,
            cut_short: false,
        }
    }

    fn fetch(&mut self, now: u64) -> Result<(), EngineError> {
        self.events.clear();
        self.given = 0;
        self.comparable.0 = self.comparable.1;
        let next = self.arrivals.next(&mut self.events)?;
        if let Some(timeline) = self.timeline.as_ref().filter(|_| self.count == 0) {
            timeline.begin(next, now);
        }
        let Some(time) = next else {
            self.ended = true;
            self.comparable = (self.comparable(), self.comparable());
            return Ok(());
        };
        self.comparable.1 = self.comparable();
        self.time = time;
        if self.timeline.is_none() {
            self.origin.get_or_insert((now, time));
        }
        self.schedule();
        self.count += 1;
        Ok(())
    }

    /// Says when the arrival under way is due: never, while there is no origin.
    fn schedule(&mut self) {
        self.due = match (self.pace, self.origin) {
            (Pace::Max, _) => 0,
            (_, None) => u64::MAX,
            (Pace::Recorded, Some((started, first))) => started.saturating_add(self.time.saturating_sub(first)),
            (Pace::PerSecond(rate), Some((started, _))) => {
                started.saturating_add((self.count as f64 * 1e9 / rate) as u64)
            }
        };
    }

    /// Takes the origin of the timeline once there is one.
    fn look_for_origin(&mut self) {
        if self.origin.is_none()
            && let Some(timeline) = &self.timeline
        {
            self.origin = timeline.origin();
            self.schedule();
        }
    }

    fn comparable(&self) -> u64 {
        self.checked.iter().map(|instrument| self.arrivals.comparable(*instrument)).sum()
    }

    /// Up to which record time everything was given, while the arrival under way is not due.
    fn passed(&self, now: u64) -> u64 {
        match (self.pace, self.origin) {
            (Pace::Recorded, Some((started, first))) => {
                first.saturating_add(now.saturating_sub(started)).min(self.time)
            }
            _ => 0,
        }
    }

    fn give(&mut self, feed: &mut Feed<'_, MarketEvent>, now: u64) {
        let stamp = if self.pace == Pace::Max { now } else { self.due };
        let end = self.events.len().min(self.given + feed.room());
        feed.push_all(&self.events[self.given..end], stamp);
        self.given = end;
        if end == self.events.len() {
            feed.pass_time(self.time);
        }
    }
}

impl Source for Paced {
    type Out = MarketEvent;

    fn poll(&mut self, feed: &mut Feed<'_, MarketEvent>, stopping: bool) -> Result<bool, EngineError> {
        let now = velox_clock::now();
        // Bounded by the room, and by a count where arrivals hold no events.
        for _ in 0..BATCH {
            let untouched = self.given == 0 && !self.ended;
            if stopping && (untouched || self.given == self.events.len()) {
                self.cut_short = !self.ended;
                return Ok(true);
            }
            if self.given == self.events.len() {
                self.fetch(now)?;
                if self.ended {
                    return Ok(true);
                }
            }
            self.look_for_origin();
            if self.due > now {
                feed.pass_time(self.passed(now));
                if let (Pace::Recorded, Some((started, first))) = (self.pace, self.origin) {
                    feed.follow_clock(started.wrapping_sub(first));
                }
                break;
            }
            if feed.room() == 0 {
                break;
            }
            self.give(feed, now);
        }
        Ok(false)
    }

    fn due(&self) -> Option<u64> {
        (self.given < self.events.len()).then_some(self.due)
    }

    fn along(&mut self, timeline: &Arc<Timeline>, waker: &Waker) {
        if self.pace == Pace::Recorded && self.arrivals.is_recorded() {
            timeline.join(waker.clone());
            self.timeline = Some(Arc::clone(timeline));
        }
    }

    fn shift(&mut self, nanos: u64) {
        // One that others have set meanwhile is of before the pause.
        if self.count > 0 {
            self.look_for_origin();
        }
        if let Some((started, _)) = &mut self.origin {
            *started = started.saturating_add(nanos);
        }
        self.due = self.due.saturating_add(if self.pace == Pace::Max { 0 } else { nanos });
    }

    fn notes(&mut self) -> Notes {
        let whole = self.given == self.events.len();
        Notes {
            comparable: Some(if whole { self.comparable.1 } else { self.comparable.0 }),
            left_out: self.arrivals.left_out(),
            non_deterministic: self.cut_short.then(|| "stopped before the end of the data".into()),
            ..Notes::default()
        }
    }
}

/// A source with its batch.
pub(crate) struct SourceAgent<S: Source> {
    source: S,
    output: End<S::Out>,
    control: Arc<Control>,
    ledger: Ledger,
    /// When it was paused, on the clock.
    paused: Option<u64>,
    done: bool,
}

impl<S: Source> SourceAgent<S> {
    pub(crate) fn new(mut source: S, wiring: &mut Wiring) -> Self {
        source.woken_by(wiring.waker.clone());
        source.along(&wiring.control.timeline, &wiring.waker);
        if let Some(place) = wiring.gauges.market.take() {
            source.counts_in(place);
        }
        let output = wiring.output(0).expect("a source leads to a step");
        let (control, ledger) = (Arc::clone(&wiring.control), Ledger::new(wiring));
        Self { source, output, control, ledger, paused: None, done: false }
    }

    /// Whether it gives nothing now.
    fn pauses(&mut self, stopping: bool) -> bool {
        // Relaxed, as for all orders of a run.
        let pauses = self.control.paused.load(Ordering::Relaxed) && !stopping;
        match (pauses, self.paused) {
            (true, None) => self.paused = Some(velox_clock::now()),
            (false, Some(since)) => {
                self.paused = None;
                self.source.shift(velox_clock::now().saturating_sub(since));
            }
            _ => {}
        }
        pauses
    }
}

/// Tells what the source has given.
fn publish<T: Flow>(ledger: &mut Ledger, end: &End<T>, output: &mut Batch<T>) {
    ledger.taken = output.offered;
    ledger.tally.consumed = output.offered;
    output.note_high_water();
    end.publish_written(output);
    ledger.publish(output.offered);
}

impl<S: Source> Agent for SourceAgent<S> {
    fn poll(&mut self) -> Result<usize, EngineError> {
        // Relaxed: the flag orders nothing but itself.
        let stopping = self.control.stop.load(Ordering::Relaxed);
        if self.done || self.pauses(stopping) {
            return Ok(0);
        }
        let mut output = self.output.batch.borrow_mut();
        let before = output.offered;
        let polled = self.source.poll(&mut Feed::new(&mut output), stopping);
        let failed = polled.map(|done| self.done = done).err();
        output.ended = self.done;
        let moved = (output.offered - before) as usize;
        if moved > 0 {
            // Who looks at the clock next, a script's step or the end of the round, takes this look for its own.
            self.ledger.looked(velox_clock::now());
            publish(&mut self.ledger, &self.output, &mut output);
        }
        failed.map_or(Ok(moved + usize::from(self.done)), Err)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn due(&self) -> Option<u64> {
        self.source.due().filter(|_| self.paused.is_none())
    }

    fn is_source(&self) -> bool {
        true
    }

    fn stage(&self) -> usize {
        self.ledger.index
    }

    fn end(&mut self) -> AgentEnd {
        // What it gave in a poll that panicked has not been told yet.
        publish(&mut self.ledger, &self.output, &mut self.output.batch.borrow_mut());
        let notes = self.source.notes();
        self.ledger.end(notes, Vec::new())
    }
}
