//! What a stage is, and what it tells about its work.

use super::batch::{Batch, Input};
use super::error::EngineError;
use super::flow::Flow;
use super::latency::Latency;
use velox_book::L2Book;

/// A step of a pipeline: takes records from a batch and writes records into the next, a bounded bit of work at a time.
///
/// Its name and its heartbeat are the pipeline's to keep. A stage never waits inside `poll`, takes input only where its output has room, and accounts for each record that it
/// takes in the [`Tally`]. A panic inside it fails the run, not the process.
///
/// ```
/// use velox_engine::pipeline::{Batch, EngineError, Input, Stage, Tally};
/// use velox_engine::Transaction;
///
/// struct PriceFilter { min: i64, max: i64 }
///
/// impl Stage for PriceFilter {
///     type In = Transaction;
///     type Out = Transaction;
///
///     fn poll(
///         &mut self, input: &mut Input<'_, Transaction>, out: &mut Batch<Transaction>, tally: &mut Tally,
///     ) -> Result<(), EngineError> {
///         while let Some((transaction, stamp)) = input.next_for(out) {
///             if (self.min..=self.max).contains(&transaction.price) {
///                 out.push(transaction, stamp);
///                 tally.consumed += 1;
///             } else {
///                 tally.filtered += 1;
///             }
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Stage: Send + 'static {
    /// What it takes.
    type In: Flow;
    /// What it gives; [`Nothing`](super::Nothing) for a sink.
    type Out: Flow;
    /// Whether it notes what records wait by choice ([`Tally::waits`]): the memory for it is made with the run.
    const WAITS: bool = false;

    /// Called once on its thread before the source is let go: the place for what is slow, or belongs to that thread.
    ///
    /// # Errors
    /// An error ends the run before it begins, as one of this stage.
    fn on_start(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    /// Called once on its thread behind the last [`poll`](Self::poll), however the run ends; also where
    /// [`on_start`](Self::on_start) has failed. A panic in it fails the run.
    fn on_stop(&mut self) {}

    /// Takes what it can and has room for. Called often, also with nothing to take, so that time can pass for it.
    ///
    /// # Errors
    /// An error ends the run; the record taken last counts as the one that failed.
    fn poll(
        &mut self,
        input: &mut Input<'_, Self::In>,
        out: &mut Batch<Self::Out>,
        tally: &mut Tally,
    ) -> Result<(), EngineError>;

    /// The record time at which it has something to do though nothing comes: a sleeping thread wakes for it where record
    /// time runs with the clock.
    fn deadline(&self) -> Option<u64> {
        None
    }

    /// Whether somebody outside the run makes room for it, so that a sleeping thread must look for it by itself.
    fn is_foreign(&self) -> bool {
        false
    }

    /// Whether it drops what it has no room for, as if the edge before it did: what it drops at once has not stood in there.
    fn discards(&self) -> bool {
        false
    }

    /// Whether a record that is missing makes its state wrong, as it does a book: no edge before it may drop.
    fn needs_all(&self) -> bool {
        false
    }

    /// The book that it keeps, for the metrics: how it stands is told once a batch.
    fn book(&self) -> Option<&L2Book> {
        None
    }

    /// Gives on what it still holds, after the last input. Called until it says `true`: all is out.
    ///
    /// # Errors
    /// As [`poll`](Self::poll).
    fn finish(&mut self, out: &mut Batch<Self::Out>, tally: &mut Tally) -> Result<bool, EngineError> {
        let _ = (out, tally);
        Ok(true)
    }

    /// What the report should know at the end.
    fn notes(&mut self) -> Notes {
        Notes::default()
    }
}

/// What became of the records that a stage took: `in = consumed + filtered + conflated + errors + held`, at rest.
#[derive(Debug, Default)]
pub struct Tally {
    /// Did their work.
    pub consumed: u64,
    /// Left out by choice.
    pub filtered: u64,
    /// Replaced by a later one.
    pub conflated: u64,
    /// Refused, with a reason.
    pub errors: u64,
    /// Taken and not yet given on.
    pub held: u64,
    pub(crate) first_error: Option<String>,
    pub(crate) waits: Latency,
}

impl Tally {
    pub(crate) fn accounted(&self) -> u64 {
        self.consumed + self.filtered + self.conflated + self.errors + self.held
    }

    /// Refuses a record; the first reason stands in the report.
    pub fn refuse(&mut self, reason: impl FnOnce() -> String) {
        self.errors += 1;
        if self.first_error.is_none() {
            self.first_error = Some(reason());
        }
    }

    /// Notes what so many records waited by choice, in ns each. Nothing where the stage doesn't say [`Stage::WAITS`].
    pub fn waits(&mut self, nanos: u64, records: u64) {
        self.waits.record(nanos, records);
    }
}

/// A parameter that took another value while the run went.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamChange {
    /// Its name.
    pub name: String,
    /// What it became.
    pub value: f64,
    /// How many records the stage had taken before.
    pub at: u64,
}

/// What a stage or a source adds to the report at its end.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Notes {
    /// Quotes of the data that a right book must agree with (from the source).
    pub comparable: Option<u64>,
    /// Quotes that the book saw, and those of them that it agreed with (from the book).
    pub agreed: Option<(u64, u64)>,
    /// The first quote that it did not agree with.
    pub first_disagreement: Option<String>,
    /// Gaps in the data.
    pub gaps: u64,
    /// Messages of the data that reached nobody.
    pub left_out: u64,
    /// Records that came out of order (from a merge).
    pub late: u64,
    /// Records that were given to a script which never read them: they count as dropped.
    pub unread: u64,
    /// Parameters that changed while the run went, and at which of the stage's records.
    pub changes: Vec<ParamChange>,
    /// How many more changes there were than are kept: the first 1,024 of each stage are.
    pub more_changes: u64,
    /// Why the same input might not give the same output.
    pub non_deterministic: Option<String>,
}
