use std::collections::VecDeque;
use std::time::Duration;

use velox_expr::{ExprError, Plan};
use velox_record::Record;

use super::key::{DEFAULT_MAX_KEYS, Key};
use super::key_map::KeyMap;
use super::timed::Timed;
use crate::pipeline::{Batch, EngineError, Flow, Input, Notes, Pipeline, Stage, Stamp, Tally};

/// What [`Dedupe`] takes for a duplicate, and how many keys it remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DedupeOptions {
    /// For how long after a record has passed others with its key are duplicates; above 0.
    pub window: Duration,
    /// How many keys may be within their window at once: 1 ..= 2^20. Each takes 48 to 80 bytes, made up front.
    pub max_keys: usize,
}

impl DedupeOptions {
    /// This window, and up to 65,536 keys.
    pub const fn new(window: Duration) -> Self {
        Self { window, max_keys: DEFAULT_MAX_KEYS }
    }
}

/// Passes a record on and filters those with its key that come less than a window after it.
///
/// The window counts from the record that passed: a key that never stops coming passes once a window. Time is the
/// records' own where they have one ([`Self::by_record_time`]), else their arrival; a record that is older than one
/// before it counts as that old. A record without a key is an error of that record, and so is a new key while
/// `max_keys` are within their window.
pub struct Dedupe<T: 'static> {
    key: Key<T>,
    time: Option<fn(&T) -> u64>,
    window_ns: u64,
    max_keys: usize,
    /// The keys within their window.
    known: KeyMap<()>,
    /// The same, with the end of each window, the earliest first.
    ends: VecDeque<(u64, u64)>,
    /// The latest time seen.
    now: u64,
}

impl<T: Record> Dedupe<T> {
    /// Duplicates by the value of `key`, in time of arrival. Allocates its memory here.
    ///
    /// # Errors
    /// [`ExprError`]: a key of floats, a window of 0, more or fewer keys than can be.
    ///
    /// ```
    /// use std::time::Duration;
    /// use velox_engine::{Trade, expr::{Expr, Plan, Scales}, stages::{Dedupe, DedupeOptions, Timed}};
    ///
    /// let id = Plan::<Trade>::new(&Expr::Column { name: "id".into() }, &Scales::default(), 0)?;
    /// let stage = Dedupe::new(id, DedupeOptions::new(Duration::from_secs(1)))?.by_record_time(Trade::TIME.unwrap());
    /// # Ok::<(), velox_engine::expr::ExprError>(())
    /// ```
    pub fn new(key: Plan<T>, options: DedupeOptions) -> Result<Self, ExprError> {
        let DedupeOptions { window, max_keys } = options;
        let key = Key::new("dedupe", key, max_keys)?;
        if window.is_zero() {
            let (expected, got) = ("a window above 0".into(), "0".into());
            return Err(ExprError::InvalidValue { op: "dedupe".into(), expected, got });
        }
        Ok(Self {
            key,
            time: None,
            window_ns: u64::try_from(window.as_nanos()).unwrap_or(u64::MAX),
            max_keys,
            known: KeyMap::new(max_keys),
            ends: VecDeque::with_capacity(max_keys),
            now: 0,
        })
    }

    /// The same, in the records' own time, ns: the same records then give the same output at any pace.
    #[must_use]
    pub fn by_record_time(self, time: fn(&T) -> u64) -> Self {
        Self { time: Some(time), ..self }
    }

    fn pass_time(&mut self, time: u64) {
        self.now = self.now.max(time);
        while let Some(&(_, key)) = self.ends.front().filter(|(end, _)| *end <= self.now) {
            self.known.remove(key);
            self.ends.pop_front();
        }
    }

    fn remember(&mut self, key: u64) {
        self.known.insert(key, ());
        self.ends.push_back((self.now.saturating_add(self.window_ns), key));
    }
}

impl<T: Flow> Stage for Dedupe<T> {
    type In = T;
    type Out = T;

    fn poll(&mut self, input: &mut Input<'_, T>, out: &mut Batch<T>, tally: &mut Tally) -> Result<(), EngineError> {
        while out.room() > 0 {
            let Some(key) = self.key.peek(input.records()) else { break };
            let Some((record, stamp)) = input.next() else { break };
            self.key.take();
            self.pass_time(self.time.map_or_else(|| stamp.ready(), |time| time(&record)));
            match key {
                Err(none) => tally.refuse(|| none.to_string()),
                Ok(key) if self.known.get(key).is_some() => tally.filtered += 1,
                Ok(_) if self.ends.len() == self.max_keys => tally.refuse(|| {
                    let max = self.max_keys;
                    format!("VELOX_INVALID_VALUE: expected at most {max} keys (maxKeys) within a window, got one more")
                }),
                Ok(key) => {
                    self.remember(key);
                    out.push(record, stamp);
                    tally.consumed += 1;
                }
            }
        }
        Ok(())
    }

    fn notes(&mut self) -> Notes {
        let by_arrival = || "duplicates are told by when records arrived".into();
        Notes { non_deterministic: self.time.is_none().then(by_arrival), ..Notes::default() }
    }
}

impl<T: Flow + Timed> Pipeline<T> {
    /// Goes on without records whose key passed less than a window before: in the records' own time where they and the
    /// source have one, else by arrival.
    ///
    /// # Errors
    /// As [`Dedupe::new`].
    pub fn dedupe(self, name: &str, key: Plan<T>, options: DedupeOptions) -> Result<Self, ExprError> {
        let time = T::TIME.filter(|_| self.has_record_time());
        Ok(self.stage(name, Dedupe { time, ..Dedupe::new(key, options)? }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use velox_record::Trade;

    use super::*;
    use crate::stages::harness::{ID, Stamped, cuts, drive, plan, trades};

    fn dedupe(window_ns: u64, max_keys: usize) -> Dedupe<Trade> {
        Dedupe::new(plan(ID), DedupeOptions { window: Duration::from_nanos(window_ns), max_keys }).unwrap()
    }

    /// Looks at everything that passed before; gives what passes, and how many are filtered and refused.
    fn model(
        records: &[Stamped<Trade>],
        time: impl Fn(&Stamped<Trade>) -> u64,
        window: u64,
        max_keys: usize,
    ) -> (Vec<Stamped<Trade>>, u64, u64) {
        let (mut passed, mut filtered, mut refused, mut now) = (Vec::<(u64, Stamped<Trade>)>::new(), 0, 0, 0);
        for record in records {
            now = now.max(time(record));
            let mut within = passed.iter().filter(|(at, _)| now < at.saturating_add(window));
            if within.clone().any(|(_, (trade, _))| trade.id == record.0.id) {
                filtered += 1;
            } else if within.by_ref().count() == max_keys {
                refused += 1;
            } else {
                passed.push((now, *record));
            }
        }
        (passed.into_iter().map(|(_, record)| record).collect(), filtered, refused)
    }

    proptest! {
        #[test]
        fn what_passes_is_what_the_model_passes(
            records in prop::collection::vec((0u64..30, 0u64..20, 0u64..15), 0..600),
            window in 1u64..150,
            max_keys in 1usize..40,
            by_arrival in any::<bool>(),
            cuts in cuts(),
        ) {
            let mut clock = 0;
            let records = records.into_iter().map(|(id, step, back)| {
                clock += step;
                (id, clock.saturating_sub(back))
            });
            let records = trades(records);
            let (stage, expected) = if by_arrival {
                (dedupe(window, max_keys), model(&records, |(_, stamp)| *stamp, window, max_keys))
            } else {
                let by_own = dedupe(window, max_keys).by_record_time(Trade::TIME.unwrap());
                (by_own, model(&records, |(trade, _)| trade.receive_ts, window, max_keys))
            };
            let mut end = drive(stage, &records, &cuts);
            prop_assert_eq!((end.tally.consumed, end.tally.conflated), (expected.0.len() as u64, 0));
            prop_assert_eq!((end.given, end.tally.filtered, end.tally.errors), expected);
            prop_assert_eq!(end.stage.notes().non_deterministic.is_some(), by_arrival);
        }
    }

    #[test]
    fn a_window_ends_where_it_says_and_counts_from_what_passed() {
        let stage = dedupe(100, 1).by_record_time(Trade::TIME.unwrap());
        let end = drive(stage, &trades([(1, 0), (1, 60), (1, 99), (1, 100), (1, 199), (2, 200)]), &[]);
        let passed: Vec<_> = end.given.iter().map(|(trade, _)| trade.receive_ts).collect();
        assert_eq!((passed, end.tally.filtered), (vec![0, 100, 200], 3));
    }

    #[test]
    fn one_key_too_many_is_an_error_with_a_sentence() {
        let end = drive(dedupe(100, 2), &trades([(1, 0), (2, 0), (3, 0), (1, 0)]), &[]);
        assert_eq!((end.tally.consumed, end.tally.errors, end.tally.filtered), (2, 1, 1));
        let reason = end.tally.first_error.unwrap();
        assert_eq!(reason, "VELOX_INVALID_VALUE: expected at most 2 keys (maxKeys) within a window, got one more");
    }

    #[test]
    fn a_record_without_a_key_is_an_error() {
        let key = plan(&format!(r#"{{"op":"prev","of":[{ID}]}}"#));
        let stage = Dedupe::new(key, DedupeOptions::new(Duration::from_secs(1))).unwrap();
        let end = drive(stage, &trades([(1, 0), (2, 0), (3, 0)]), &[]);
        assert_eq!((end.tally.consumed, end.tally.errors), (2, 1));
        assert!(end.tally.first_error.unwrap().contains("no value yet"));
    }

    #[test]
    fn a_window_of_nothing_is_refused() {
        let error = Dedupe::new(plan(ID), DedupeOptions::new(Duration::ZERO)).err().unwrap();
        assert_eq!(error.to_string(), "dedupe: expected a window above 0, got 0");
    }
}
