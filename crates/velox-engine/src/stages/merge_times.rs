use velox_expr::{BATCH, ExprError, Type};

use super::evaluate::Evaluator;
use crate::pipeline::{Flow, Times};

/// The times that a merge goes by, from an expression that gives whole numbers.
///
/// # Errors
/// [`ExprError::TypeMismatch`]: another type.
pub fn times<T: Flow>(by: Evaluator<T>) -> Result<Times<T>, ExprError> {
    let Evaluator { mut plan, mut seen } = by;
    let is_signed = match plan.kind() {
        Type::I64 => true,
        Type::U64 => false,
        other => {
            let (expected, got) = ("a time, a whole number".into(), format!("a value of type {other}"));
            return Err(ExprError::TypeMismatch { op: "merge".into(), expected, got });
        }
    };
    let (mut signed, mut unsigned) = ([0i64; BATCH], [0u64; BATCH]);
    Ok(Box::new(move |records, times, tally| {
        seen.look(records.len(), &mut plan);
        let count = records.len();
        let failures = if is_signed {
            let failures = plan.i64(records, seen.values(), &mut signed);
            for (time, value) in times.iter_mut().zip(&signed[..count]) {
                *time = Some(i128::from(*value));
            }
            failures
        } else {
            let failures = plan.u64(records, seen.values(), &mut unsigned);
            for (time, value) in times.iter_mut().zip(&unsigned[..count]) {
                *time = Some(i128::from(*value));
            }
            failures
        };
        for (at, time) in times.iter_mut().enumerate() {
            if failures.absent(at) {
                tally.refuse(|| "VELOX_INVALID_VALUE: expected a record with a time, got one without".into());
            }
            if failures.absent(at) || failures.failed(at) {
                *time = None;
            }
        }
        if let Some((_, failure)) = failures.first() {
            tally.refuse(|| format!("VELOX_INVALID_VALUE: {failure}"));
            tally.errors += failures.count() as u64 - 1;
        }
    }))
}
