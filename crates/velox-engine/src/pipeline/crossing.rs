//! Where an edge leads from one thread to another: a ring between two agents.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use velox_metrics::EdgeCounters;
use velox_ring::{Consumer, Producer, Waker};

use super::agent::{Agent, AgentEnd};
use super::batch::{BATCH, Input, Shared, touched, zero};
use super::error::EngineError;
use super::flow::{Flow, Stamp};

/// Stands for an offset that there is not.
const NO_OFFSET: u64 = u64::MAX;

/// So many records are published one by one; more at once, as each publish costs a line that the other core has.
const FEW: usize = 16;

/// A record and its stamp, as they cross between threads.
pub(crate) type Stamped<T> = (T, <T as Flow>::Stamp);

/// What crosses beside the ring: the watermark, read before the ring is emptied and written after it is filled.
pub(crate) struct Crossing {
    watermark: AtomicU64,
    /// [`NO_OFFSET`] for none.
    clock_offset: AtomicU64,
    ended: AtomicBool,
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
    edge: usize,
    input: Shared<T>,
    producer: Producer<Stamped<T>>,
    crossing: Arc<Crossing>,
    counters: EdgeCounters,
    peer: Waker,
    /// What is published at once.
    together: Vec<Stamped<T>>,
    /// Whether what finds no room in the ring is dropped.
    drops: bool,
    dropped: u64,
    /// How many records it has put into the ring.
    sent: u64,
    /// How many it left behind last, as the ring was full.
    waiting: usize,
    /// The watermark that was passed on last.
    passed: u64,
    done: bool,
}

impl<T: Flow> Sender<T> {
    pub(crate) fn new(
        edge: usize,
        input: Shared<T>,
        producer: Producer<Stamped<T>>,
        crossing: Arc<Crossing>,
        counters: EdgeCounters,
        peer: Waker,
        drops: bool,
    ) -> Self {
        input.borrow_mut().noted = false;
        let together = touched(BATCH, zero().map(|zero| (zero, T::Stamp::made(0))));
        let (dropped, sent, waiting, passed, done) = (0, 0, 0, 0, false);
        Self { edge, input, producer, crossing, counters, peer, together, drops, dropped, sent, waiting, passed, done }
    }
}

impl<T: Flow> Agent for Sender<T> {
    fn poll(&mut self) -> Result<usize, EngineError> {
        if self.done {
            return Ok(0);
        }
        let mut batch = self.input.borrow_mut();
        let mut input = Input::new(&mut batch);
        let waiting = input.records().len();
        let sent = self.producer.room().min(waiting);
        let stamped = input.records().iter().zip(input.stamps()).take(sent).map(|(record, stamp)| (*record, *stamp));
        if sent <= FEW {
            // One publish a record, so that the other core can start at once; the room was just seen.
            for stamped in stamped {
                let pushed = self.producer.push(stamped);
                debug_assert!(pushed.is_ok(), "only this thread takes room");
            }
        } else {
            self.together.clear();
            self.together.extend(stamped);
            self.producer.push_slice(&self.together);
        }
        self.sent += sent as u64;
        let mut moved = sent;
        if self.drops && sent < waiting {
            self.dropped += (waiting - sent) as u64;
            self.counters.dropped(self.dropped);
            moved = waiting;
        }
        input.advance(moved);
        input.settle();
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
        // What stands in the batch behind the ring has not been told of as taken. A look at that costs a line of the other
        // core.
        if sent > 0 || batch.len() > self.waiting {
            let given = self.sent + batch.len() as u64;
            self.counters.fill(given.saturating_sub(self.counters.gone()));
        }
        self.waiting = batch.len();
        if moved > 0 {
            self.peer.wake();
        }
        Ok(moved)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn stage(&self) -> usize {
        // The ring itself can't fail.
        0
    }

    fn end(&mut self) -> AgentEnd {
        AgentEnd { left: vec![(self.edge, self.input.borrow().len())], ..AgentEnd::default() }
    }
}

/// The far end of a cut: carries from the ring to the stage behind it.
pub(crate) struct Receiver<T: Flow> {
    edge: usize,
    /// None once it has ended.
    consumer: Option<Consumer<Stamped<T>>>,
    output: Shared<T>,
    /// What was taken at once.
    together: Vec<Stamped<T>>,
    crossing: Arc<Crossing>,
    peer: Waker,
    done: bool,
}

impl<T: Flow> Receiver<T> {
    pub(crate) fn new(
        edge: usize,
        consumer: Consumer<Stamped<T>>,
        output: Shared<T>,
        crossing: Arc<Crossing>,
        peer: Waker,
    ) -> Self {
        output.borrow_mut().noted = false;
        let together = touched(BATCH, zero().map(|zero| (zero, T::Stamp::made(0))));
        Self { edge, consumer: Some(consumer), output, together, crossing, peer, done: false }
    }
}

impl<T: Flow> Agent for Receiver<T> {
    fn poll(&mut self) -> Result<usize, EngineError> {
        let Some(consumer) = self.consumer.as_mut().filter(|_| !self.done) else {
            return Ok(0);
        };
        // Acquire: pairs with the sender's release; what it had pushed before is in the ring now. The end first: the last
        // watermark was stored before it.
        let ended = self.crossing.ended.load(Ordering::Acquire);
        let watermark = self.crossing.watermark.load(Ordering::Acquire);
        let mut output = self.output.borrow_mut();
        let (mut moved, mut empty) = (0, false);
        let room = output.room();
        if room > 0 {
            self.together.clear();
            moved = consumer.pop_into(&mut self.together, room);
            empty = moved < room;
            for (record, stamp) in &self.together {
                output.push(*record, *stamp);
            }
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
        // As for the sender.
        0
    }

    fn end(&mut self) -> AgentEnd {
        let (edge, consumer) = (self.edge, self.consumer.take());
        let len = move || consumer.as_ref().map_or(0, Consumer::len);
        AgentEnd { ring_left: Some((edge, Box::new(len))), ..AgentEnd::default() }
    }
}
