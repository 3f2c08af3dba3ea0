use std::fmt;

use thiserror::Error;

/// An option that a stage can't go by.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name}: expected {expected}, got {got}")]
pub struct InvalidOption {
    /// The option.
    pub name: &'static str,
    /// What it may be.
    pub expected: &'static str,
    /// What it was.
    pub got: String,
}

impl InvalidOption {
    pub(crate) fn new(name: &'static str, expected: &'static str, got: impl fmt::Display) -> Self {
        Self { name, expected, got: got.to_string() }
    }
}
