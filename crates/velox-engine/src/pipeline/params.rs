//! Numbers that change while a run goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
