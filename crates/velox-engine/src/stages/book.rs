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
        Ok(Self { book: book.clone(), writer, pending, check, gaps: 0, holds_older, met_older: false })
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
                    under_way.mark_stale();
                }
                // Readers see it at once.
                self.end();
                self.pending.clear();
                *self.gaps += 1;
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
        if !level.has(flags::LAST) {
            if level.has(flags::SNAPSHOT) {
                self.pending.clear();
            }
            self.pending.push(*level);
            return Ok(true);
        }
        if !(settled() && self.begin()) {
            return Ok(false);
        }
        let Some(event) = &mut self.open else { return Ok(false) };
        let is_snapshot = self.pending.first().unwrap_or(level).has(flags::SNAPSHOT);
        if is_snapshot {
            event.clear();
            *self.holds_older = false;
        }
        *self.met_older |= *self.holds_older;
        for MarketEvent { side, price, qty, .. } in self.pending.drain(..) {
            event.set(side, price, qty)?;
        }
        event.set(side, price, qty)?;
        event.publish(level.sequence);
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
        let Self { book, writer, pending, check, gaps, holds_older, met_older } = self;
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

impl Pipeline<MarketEvent> {
    /// Keeps a book, and passes everything on. The book belongs to the pipeline from here on.
    ///
    /// # Errors
    /// [`BookError::Owned`]: it has a writer.
    pub fn book(self, name: &str, book: &L2Book, verify: bool) -> Result<Self, EngineError> {
        Ok(self.stage(name, BookStage::new(name, book, verify)?))
    }
}
