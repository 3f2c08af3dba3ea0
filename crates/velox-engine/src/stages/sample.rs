use std::marker::PhantomData;

use super::option::InvalidOption;
use crate::pipeline::{Batch, EngineError, Flow, Input, Pipeline, Stage, Tally};

/// Passes one record of every `n` on, the first of them; the others are filtered.
#[derive(Debug)]
pub struct SampleEvery<T> {
    n: u64,
    /// How many to leave out before the next that passes. Range: 0 .. n.
    skip: u64,
    of: PhantomData<fn(T)>,
}

impl<T> SampleEvery<T> {
    /// One of every `n` records; 1 passes all.
    ///
    /// # Errors
    /// [`InvalidOption`]: `n` is 0.
    ///
    /// ```
    /// use velox_engine::{Trade, stages::SampleEvery};
    /// assert!(SampleEvery::<Trade>::new(10).is_ok());
    /// assert_eq!(SampleEvery::<Trade>::new(0).unwrap_err().to_string(), "n: expected at least 1, got 0");
    /// ```
    pub fn new(n: u64) -> Result<Self, InvalidOption> {
        if n == 0 {
            return Err(InvalidOption::new("n", "at least 1", n));
        }
        Ok(Self { n, skip: 0, of: PhantomData })
    }
}

impl<T: Flow> Stage for SampleEvery<T> {
    type In = T;
    type Out = T;

    fn poll(&mut self, input: &mut Input<'_, T>, out: &mut Batch<T>, tally: &mut Tally) -> Result<(), EngineError> {
        while out.room() > 0 {
            let skipped = self.skip.min(input.records().len() as u64);
            input.advance(skipped as usize);
            tally.filtered += skipped;
            self.skip -= skipped;
            let Some((record, stamp)) = input.next() else { break };
            out.push(record, stamp);
            tally.consumed += 1;
            self.skip = self.n - 1;
        }
        Ok(())
    }
}

impl<T: Flow> Pipeline<T> {
    /// Goes on with one record of every `n`, the first of them.
    ///
    /// # Errors
    /// As [`SampleEvery::new`].
    pub fn sample_every(self, name: &str, n: u64) -> Result<Self, InvalidOption> {
        Ok(self.stage(name, SampleEvery::new(n)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stages::harness::{cuts, drive, trades};

    proptest! {
        #[test]
        fn one_of_every_n_passes_however_batches_are_cut(n in 1u64..400, count in 0u64..1_500, cuts in cuts()) {
            let records = trades((0..count).map(|i| (i, 0)));
            let end = drive(SampleEvery::new(n).unwrap(), &records, &cuts);
            let expected: Vec<_> = records.iter().copied().step_by(n as usize).collect();
            prop_assert_eq!(end.tally.consumed, expected.len() as u64);
            prop_assert_eq!(end.tally.filtered, count - expected.len() as u64);
            prop_assert_eq!(end.given, expected);
        }
    }
}
