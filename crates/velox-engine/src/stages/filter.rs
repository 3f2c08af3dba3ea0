use velox_expr::{BATCH, Expr, ExprError, Plan, Scales, Table, Type};

use crate::pipeline::{Batch, EngineError, Flow, Input, Pipeline, Stage, Tally};

/// Passes records on for which an expression holds. A record for which it has no answer (a number beyond its type, a
/// division by 0) is an error, counted.
pub struct Filter<T: 'static> {
    plan: Plan<T>,
    keep: Vec<u16>,
}

impl<T: Table> Filter<T> {
    /// Plans the expression. `scales` say what decimal text counts in.
    ///
    /// # Errors
    /// [`ExprError`]: an unknown field, an operand of a wrong type, an expression that is no condition.
    pub fn new(expr: &Expr, scales: &Scales) -> Result<Self, ExprError> {
        let plan = Plan::new(expr, scales, 0)?;
        if *plan.kind() != Type::Bool {
            let (expected, got) = ("a condition".into(), format!("a value of type {}", plan.kind()));
            return Err(ExprError::TypeMismatch { op: "filter".into(), expected, got });
        }
        Ok(Self { plan, keep: Vec::with_capacity(BATCH) })
    }
}

impl<T: Flow + Table> Stage for Filter<T> {
    type In = T;
    type Out = T;

    fn poll(&mut self, input: &mut Input<'_, T>, out: &mut Batch<T>, tally: &mut Tally) -> Result<(), EngineError> {
        let count = input.records().len().min(out.room()).min(BATCH);
        if count == 0 {
            return Ok(());
        }
        let (rows, stamps) = (&input.records()[..count], &input.stamps()[..count]);
        self.keep.clear();
        let failures = self.plan.filter(rows, &[], &mut self.keep);
        for i in &self.keep {
            let i = usize::from(*i);
            out.push(rows[i], stamps[i]);
        }
        let (kept, failed) = (self.keep.len() as u64, failures.count() as u64);
        if let Some((row, failure)) = failures.first() {
            tally.refuse(|| format!("VELOX_INVALID_VALUE: {failure} (record {row} of its batch)"));
            tally.errors += failed - 1;
        }
        tally.consumed += kept;
        tally.filtered += count as u64 - kept - failed;
        input.advance(count);
        Ok(())
    }
}

impl<T: Flow + Table> Pipeline<T> {
    /// Goes on with the records for which the expression holds.
    ///
    /// # Errors
    /// As [`Filter::new`].
    pub fn filter(self, name: &str, expr: &Expr, scales: &Scales) -> Result<Self, ExprError> {
        Ok(self.stage(name, Filter::new(expr, scales)?))
    }
}
