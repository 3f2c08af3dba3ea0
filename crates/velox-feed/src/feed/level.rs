//! A level of a message, and its decimals in the instrument's steps.

use velox_record::{DecimalError, Step};

use crate::error::Fault;
use crate::json::Value;

/// Price and quantity of `["61800.20","2.909"]`; other things may follow the two.
pub(super) fn pair<'d>(level: Value<'d>, field: &str) -> Result<[&'d [u8]; 2], Fault> {
    let mut items = level.items();
    let mut text = || items.as_mut()?.next()?.as_text();
    match (text(), text()) {
        (Some(price), Some(qty)) => Ok([price, qty]),
        _ => Err(Fault::new(format!("field `{field}`: a level like [\"61800.20\",\"2.909\"]"), level.describe())),
    }
}

/// A decimal of a message in steps, at least `least`.
pub(super) fn steps(step: Step, text: &[u8], least: i64, field: &str) -> Result<i64, Fault> {
    match step.count(text) {
        Ok(steps) if steps >= least => Ok(steps),
        Ok(_) => Err(Fault::new(format!("field `{field}`: at least {}", step.format(least)), text)),
        Err(error) => {
            let expected = match error {
                DecimalError::TooFine { step, .. } => format!("a multiple of {step}"),
                DecimalError::TooLarge { step, .. } => format!("at most 2^63 - 1 steps of {step}"),
                _ => "a decimal like 61800.30".to_owned(),
            };
            Err(Fault::new(format!("field `{field}`: {expected}"), text))
        }
    }
}
