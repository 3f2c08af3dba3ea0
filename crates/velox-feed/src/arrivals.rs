use std::sync::Arc;

use velox_record::{Instrument, MarketEvent};

use crate::FeedError;

/// A source of market messages, one arrival at a time.
pub trait Arrivals: Send {
    /// Appends the events of the next message to `out`, which the caller cleared, and gives its arrival in nanoseconds:
    /// the receive time of a recorded message, the schedule of a made-up one. `None` at the end.
    ///
    /// A message may say nothing (a depth update before the book is synchronised): it is an arrival without events.
    ///
    /// # Errors
    /// [`FeedError`]; `out` is then as it was.
    fn next(&mut self, out: &mut Vec<MarketEvent>) -> Result<Option<u64>, FeedError>;

    /// How many exchange quotes of an instrument (by id) could so far be checked against a book, whether or not anybody
    /// kept one: the count that a truth check must reach. At the end of data without any snapshot, those that a book
    /// could have been checked with.
    fn comparable(&self, instrument: u16) -> u64;

    /// Whether arrivals are at the times that messages were received at: those of two recordings then say which came first.
    /// Made-up ones begin at 0.
    fn is_recorded(&self) -> bool {
        true
    }

    /// How many messages so far said nothing that reached anybody: of other kinds or symbols, repeated, or between a gap and
    /// the next snapshot.
    fn left_out(&self) -> u64 {
        0
    }

    /// The instruments whose ids the events carry. A recorded file may add one when a new symbol first speaks.
    fn instruments(&self) -> &[Arc<Instrument>];
}
