//! Numbers that change while a run goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use velox_expr::{ExprError, ParamRule};

use super::stage::ParamChange;

/// So many changes are kept with their places.
const MOST_CHANGES: usize = 1_024;

/// A parameter of a run: set from any thread, read by stages between two batches.
///
/// ```
/// let tilt = velox_engine::pipeline::Param::new("tilt", 0.3);
/// tilt.set(0.5)?;
/// assert_eq!((tilt.name(), tilt.get()), ("tilt", 0.5));
/// # Ok::<(), velox_engine::expr::ExprError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Param(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: String,
    /// The bits of an f64.
    value: AtomicU64,
    /// The bits of a [`ParamRule`]: what the expressions that it is in ask of it.
    rule: AtomicU8,
}

impl Param {
    /// A parameter with its first value.
    pub fn new(name: &str, initial: f64) -> Self {
        let (value, rule) = (AtomicU64::new(initial.to_bits()), AtomicU8::new(ParamRule::default().bits()));
        Self(Arc::new(Shared { name: name.into(), value, rule }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// An expression that it is in asks this of it.
    pub(crate) fn restrict(&self, rule: ParamRule) {
        self.0.rule.fetch_or(rule.bits(), Ordering::Relaxed);
    }

    /// Changes it. Relaxed: a stage sees it at one of its next batches, and orders nothing by it.
    ///
    /// # Errors
    /// [`ExprError::InvalidValue`]: what a start would refuse, such as a fraction beside integers. It keeps its value.
    pub fn set(&self, value: f64) -> Result<(), ExprError> {
        let rule = ParamRule::from_bits(self.0.rule.load(Ordering::Relaxed));
        rule.check(&format!("params.{}", self.name()), value)?;
        self.0.value.store(value.to_bits(), Ordering::Relaxed);
        Ok(())
    }

    /// Its value.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.value.load(Ordering::Relaxed))
    }
}

/// The parameters of one stage, as they are for a batch: they change between two batches only.
pub(crate) struct Params {
    all: Vec<Param>,
    values: Vec<f64>,
    changes: Vec<ParamChange>,
    /// How many there were beyond those.
    more_changes: u64,
    /// How many records there were so far.
    taken: u64,
}

impl Params {
    pub(crate) fn new(params: Vec<Param>) -> Self {
        let values: Vec<f64> = params.iter().map(Param::get).collect();
        let changes = Vec::with_capacity(if values.is_empty() { 0 } else { MOST_CHANGES });
        Self { all: params, values, changes, more_changes: 0, taken: 0 }
    }

    /// Their values for the batch.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Looks again; says whether any has changed.
    pub(crate) fn look(&mut self) -> bool {
        let mut changed = false;
        for (param, value) in self.all.iter().zip(&mut self.values) {
            let now = param.get();
            if now.to_bits() != value.to_bits() {
                (*value, changed) = (now, true);
                if self.changes.len() < self.changes.capacity() {
                    self.changes.push(ParamChange { name: param.name().into(), value: now, at: self.taken });
                } else {
                    self.more_changes += 1;
                }
            }
        }
        changed
    }

    /// A batch of so many records was taken.
    pub(crate) fn pass(&mut self, records: usize) {
        self.taken += records as u64;
    }

    /// What has changed so far, and before which of the stage's records; and how many more changes there were.
    pub(crate) fn take_changes(&mut self) -> (Vec<ParamChange>, u64) {
        (std::mem::take(&mut self.changes), std::mem::take(&mut self.more_changes))
    }
}

#[cfg(test)]
mod tests {
    use velox_expr::{Columns, Scales};
    use velox_record::Trade;

    use super::*;
    use crate::stages::{Evaluator, Surroundings};

    #[test]
    fn a_change_is_seen_between_two_batches_and_kept_with_its_place() {
        let param = Param::new("tilt", 0.3);
        let mut params = Params::new(vec![param.clone()]);
        assert!(!params.look());
        params.pass(10);
        param.set(0.5).unwrap();
        assert_eq!(params.values(), [0.3]);
        assert!(params.look() && !params.look());
        assert_eq!(params.values(), [0.5]);
        assert_eq!(params.take_changes(), (vec![ParamChange { name: "tilt".into(), value: 0.5, at: 10 }], 0));
    }

    #[test]
    fn changes_beyond_those_that_are_kept_are_counted() {
        let param = Param::new("tilt", 0.0);
        let mut params = Params::new(vec![param.clone()]);
        for value in 1..=1_025 {
            param.set(f64::from(value)).unwrap();
            assert!(params.look());
            params.pass(1);
        }
        let (kept, more) = params.take_changes();
        assert_eq!((kept.len(), more), (1_024, 1));
        assert_eq!((kept[1_023].value.to_bits(), kept[1_023].at), (1_024_f64.to_bits(), 1_023));
        assert_eq!(params.values(), [1_025.0]);
    }

    #[test]
    fn a_value_that_an_expression_can_not_take_is_refused_and_changes_nothing() {
        let least = Param::new("least", 3.0);
        assert!(least.set(3.5).is_ok(), "no expression asks anything of it yet");
        let expr = serde_json::from_str(
            r#"{"op":"gt","of":[{"op":"add","of":[{"op":"column","name":"id"},{"op":"param","index":0}]},{"op":"i64","value":3}]}"#,
        );
        let surroundings = Surroundings { params: vec![least.clone()], ..Surroundings::default() };
        let plan = || {
            Evaluator::<Trade>::new(
                &Columns::native(),
                expr.as_ref().unwrap(),
                &Scales::default(),
                surroundings.clone(),
            )
        };
        let refused = plan().err().unwrap().to_string();
        assert!(refused.contains("expected a whole number, as it meets integers"), "{refused}");
        least.set(3.0).unwrap();
        plan().unwrap();
        let told = least.set(4.5).unwrap_err().to_string();
        assert_eq!(told, refused.replace("param:", "params.least:").replace("3.5", "4.5"));
        assert!(least.set(-1.0).unwrap_err().to_string().contains("a whole number of 0 to 2^64 - 1"));
        assert_eq!(least.get().to_bits(), 3.0_f64.to_bits());
    }
}
