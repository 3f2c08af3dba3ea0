use std::marker::PhantomData;

use super::option::InvalidOption;
use crate::pipeline::{Batch, EngineError, Flow, Input, Notes, Pipeline, Stage, Tally};

/// One record's worth of credit: a record a second earns one part a nanosecond.
const RECORD: f64 = 1e9;

/// How long credit can be saved up, ns.
const BURST_NS: f64 = 1e7;

/// Passes at most so many records a second on; the others are filtered.
///
/// A token bucket: credit comes evenly, each record that passes uses one record's worth, and up to 10 ms of it (at
/// least one record's worth) can be saved up, which it starts with. So no span of `s` seconds passes more than
/// `per_second × s` records and those 10 ms' worth. The clock is read once a batch.
#[derive(Debug)]
pub struct RateLimit<T> {
    bucket: Bucket,
    of: PhantomData<fn(T)>,
}

/// Integers of credit below 2^53 are exact.
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    /// The most credit it holds, at least [`RECORD`].
    capacity: f64,
    /// Range: 0 ..= capacity.
    credit: f64,
    /// When credit came last.
    last: Option<u64>,
}

impl Bucket {
    fn new(per_second: f64) -> Self {
        let capacity = RECORD.max(per_second * BURST_NS);
        Self { per_second, capacity, credit: capacity, last: None }
    }

    fn pass_time(&mut self, now: u64) {
        let since = now.saturating_sub(self.last.unwrap_or(now));
        self.credit = self.capacity.min(self.credit + since as f64 * self.per_second);
        self.last = Some(now);
    }

    /// How many records may pass.
    fn records(&self) -> usize {
        (self.credit / RECORD) as usize
    }

    fn spend(&mut self, records: usize) {
        self.credit -= records as f64 * RECORD;
    }
}

impl<T> RateLimit<T> {
    /// At most so many records a second; a fraction is a record every few seconds.
    ///
    /// # Errors
    /// [`InvalidOption`]: not a finite number above 0.
    ///
    /// ```
    /// use velox_engine::{Trade, stages::RateLimit};
    /// assert!(RateLimit::<Trade>::new(0.5).is_ok());
    /// let error = RateLimit::<Trade>::new(0.0).unwrap_err();
    /// assert_eq!(error.to_string(), "perSecond: expected a finite number above 0, got 0");
    /// ```
    pub fn new(per_second: f64) -> Result<Self, InvalidOption> {
        if !(per_second.is_finite() && per_second > 0.0) {
            return Err(InvalidOption::new("perSecond", "a finite number above 0", per_second));
        }
        Ok(Self { bucket: Bucket::new(per_second), of: PhantomData })
    }
}

impl<T: Flow> RateLimit<T> {
    fn pass(&mut self, now: u64, input: &mut Input<'_, T>, out: &mut Batch<T>, tally: &mut Tally) {
        self.bucket.pass_time(now);
        let (waiting, allowed) = (input.records().len(), self.bucket.records());
        let passed = allowed.min(waiting).min(out.room());
        for (record, stamp) in input.records().iter().zip(input.stamps()).take(passed) {
            out.push(*record, *stamp);
        }
        self.bucket.spend(passed);
        // What may pass and has no room waits; only what may not is left out.
        let filtered = if passed == allowed { waiting - passed } else { 0 };
        input.advance(passed + filtered);
        tally.consumed += passed as u64;
        tally.filtered += filtered as u64;
    }
}

impl<T: Flow> Stage for RateLimit<T> {
    type In = T;
    type Out = T;

    fn poll(&mut self, input: &mut Input<'_, T>, out: &mut Batch<T>, tally: &mut Tally) -> Result<(), EngineError> {
        if !input.is_empty() {
            self.pass(velox_clock::now(), input, out, tally);
        }
        Ok(())
    }

    fn notes(&mut self) -> Notes {
        Notes { non_deterministic: Some("a rate limit goes by the clock".into()), ..Notes::default() }
    }
}

impl<T: Flow> Pipeline<T> {
    /// Goes on with at most so many records a second, and a burst of 10 ms' worth.
    ///
    /// # Errors
    /// As [`RateLimit::new`].
    pub fn rate_limit(self, name: &str, per_second: f64) -> Result<Self, InvalidOption> {
        Ok(self.stage(name, RateLimit::new(per_second)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use velox_record::Trade;

    use super::*;
    use crate::stages::harness::{Cut, cuts, drive, trades};

    /// A rate limit on a clock that moves by steps of the test's own, one a batch that is not empty.
    struct Stepped {
        limit: RateLimit<Trade>,
        steps: Vec<u64>,
        now: u64,
        /// When each record passed.
        passed: Vec<u64>,
        /// Each look at the clock, what waited, what had room, what was taken.
        turns: Vec<(u64, usize, usize, usize)>,
    }

    impl Stage for Stepped {
        type In = Trade;
        type Out = Trade;

        fn poll(
            &mut self,
            input: &mut Input<'_, Trade>,
            out: &mut Batch<Trade>,
            tally: &mut Tally,
        ) -> Result<(), EngineError> {
            self.now += self.steps.pop().unwrap_or(1_000_000);
            let (waiting, room, before) = (input.records().len(), out.room(), tally.consumed);
            self.limit.pass(self.now, input, out, tally);
            self.passed.extend((before..tally.consumed).map(|_| self.now));
            self.turns.push((self.now, waiting, room, waiting - input.records().len()));
            Ok(())
        }
    }

    fn stepped(per_second: u32, steps: Vec<u64>, count: u64, cuts: &[Cut]) -> (Stepped, Tally) {
        let limit = RateLimit::new(f64::from(per_second)).unwrap();
        let stage = Stepped { limit, steps, now: 5, passed: vec![], turns: vec![] };
        let end = drive(stage, &trades((0..count).map(|i| (i, 0))), cuts);
        (end.stage, end.tally)
    }

    proptest! {
        #[test]
        fn no_span_of_time_passes_more_than_its_share_and_a_burst(
            per_second in 1u32..2_000_000,
            steps in prop::collection::vec(0u64..20_000_000, 0..60),
            count in 0u64..4_000,
            cuts in cuts(),
        ) {
            let (Stepped { passed, .. }, tally) = stepped(per_second, steps, count, &cuts);
            prop_assert_eq!(tally.consumed + tally.filtered, count);
            let burst = (u128::from(per_second) * 10_000_000).max(1_000_000_000);
            for (i, from) in passed.iter().enumerate() {
                for (j, to) in passed.iter().enumerate().skip(i).step_by(7) {
                    let (span, records) = (u128::from(to - from), (j - i + 1) as u128);
                    prop_assert!(records * 1_000_000_000 <= burst + span * u128::from(per_second));
                }
            }
        }

        #[test]
        fn what_the_bucket_allows_passes(
            per_second in 1u32..2_000_000,
            steps in prop::collection::vec(0u64..20_000_000, 0..60),
            count in 0u64..4_000,
            cuts in cuts(),
        ) {
            let (Stepped { passed, turns, .. }, _) = stepped(per_second, steps, count, &cuts);
            let (rate, record) = (u128::from(per_second), 1_000_000_000u128);
            let most = (rate * 10_000_000).max(record);
            let (mut credit, mut last, mut model) = (most, turns[0].0, vec![]);
            for (now, waiting, room, taken) in turns {
                credit = most.min(credit + u128::from(now - last) * rate);
                last = now;
                let mut expected = 0;
                while expected < waiting.min(room) && credit >= record {
                    credit -= record;
                    expected += 1;
                    model.push(now);
                }
                prop_assert_eq!(taken, if credit < record { waiting } else { expected });
            }
            prop_assert_eq!(passed, model);
        }
    }

    #[test]
    fn a_rate_that_is_none_is_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(RateLimit::<Trade>::new(rate).is_err(), "{rate}");
        }
    }

    #[test]
    fn a_limit_that_nothing_reaches_passes_everything() {
        let limit = RateLimit::new(1e12).unwrap();
        let end = drive(limit, &trades((0..1_000).map(|i| (i, 0))), &[]);
        assert_eq!((end.tally.consumed, end.tally.filtered), (1_000, 0));
    }
}
