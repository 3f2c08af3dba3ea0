//! A book against the exchange's own quotes.
//!
//! A quote and a depth event of the same sequence speak of the same instant of the book. Mostly the quote comes first:
//! it is held until the event with its number has been applied.

use std::collections::VecDeque;

use velox_record::{BID, MarketEvent};

use crate::Top;

/// The most quotes held; beyond it the oldest are let go, which only missing depth events can bring about.
const MOST_HELD: usize = 65_536;

/// Compares best bid and ask, price and size, whenever a quote and an event of the same sequence have both come.
///
/// ```
/// use velox_book::{QuoteCheck, Top};
/// use velox_record::{ASK, BID, EventKind, MarketEvent, flags};
///
/// let mut check = QuoteCheck::new();
/// let quote = MarketEvent { kind: EventKind::QUOTE, sequence: 7, ..MarketEvent::default() };
/// let top = Top { bid: 10, bid_qty: 1, ask: 11, ask_qty: 2, sequence: 7 };
/// check.on_quote(&MarketEvent { side: BID, price: 10, qty: 1, ..quote }, None);
/// check.on_quote(&MarketEvent { side: ASK, price: 11, qty: 2, flags: flags::LAST, ..quote }, None);
/// check.on_event_end(7, Some(top));
/// assert_eq!((check.checked(), check.agreed()), (1, 1));
/// ```
#[derive(Debug, Default)]
pub struct QuoteCheck {
    /// The bid of a quote whose ask comes next.
    bid: Option<MarketEvent>,
    /// Quotes ahead of their event, ascending by sequence.
    held: VecDeque<Top>,
    /// The event applied last; 0 before the first.
    last: u64,
    seen: u64,
    checked: u64,
    agreed: u64,
    first_disagreement: Option<String>,
}

impl QuoteCheck {
    /// A check that has seen nothing. Allocates room for 1,024 quotes.
    pub fn new() -> Self {
        Self { held: VecDeque::with_capacity(1_024), ..Self::default() }
    }

    /// Takes one side of a quote: the bid, then the ask. `top` is the book now, `None` where it can't be believed.
    pub fn on_quote(&mut self, event: &MarketEvent, top: Option<Top>) {
        if event.side == BID {
            self.bid = Some(*event);
            return;
        }
        let Some(bid) = self.bid.take().filter(|bid| bid.sequence == event.sequence) else { return };
        self.seen += 1;
        let sequence = event.sequence;
        let quote = Top { bid: bid.price, bid_qty: bid.qty, ask: event.price, ask_qty: event.qty, sequence };
        if self.last > 0 && sequence <= self.last {
            if sequence == self.last {
                self.compare(quote, top);
            }
            return;
        }
        let at = self.held.iter().rposition(|held| held.sequence <= sequence).map_or(0, |before| before + 1);
        self.held.insert(at, quote);
        if self.held.len() > MOST_HELD {
            self.held.pop_front();
        }
    }

    /// A depth event was applied, up to `sequence`. `top` as in [`on_quote`](Self::on_quote).
    pub fn on_event_end(&mut self, sequence: u64, top: Option<Top>) {
        self.last = sequence;
        while let Some(&quote) = self.held.front()
            && quote.sequence <= sequence
        {
            self.held.pop_front();
            if quote.sequence == sequence {
                self.compare(quote, top);
            }
        }
    }

    fn compare(&mut self, quote: Top, top: Option<Top>) {
        self.checked += 1;
        let of = |top: Top| Top { sequence: quote.sequence, ..top };
        if top.map(of) == Some(quote) {
            self.agreed += 1;
        } else if self.first_disagreement.is_none() {
            let says = |t: Top| format!("{} × {} / {} × {}", t.bid, t.bid_qty, t.ask, t.ask_qty);
            let book = top.map_or("no best prices".into(), says);
            self.first_disagreement =
                Some(format!("sequence {}: expected {} (ticks × lots), got {book}", quote.sequence, says(quote)));
        }
    }

    /// Quotes seen, comparable or not.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Quotes that were compared.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    /// Those that the book agreed with.
    pub fn agreed(&self) -> u64 {
        self.agreed
    }

    /// The first one that it did not agree with, as a sentence.
    pub fn first_disagreement(&self) -> Option<&str> {
        self.first_disagreement.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use velox_record::{ASK, EventKind, flags};

    use super::*;

    fn quote(check: &mut QuoteCheck, sequence: u64, bid: i64, top: Option<Top>) {
        let event = MarketEvent { kind: EventKind::QUOTE, sequence, qty: 1, ..MarketEvent::default() };
        check.on_quote(&MarketEvent { side: BID, price: bid, ..event }, top);
        check.on_quote(&MarketEvent { side: ASK, price: bid + 1, flags: flags::LAST, ..event }, top);
    }

    #[expect(clippy::unnecessary_wraps, reason = "what a book gives")]
    fn top(bid: i64) -> Option<Top> {
        Some(Top { bid, bid_qty: 1, ask: bid + 1, ask_qty: 1, sequence: 0 })
    }

    #[test]
    fn a_quote_waits_for_its_event_or_finds_it_there() {
        let mut check = QuoteCheck::new();
        quote(&mut check, 5, 100, None);
        quote(&mut check, 3, 90, None);
        check.on_event_end(3, top(90));
        check.on_event_end(5, top(100));
        quote(&mut check, 5, 100, top(100));
        quote(&mut check, 4, 1, top(100));
        assert_eq!((check.seen(), check.checked(), check.agreed()), (4, 3, 3));
    }

    #[test]
    fn a_wrong_book_is_told_with_both_sides() {
        let mut check = QuoteCheck::new();
        check.on_event_end(5, top(100));
        quote(&mut check, 5, 101, top(100));
        quote(&mut check, 5, 101, None);
        assert_eq!((check.checked(), check.agreed()), (2, 0));
        let said = check.first_disagreement().unwrap();
        assert_eq!(said, "sequence 5: expected 101 × 1 / 102 × 1 (ticks × lots), got 100 × 1 / 101 × 1");
    }
}
