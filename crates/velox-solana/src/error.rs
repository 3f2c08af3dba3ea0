use thiserror::Error;

use crate::template::MOST_BYTES;

/// Why a template was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// The bytes are no message that a template can be made of.
    #[error("message: expected {expected}, got {got}")]
    Message {
        /// What can be.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// A hole that isn't there, or isn't alone there.
    #[error("the hole {hole}: expected {expected}, got {got}")]
    Hole {
        /// Its name.
        hole: String,
        /// What can be.
        expected: String,
        /// What came.
        got: String,
    },
    /// A transaction would be too long.
    #[error(
        "{records} records in one transaction: expected at most {MOST_BYTES} bytes, got {bytes}; {fits} records fit"
    )]
    TooLong {
        /// How many records were to be packed.
        records: usize,
        /// The longest that it can become.
        bytes: usize,
        /// How many fit in any case.
        fits: usize,
    },
    /// Another option.
    #[error("{name}: expected {expected}, got {got}")]
    Option {
        /// Its name.
        name: &'static str,
        /// What can be.
        expected: String,
        /// What came.
        got: String,
    },
}

/// Why nothing was built of these records.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A value that doesn't fit its hole.
    #[error("record {record}, the hole {hole}: expected {expected}, got {got}")]
    Value {
        /// The hole's name.
        hole: String,
        /// Which record, from 0.
        record: usize,
        /// The hole's range.
        expected: String,
        /// The value.
        got: String,
    },
    /// What all transactions have in common, or the tip.
    #[error("{name}: expected {expected}, got {got}")]
    Context {
        /// `tip.lamports`, `tip.account`, `computeUnitPrice` or `records`.
        name: &'static str,
        /// What can be.
        expected: String,
        /// What came.
        got: String,
    },
}
