//! Numbers that change while a run goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::stage::ParamChange;

/// So many changes are kept with their places.
const MOST_CHANGES: usize = 1_024;

/// A parameter of a run: set from any thread, read by stages between two batches.
///
/// ```
/// let tilt = velox_engine::pipeline::Param::new("tilt", 0.3);
/// tilt.set(0.5);
/// assert_eq!((tilt.name(), tilt.get()), ("tilt", 0.5));
/// ```
#[derive(Debug, Clone)]
pub struct Param(Arc<(String, AtomicU64)>);

impl Param {
    /// A parameter with its first value.
    pub fn new(name: &str, initial: f64) -> Self {
        Self(Arc::new((name.into(), AtomicU64::new(initial.to_bits()))))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.0
    }

    /// Changes it. Relaxed: a stage sees it at one of its next batches, and orders nothing by it.
    pub fn set(&self, value: f64) {
        self.0.1.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.1.load(Ordering::Relaxed))
    }
}

/// The parameters of one stage, as they are for a batch: they change between two batches only.
pub(crate) struct Params {
    all: Vec<Param>,
    values: Vec<f64>,
    changes: Vec<ParamChange>,
    /// How many records there were so far.
    taken: u64,
}

impl Params {
    pub(crate) fn new(params: Vec<Param>) -> Self {
        let values: Vec<f64> = params.iter().map(Param::get).collect();
        let changes = Vec::with_capacity(if values.is_empty() { 0 } else { MOST_CHANGES });
        Self { all: params, values, changes, taken: 0 }
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
                }
            }
        }
        changed
    }

    /// A batch of so many records was taken.
    pub(crate) fn pass(&mut self, records: usize) {
        self.taken += records as u64;
    }

    /// What has changed so far, and before which of the stage's records.
    pub(crate) fn take_changes(&mut self) -> Vec<ParamChange> {
        std::mem::take(&mut self.changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_between_two_batches_and_kept_with_its_place() {
        let param = Param::new("tilt", 0.3);
        let mut params = Params::new(vec![param.clone()]);
        assert!(!params.look());
        params.pass(10);
        param.set(0.5);
        assert_eq!(params.values(), [0.3]);
        assert!(params.look() && !params.look());
        assert_eq!(params.values(), [0.5]);
        assert_eq!(params.take_changes(), [ParamChange { name: "tilt".into(), value: 0.5, at: 10 }]);
    }
}
