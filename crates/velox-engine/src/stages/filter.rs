use velox_expr::{BATCH, Columns, Expr, ExprError, Scales, Table};

use super::evaluate::{Evaluator, Surroundings, refuse};
use crate::pipeline::{Batch, Choose, EngineError, Flow, Input, Notes, Pipeline, Route, Stage, Tally, Way};

/// Passes records on for which an expression holds. A record for which it has no answer (a number beyond its type, a
/// division by 0) is an error, counted.
pub struct Filter<T: 'static> {
    condition: Evaluator<T>,
    keep: Vec<u16>,
}

impl<T: Flow> Filter<T> {
    /// By a condition that is made by [`Evaluator::condition`].
    pub fn new(condition: Evaluator<T>) -> Self {
        Self { condition, keep: Vec::with_capacity(BATCH) }
    }
}

impl<T: Flow> Stage for Filter<T> {
    type In = T;
    type Out = T;

    fn poll(&mut self, input: &mut Input<'_, T>, out: &mut Batch<T>, tally: &mut Tally) -> Result<(), EngineError> {
        let count = input.records().len().min(out.room()).min(BATCH);
        if count == 0 {
            return Ok(());
        }
        let (rows, stamps) = (&input.records()[..count], &input.stamps()[..count]);
        self.keep.clear();
        let failures = self.condition.filter(rows, &mut self.keep);
        for i in &self.keep {
            let i = usize::from(*i);
            out.push(rows[i], stamps[i]);
        }
        let (kept, failed) = (self.keep.len() as u64, failures.count() as u64);
        refuse(tally, &failures);
        tally.consumed += kept;
        tally.filtered += count as u64 - kept - failed;
        input.advance(count);
        Ok(())
    }

    fn notes(&mut self) -> Notes {
        self.condition.seen.notes()
    }
}

/// The route of a split: records for which the condition holds go to the first port, the others to the second. Those
/// for which it has no answer are refused.
pub fn route<T: Flow>(mut condition: Evaluator<T>) -> Route<T> {
    let mut keep = Vec::with_capacity(BATCH);
    let choose: Choose<T> = Box::new(move |records, ways, tally| {
        keep.clear();
        let failures = condition.filter(records, &mut keep);
        ways.fill(Way::Second);
        for at in &keep {
            ways[usize::from(*at)] = Way::First;
        }
        if failures.count() > 0 {
            for (at, way) in ways.iter_mut().enumerate().filter(|(at, _)| failures.failed(*at)) {
                debug_assert!(*way == Way::Second, "a record that failed passes nothing: {at}");
                *way = Way::Refused;
            }
            refuse(tally, &failures);
        }
    });
    Route::Chosen(choose)
}

impl<T: Flow + Table> Pipeline<T> {
    /// Goes on with the records for which the expression holds.
    ///
    /// # Errors
    /// [`ExprError`]: an unknown field, an operand of a wrong type, an expression that is no condition.
    pub fn filter(self, name: &str, expr: &Expr, scales: &Scales) -> Result<Self, ExprError> {
        let columns = Columns::native();
        let condition = Evaluator::condition("filter", &columns, expr, scales, Surroundings::default())?;
        Ok(self.stage(name, Filter::new(condition)))
    }
}
