use velox_book::{BookError, L2Book, L2Event, L2Writer, QuoteCheck, Standing};
use velox_record::{EventKind, MarketEvent, flags};

use crate::pipeline::{Batch, EngineError, Input, Notes, Pipeline, Stage, Tally};

/// So many levels of one exchange event are kept without allocating.
const ROOM: usize = 4_096;
/// The most levels of one exchange event.
const MOST_LEVELS: usize = 1 << 20;

/// Applies the level events of the book's instrument to it, whole exchange events at a time, and passes everything on.
///
/// While a reader copies the book, the last level of an event stays in the input for the next turn: the stage never
/// waits.
pub struct BookStage {
    book: L2Book,
    writer: L2Writer,
    /// The levels of the event under way.
    pending: Vec<MarketEvent>,
    check: Option<QuoteCheck>,
    gaps: u64,
    /// It began with the levels of somebody before, and no snapshot has replaced them yet.
    holds_older: bool,
    /// A delta met such levels.
    met_older: bool,
    /// Whether records came that it may have missed the rest of.
    amid: bool,
}

impl BookStage {
    /// Becomes the book's writer. `verify` holds it to the exchange's own quotes.
    ///
    /// # Errors
    /// [`BookError::Owned`]: it has a writer.
    pub fn new(name: &str, book: &L2Book, verify: bool) -> Result<Self, BookError> {
        let writer = book.claim(name)?;
        let check = verify.then(QuoteCheck::new);
        let holds_older = book.standing() != Standing::Empty;
        let pending = Vec::with_capacity(ROOM);
        Ok(Self { book: book.clone(), writer, pending, check, gaps: 0, holds_older, met_older: false, amid: false })
    }
}

/// What one poll works on: the book's event stays open from one exchange event to the next, so that the book is taken
/// and given back once a batch.
struct Turn<'a> {
    book: &'a L2Book,
    writer: Option<&'a mut L2Writer>,
    open: Option<L2Event<'a>>,
    pending: &'a mut Vec<MarketEvent>,
    check: &'a mut Option<QuoteCheck>,
    gaps: &'a mut u64,
    holds_older: &'a mut bool,
    met_older: &'a mut bool,
}

impl Turn<'_> {
    /// Says whether the event was taken; `false`: try again later. `settled`: whether the book may change now.
    fn take(&mut self, event: &MarketEvent, settled: impl FnOnce() -> bool) -> Result<bool, EngineError> {
        match event.kind {
            EventKind::LEVEL => return self.take_level(event, settled),
            EventKind::QUOTE => {
                if let Some(check) = &mut self.check {
                    check.on_quote(event, self.book.top());
                }
            }
            EventKind::STATUS if event.has(flags::GAP) => {
                if !(settled() && self.begin()) {
                    return Ok(false);
                }
                if let Some(under_way) = &mut self.open {
                    under_way.apply(event)?;
                }
                // Readers see it at once.
                self.end();
                self.pending.clear();
                *self.gaps += u64::from(!event.has(flags::LAST));
            }
            _ => {}
        }
        Ok(true)
    }

    /// Whether the book is there to be changed: a reader may hold it for a moment.
    fn begin(&mut self) -> bool {
        if self.open.is_none()
            && let Some(writer) = self.writer.take()
        {
            self.open = writer.try_begin();
        }
        self.open.is_some()
    }

    fn end(&mut self) {
        self.open = None;
    }

    fn take_level(&mut self, level: &MarketEvent, settled: impl FnOnce() -> bool) -> Result<bool, EngineError> {
        let &MarketEvent { side, price, qty, .. } = level;
        if qty < 0 {
            return Err(BookError::InvalidLevel { side, price, qty }.into());
        }
        if self.pending.len() == MOST_LEVELS {
            let reason = format!("expected an event of at most {MOST_LEVELS} levels, got more without a last one");
            return Err(EngineError::Stage(reason));
        }
        if level.has(flags::SNAPSHOT) {
            // What lay there was never ended, and is no part of this.
            self.pending.clear();
        }
        if !level.has(flags::LAST) {
            self.pending.push(*level);
            return Ok(true);
        }
        if !(settled() && self.begin()) {
            return Ok(false);
        }
        let Some(event) = &mut self.open else { return Ok(false) };
        let is_snapshot = self.pending.first().unwrap_or(level).has(flags::SNAPSHOT);
        *self.holds_older &= !is_snapshot;
        *self.met_older |= *self.holds_older;
        for part in self.pending.drain(..) {
            event.apply(&part)?;
        }
        event.apply(level)?;
        if let Some(check) = self.check.as_mut().filter(|_| !is_snapshot) {
            check.on_event_end(level.sequence, self.book.top());
        }
        Ok(true)
    }
}

impl Stage for BookStage {
    type In = MarketEvent;
    type Out = MarketEvent;

    fn poll(
        &mut self,
        input: &mut Input<'_, MarketEvent>,
        out: &mut Batch<MarketEvent>,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        let instrument = self.book.instrument().id();
        let Self { book, writer, pending, check, gaps, holds_older, met_older, amid } = self;
        let mut turn = Turn { book, writer: Some(writer), open: None, pending, check, gaps, holds_older, met_older };
        let (mut count, mut failed) = (0, None);
        for event in input.records().iter().take(out.room()) {
            // What was taken before in this turn has not passed on yet.
            let settled = || out.is_settled() && (count == 0 || !out.is_watched());
            let taken = if event.instrument == instrument { turn.take(event, settled) } else { Ok(true) };
            match taken {
                Ok(true) => count += 1,
                Ok(false) => break,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        drop(turn);
        *amid |= count > 0;
        out.copy(input, count);
        tally.consumed += count as u64;
        if let Some(error) = failed {
            // It is the record taken last.
            input.advance(1);
            return Err(error);
        }
        Ok(())
    }

    fn needs_all(&self) -> bool {
        true
    }

    fn finish(&mut self, _: &mut Batch<MarketEvent>, _: &mut Tally) -> Result<bool, EngineError> {
        self.amid = false;
        Ok(true)
    }

    fn book(&self) -> Option<&L2Book> {
        Some(&self.book)
    }

    fn notes(&mut self) -> Notes {
        let check = self.check.as_ref().filter(|check| check.seen() > 0);
        Notes {
            agreed: check.map(|check| (check.seen(), check.agreed())),
            first_disagreement: check.and_then(QuoteCheck::first_disagreement).map(String::from),
            gaps: self.gaps,
            non_deterministic: self.met_older.then(|| "a book began with levels from before the run".into()),
            ..Notes::default()
        }
    }
}

impl Drop for BookStage {
    /// A run that failed or was aborted has taken from the book what was on the way.
    fn drop(&mut self) {
        if self.amid && self.book.standing() == Standing::Live {
            self.writer.begin().mark_stale();
        }
    }
}

impl Pipeline<MarketEvent> {
    /// Keeps a book, and passes everything on. The book belongs to the pipeline from here on.
    ///
    /// # Errors
    /// [`BookError::Owned`]: it has a writer.
    pub fn book(self, name: &str, book: &L2Book, verify: bool) -> Result<Self, EngineError> {
        Ok(self.stage(name, BookStage::new(name, book, verify)?))
    }
}

#[cfg(test)]
mod tests {
    use velox_record::{BID, Instrument};

    use super::*;
    use crate::stages::harness::drive;

    #[test]
    fn a_snapshot_of_one_level_replaces_an_event_that_was_never_ended() {
        let instrument = Instrument::new("BTCUSDT", "book-stage", "0.10", "0.001").unwrap();
        let book = L2Book::new(instrument.clone());
        let level = |price, flags, sequence| {
            let kind = EventKind::LEVEL;
            let instrument = instrument.id();
            MarketEvent { kind, instrument, side: BID, price, qty: 1, flags, sequence, ..MarketEvent::default() }
        };
        let events = [level(7, flags::LAST, 1), level(9, 0, 2), level(5, flags::SNAPSHOT | flags::LAST, 3)];
        let records: Vec<_> = events.into_iter().zip(0..).collect();
        drive(BookStage::new("book", &book, false).unwrap(), &records, &[]);
        assert_eq!((book.best_bid(), book.depth(9).bids.len()), (Some(5), 1));
    }
}
