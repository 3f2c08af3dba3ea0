//! The venues that send their snapshots on the connection: what is the same for all of them.

use std::collections::HashMap;
use std::sync::Arc;

use velox_record::{ASK, BID, EventKind, Instrument, MarketEvent, flags};

use super::batch::{Batch, Change, Event};
use super::depth::{Depth, Line, Text};
use super::level::{mark_event, mark_snapshot};
use super::numbers::Numbers;
use super::{Applied, FeedState, Heartbeat, Protocol};
use crate::error::Fault;
use crate::json::{Doc, Value};

/// How one venue speaks, and what its numbers mean.
pub(super) trait Dialect: Send {
    /// Reads one message: what it says of books goes to the batch, trades go to `out`. A fault leaves nothing behind, as
    /// nothing of it counts before all of it is read.
    fn read(
        &mut self,
        message: Value<'_>,
        markets: &Markets,
        stamp: MarketEvent,
        batch: &mut Batch,
        out: &mut Vec<MarketEvent>,
    ) -> Result<(), Fault>;

    /// Whether an event of a live book follows what came before it. Snapshots of a book that is not live always do.
    fn judge(&self, book: &Book, event: &Event) -> Verdict;

    /// The checksum of a book's best levels, at venues that say one.
    const CHECKSUM: Option<fn(&mut Depth, &mut Line) -> u32> = None;

    fn subscribe(&self, markets: &[Arc<Instrument>]) -> Vec<String>;

    /// The book of one symbol anew.
    fn resubscribe(&self, market: &Instrument) -> Vec<String>;

    fn heartbeat(&self) -> Option<Heartbeat>;
}

/// What an event is to a live book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was there already.
    Old,
    Next,
    Gap,
}

/// The symbols of the connection.
pub(super) struct Markets {
    instruments: Vec<Arc<Instrument>>,
    by_symbol: HashMap<Vec<u8>, usize>,
}

impl Markets {
    fn of(instruments: &[Arc<Instrument>]) -> Self {
        let named = |(market, instrument): (usize, &Arc<Instrument>)| (instrument.symbol().into(), market);
        Self { instruments: instruments.to_vec(), by_symbol: instruments.iter().enumerate().map(named).collect() }
    }

    /// The market and instrument of a symbol, if it is wanted.
    pub(super) fn find(&self, symbol: &[u8]) -> Option<(usize, &Arc<Instrument>)> {
        self.by_symbol.get(symbol).map(|&market| (market, &self.instruments[market]))
    }
}

/// What is known of one book.
#[derive(Debug)]
pub(super) struct Book {
    state: FeedState,
    /// The venue's number of the event applied last.
    pub(super) sequence: u64,
    /// What that event said of the one before it.
    pub(super) previous: Option<u64>,
    /// When that event happened, in epoch ns.
    pub(super) exchange_ts: u64,
    /// The highest number of a trade.
    last_trade: u64,
    /// Events applied so far: the number of those that the venue doesn't number.
    applied: u64,
    /// Empty at venues without a checksum.
    depth: Depth,
}

impl Book {
    fn new() -> Self {
        Self {
            state: FeedState::Syncing,
            sequence: 0,
            previous: None,
            exchange_ts: 0,
            last_trade: 0,
            applied: 0,
            depth: Depth::default(),
        }
    }

    fn lose(&mut self, stamp: MarketEvent, out: &mut Vec<MarketEvent>) {
        self.depth.clear();
        if self.state == FeedState::Live {
            self.state = FeedState::Stale;
            out.push(MarketEvent { kind: EventKind::STATUS, flags: flags::GAP, ..stamp });
        }
    }
}

/// One connection of a venue that speaks `D`.
pub(super) struct Connection<D> {
    dialect: D,
    markets: Markets,
    books: Vec<Book>,
    numbers: Numbers,
    doc: Doc,
    batch: Batch,
    /// What a checksum is of.
    line: Line,
}

impl<D: Dialect> Connection<D> {
    pub(super) fn new(dialect: D, instruments: &[Arc<Instrument>]) -> Self {
        Self {
            dialect,
            markets: Markets::of(instruments),
            books: instruments.iter().map(|_| Book::new()).collect(),
            numbers: Numbers::default(),
            doc: Doc::default(),
            batch: Batch::default(),
            line: Line::new(),
        }
    }

    /// Judges the number of a message on its connection; every book is lost where one is missing.
    fn count(&mut self, number: u64, stamp: MarketEvent, out: &mut Vec<MarketEvent>) -> Verdict {
        let verdict = self.numbers.judge(number);
        if verdict == Verdict::Gap {
            for (instrument, book) in self.markets.instruments.iter().zip(&mut self.books) {
                book.lose(MarketEvent { instrument: instrument.id(), sequence: number, ..stamp }, out);
            }
        }
        verdict
    }

    /// Takes out what was traded before the connection and is known, or was never asked for. A venue that repeats its last
    /// trades on a new connection gives back those that the interruption cost, oldest first.
    fn filter_trades(&mut self, out: &mut Vec<MarketEvent>, start: usize) {
        let (instruments, books) = (&self.markets.instruments, &mut self.books);
        let market = |trade: &MarketEvent| instruments.iter().position(|known| known.id() == trade.instrument);
        let (mut end, mut repeats) = (start, false);
        for index in start..out.len() {
            let trade = out[index];
            let last = market(&trade).map_or(0, |market| books[market].last_trade);
            if !trade.has(flags::SNAPSHOT) || (last != 0 && trade.sequence > last) {
                out.swap(end, index);
                end += 1;
            }
            repeats |= trade.has(flags::SNAPSHOT);
        }
        for trade in &mut out[start..] {
            if let Some(market) = market(trade) {
                books[market].last_trade = books[market].last_trade.max(trade.sequence);
            }
            trade.flags = 0;
        }
        out.truncate(end);
        if repeats {
            out[start..].sort_unstable_by_key(|trade| trade.sequence);
        }
    }

    fn event(
        &mut self,
        (event, changes, texts): (&Event, &[Change], &[Text]),
        stamp: MarketEvent,
        out: &mut Vec<MarketEvent>,
    ) -> Applied {
        let book = &mut self.books[event.market];
        let sequence = if event.sequence == 0 { book.applied + 1 } else { event.sequence };
        let instrument = self.markets.instruments[event.market].id();
        let stamp = MarketEvent { instrument, sequence, exchange_ts: event.exchange_ts, ..stamp };
        let verdict = match (book.state, event.is_snapshot) {
            (FeedState::Live, _) => self.dialect.judge(book, event),
            (_, true) => Verdict::Next,
            // The snapshot to come is of a later moment.
            (_, false) => Verdict::Old,
        };
        match verdict {
            Verdict::Old => return Applied::Ignored,
            Verdict::Gap => {
                book.lose(stamp, out);
                return Applied::Gap;
            }
            Verdict::Next => {}
        }
        let start = out.len();
        out.extend(changes.iter().map(|change| change.stamped(stamp)));
        if let Some(checksum) = D::CHECKSUM {
            if event.is_snapshot {
                book.depth.clear();
            }
            for (change, text) in changes.iter().zip(texts) {
                book.depth.set(change.side, change.ticks, (change.lots > 0).then_some(text));
            }
            for side in [BID, ASK] {
                while let Some(price) = book.depth.pop_worst(side, event.limit) {
                    out.push(MarketEvent { kind: EventKind::LEVEL, side, price, qty: 0, ..stamp });
                }
            }
            if event.checksum.is_some_and(|expected| expected != checksum(&mut book.depth, &mut self.line)) {
                out.truncate(start);
                book.lose(stamp, out);
                book.state = FeedState::Stale;
                return Applied::Checksum;
            }
        }
        if event.is_snapshot {
            mark_snapshot(out, start, stamp);
        }
        mark_event(out, start);
        book.state = FeedState::Live;
        book.sequence = event.sequence;
        book.previous = event.previous;
        book.exchange_ts = event.exchange_ts;
        book.applied += 1;
        Applied::Applied
    }
}

impl<D: Dialect> Protocol for Connection<D> {
    fn apply(&mut self, message: &[u8], receive_ts: u64, out: &mut Vec<MarketEvent>) -> Result<Applied, Fault> {
        // The answer to a heartbeat is plain text at some venues.
        if message == b"pong" {
            return Ok(Applied::Ignored);
        }
        let stamp = MarketEvent { receive_ts, ..MarketEvent::default() };
        let start = out.len();
        self.batch.clear();
        self.dialect.read(self.doc.read(message)?, &self.markets, stamp, &mut self.batch, out)?;
        self.filter_trades(out, start);
        let trades = out.len() - start;
        let mut worst = (trades > 0).then_some(Applied::Applied);
        if let Some(number) = self.batch.number {
            match self.count(number, stamp, out) {
                Verdict::Old => {
                    out.truncate(start);
                    return Ok(Applied::Ignored);
                }
                Verdict::Gap => worst = Some(Applied::Gap),
                Verdict::Next => {}
            }
            // What this message brings stands behind the gap.
            out[start..].rotate_left(trades);
        }
        let batch = std::mem::take(&mut self.batch);
        for event in batch.events() {
            worst = worst.max(Some(self.event(event, stamp, out)));
        }
        self.batch = batch;
        Ok(worst.unwrap_or(Applied::Ignored))
    }

    fn state(&self, market: usize) -> FeedState {
        self.books[market].state
    }

    fn subscribe(&self) -> Vec<String> {
        self.dialect.subscribe(&self.markets.instruments)
    }

    fn resubscribe(&mut self, market: usize) -> Vec<String> {
        if self.books[market].state == FeedState::Live {
            return Vec::new();
        }
        self.dialect.resubscribe(&self.markets.instruments[market])
    }

    fn heartbeat(&self) -> Option<Heartbeat> {
        self.dialect.heartbeat()
    }

    fn disconnected(&mut self, out: &mut Vec<MarketEvent>) {
        self.numbers = Numbers::default();
        for (instrument, book) in self.markets.instruments.iter().zip(&mut self.books) {
            let sequence = if book.sequence == 0 { book.applied } else { book.sequence };
            book.lose(MarketEvent { instrument: instrument.id(), sequence, ..MarketEvent::default() }, out);
        }
    }
}
