//! The hand-over between two stages of one thread: a batch that one writes and the next reads in place.

use std::cell::RefCell;
use std::rc::Rc;

use super::flow::{Flow, Stamp};
use super::span::Span;

/// How many records a batch holds at most.
pub const BATCH: usize = 256;

/// The batch between two neighbours. Only their thread ever sees it.
pub(crate) type Shared<T> = Rc<RefCell<Batch<T>>>;

/// A record of zeros, where that is one.
pub(crate) fn zero<T: Flow>() -> Option<T> {
    T::from_words(&vec![0; T::WORDS]).ok()
}

/// An empty vector whose memory was touched with this, so that what it holds first meets no page fault.
pub(crate) fn touched<X: Clone>(capacity: usize, with: Option<X>) -> Vec<X> {
    let mut room = Vec::with_capacity(capacity);
    if let Some(with) = with {
        room.resize(capacity, with);
        room.clear();
    }
    room
}

/// Up to [`BATCH`] records in order, the stamps beside them, and the account of what went through.
///
/// Never grows: a stage looks at [`room`](Self::room) before it takes input, so nothing is taken that can't be given on.
#[derive(Debug)]
pub struct Batch<T: Flow> {
    records: Vec<T>,
    stamps: Vec<T::Stamp>,
    /// The first record that the reader has not taken. Range: 0 ..= records.len().
    head: usize,
    /// Range: [`BATCH`] and up.
    capacity: usize,
    /// Whether what finds no room is dropped, and counted, instead of holding up the writer.
    drops: bool,
    /// Records given to it, dropped ones too.
    pub(crate) offered: u64,
    /// Those that found no room.
    pub(crate) dropped: u64,
    /// Those that the reader took off without taking them in.
    pub(crate) discarded: u64,
    pub(crate) popped: u64,
    pub(crate) high_water: usize,
    /// Whether its writer notes how much stands in it. Not so where a reader may drop what it finds: that one tells what
    /// stayed.
    pub(crate) noted: bool,
    /// No later record is older than this, in ns of record time.
    pub(crate) watermark: u64,
    /// The clock less record time, where record time runs with the clock, wrapping.
    pub(crate) clock_offset: Option<u64>,
    /// No later record comes.
    pub(crate) ended: bool,
    /// The steps that look at the state of this batch's writer.
    pub(crate) span: Option<Rc<Span>>,
}

impl<T: Flow> Batch<T> {
    pub(crate) fn shared() -> Shared<T> {
        Self::with(BATCH, false)
    }

    /// A batch of at least [`BATCH`] records. Its memory is touched here, not by the first records.
    pub(crate) fn with(capacity: usize, drops: bool) -> Shared<T> {
        let capacity = capacity.max(BATCH);
        Rc::new(RefCell::new(Self {
            records: touched(capacity, zero()),
            stamps: touched(capacity, Some(T::Stamp::made(0))),
            head: 0,
            capacity,
            drops,
            offered: 0,
            dropped: 0,
            discarded: 0,
            popped: 0,
            high_water: 0,
            noted: true,
            watermark: 0,
            clock_offset: None,
            ended: false,
            span: None,
        }))
    }

    /// How many more records it takes: always some where it drops what finds no room.
    pub fn room(&self) -> usize {
        if self.drops { BATCH } else { self.vacant() }
    }

    /// How many more records fit.
    pub(crate) fn vacant(&self) -> usize {
        self.capacity - self.records.len()
    }

    /// The stamps of the `n` newest records, or of all where there are fewer.
    pub(crate) fn last_stamps(&self, n: usize) -> &[T::Stamp] {
        &self.stamps[self.stamps.len().saturating_sub(n)..]
    }

    /// How many records wait in it.
    pub fn len(&self) -> usize {
        self.records.len() - self.head
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a record.
    ///
    /// # Panics
    /// When there is no [`room`](Self::room): a stage that takes input without room for its output would lose it.
    #[inline]
    pub fn push(&mut self, record: T, stamp: T::Stamp) {
        self.offered += 1;
        if self.records.len() == self.capacity && !self.make_room() {
            return;
        }
        self.records.push(record);
        self.stamps.push(stamp);
    }

    /// Adds records that arrived at one time.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub fn push_all(&mut self, records: &[T], stamp: T::Stamp) {
        if self.vacant() < records.len() {
            return records.iter().for_each(|record| self.push(*record, stamp));
        }
        self.offered += records.len() as u64;
        self.records.extend_from_slice(records);
        self.stamps.resize(self.stamps.len() + records.len(), stamp);
    }

    /// Takes the `count` oldest records of an input and gives them on as they are.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub fn copy(&mut self, input: &mut Input<'_, T>, count: usize) {
        let (records, stamps) = (&input.records()[..count], &input.stamps()[..count]);
        if self.vacant() < count {
            records.iter().zip(stamps).for_each(|(record, stamp)| self.push(*record, *stamp));
        } else {
            self.offered += count as u64;
            self.records.extend_from_slice(records);
            self.stamps.extend_from_slice(stamps);
        }
        input.advance(count);
    }

    /// Gives on those records of an input that stand at these indices, and takes none.
    ///
    /// # Panics
    /// As [`push`](Self::push); beyond the input's end.
    pub(crate) fn pick(&mut self, input: &Input<'_, T>, indices: &[u32]) {
        let (records, stamps) = (input.records(), input.stamps());
        if self.vacant() < indices.len() {
            return indices.iter().for_each(|i| self.push(records[*i as usize], stamps[*i as usize]));
        }
        self.offered += indices.len() as u64;
        self.records.extend(indices.iter().map(|i| records[*i as usize]));
        self.stamps.extend(indices.iter().map(|i| stamps[*i as usize]));
    }

    /// Whether there is room once what was taken is out of the way; else the record is dropped.
    #[cold]
    fn make_room(&mut self) -> bool {
        if !self.drops {
            // It was not given.
            self.offered -= 1;
            panic!("a stage wrote more records than its output had room for");
        }
        // Moving the rest only when half is gone keeps the cost of a record constant.
        if self.head < self.capacity / 2 {
            self.dropped += 1;
            return false;
        }
        self.records.drain(..self.head);
        self.stamps.drain(..self.head);
        self.head = 0;
        true
    }

    /// Whether steps behind it look at the state of the stage that writes here.
    pub fn is_watched(&self) -> bool {
        self.span.as_ref().is_some_and(|span| span.is_active())
    }

    /// Whether all that was given on has passed the steps that look at the state of the stage that writes here: only
    /// then may the state change. Always so where no step does.
    pub fn is_settled(&self) -> bool {
        self.span.as_ref().is_none_or(|span| !span.is_active() || (self.is_empty() && span.is_clear()))
    }

    /// Record time has passed.
    pub(crate) fn pass(&mut self, watermark: u64, clock_offset: Option<u64>) {
        self.watermark = self.watermark.max(watermark);
        self.clock_offset = clock_offset;
    }

    pub(crate) fn note_high_water(&mut self) {
        if self.noted {
            self.high_water = self.high_water.max(self.len());
        }
    }

    pub(crate) fn drained(&self) -> bool {
        self.ended && self.is_empty()
    }

    fn settle(&mut self) {
        if self.head == self.records.len() {
            self.records.clear();
            self.stamps.clear();
            self.head = 0;
        }
    }
}

/// A stage's input: what waits for it, taken record by record or by slices.
#[derive(Debug)]
pub struct Input<'a, T: Flow> {
    batch: &'a mut Batch<T>,
    first: usize,
    /// How many were discarded, behind those that were taken.
    discarded: usize,
}

impl<'a, T: Flow> Input<'a, T> {
    pub(crate) fn new(batch: &'a mut Batch<T>) -> Self {
        let first = batch.head;
        Self { batch, first, discarded: 0 }
    }

    /// The records that wait, oldest first.
    pub fn records(&self) -> &[T] {
        &self.batch.records[self.batch.head..]
    }

    /// The stamps of [`records`](Self::records).
    pub fn stamps(&self) -> &[T::Stamp] {
        &self.batch.stamps[self.batch.head..]
    }

    /// The oldest record, not taken yet.
    pub fn peek(&self) -> Option<(&T, &T::Stamp)> {
        Some((self.batch.records.get(self.batch.head)?, &self.batch.stamps[self.batch.head]))
    }

    /// Takes the oldest record.
    #[expect(clippy::should_implement_trait, reason = "an iterator would borrow the stage's input for its whole loop")]
    pub fn next(&mut self) -> Option<(T, T::Stamp)> {
        let (record, stamp) = self.peek().map(|(record, stamp)| (*record, *stamp))?;
        self.batch.head += 1;
        Some((record, stamp))
    }

    /// Takes the oldest record, where `out` has room for one made of it.
    pub fn next_for<O: Flow>(&mut self, out: &Batch<O>) -> Option<(T, T::Stamp)> {
        if out.room() == 0 { None } else { self.next() }
    }

    /// Takes the `n` oldest of [`records`](Self::records), or all where there are fewer.
    pub fn advance(&mut self, n: usize) {
        self.batch.head += n.min(self.batch.len());
    }

    /// Takes all that waits off the edge without taking it in: it counts as dropped.
    pub(crate) fn discard(&mut self) {
        self.discarded = self.batch.len();
        self.batch.head += self.discarded;
        self.batch.discarded += self.discarded as u64;
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// No record that comes after those waiting is older than this, in ns of record time.
    pub fn watermark(&self) -> u64 {
        self.batch.watermark
    }

    pub(crate) fn taken(&self) -> &[T::Stamp] {
        &self.batch.stamps[self.first..self.batch.head - self.discarded]
    }

    pub(crate) fn clock_offset(&self) -> Option<u64> {
        self.batch.clock_offset
    }

    /// Takes off the edge what was taken; says how many. Once, and what [`taken`](Self::taken) gave is gone then.
    pub(crate) fn settle(&mut self) -> usize {
        let taken = self.batch.head - self.first - self.discarded;
        self.batch.popped += taken as u64;
        self.batch.settle();
        taken
    }
}

#[cfg(test)]
mod tests {
    use velox_record::Transaction;

    use super::*;

    #[test]
    fn what_is_pushed_is_taken_in_order_and_counted() {
        let shared = Batch::<Transaction>::shared();
        let mut batch = shared.borrow_mut();
        for id in 0..10 {
            batch.push(Transaction::new(id, 0, 0, 0, 0), id);
        }
        let mut input = Input::new(&mut batch);
        assert_eq!(input.next().unwrap().0.id, 0);
        input.advance(3);
        assert_eq!((input.records()[0].id, input.taken()), (4, &[0, 1, 2, 3][..]));
        input.settle();
        assert_eq!((batch.offered, batch.popped, batch.len(), batch.room()), (10, 4, 6, BATCH - 10));
        Input::new(&mut batch).advance(100);
        let mut input = Input::new(&mut batch);
        assert!(input.next().is_none());
        input.settle();
        assert_eq!(batch.room(), BATCH, "an emptied batch starts anew");
    }

    #[test]
    fn a_batch_that_drops_keeps_the_oldest_and_counts_the_rest() {
        let shared = Batch::<Transaction>::with(BATCH, true);
        let mut batch = shared.borrow_mut();
        let push = |batch: &mut Batch<Transaction>, ids: std::ops::Range<u64>| {
            ids.for_each(|id| batch.push(Transaction::new(id, 0, 0, 0, 0), id));
        };
        push(&mut batch, 0..300);
        assert_eq!((batch.offered, batch.dropped, batch.len()), (300, 44, BATCH));
        let mut input = Input::new(&mut batch);
        input.advance(200);
        input.settle();
        push(&mut batch, 300..310);
        let mut input = Input::new(&mut batch);
        assert_eq!((input.records()[0].id, input.records().last().unwrap().id), (200, 309));
        input.advance(1);
        input.discard();
        assert_eq!((input.taken().len(), input.settle()), (1, 1));
        assert_eq!((batch.popped + batch.dropped + batch.discarded, batch.offered), (310, 310));
    }

    #[test]
    #[should_panic(expected = "more records than its output had room for")]
    fn a_stage_that_ignores_its_room_is_stopped() {
        let shared = Batch::<Transaction>::shared();
        for id in 0..=BATCH as u64 {
            shared.borrow_mut().push(Transaction::new(id, 0, 0, 0, 0), 0);
        }
    }
}
