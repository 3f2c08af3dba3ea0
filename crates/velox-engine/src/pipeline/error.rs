//! Why a pipeline can't start, and why a run ended early.

use thiserror::Error;
use velox_book::BookError;
use velox_feed::FeedError;
use velox_live::LiveError;
use velox_record::InvalidRecord;
use velox_ring::ForeignError;

/// What a stage can fail of.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EngineError {
    /// The data.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// A live market.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// A ring that a script shares.
    #[error(transparent)]
    Ring(#[from] ForeignError),
    /// Words that a script wrote and that form no record.
    #[error(transparent)]
    Record(#[from] InvalidRecord),
    /// What a script's stage threw.
    #[error("{0}")]
    Script(String),
    /// A book.
    #[error(transparent)]
    Book(#[from] BookError),
    /// A file that can't be written.
    #[error("{path}: expected a file that can be written, got: {reason}")]
    File {
        /// As it was given.
        path: String,
        /// What the operating system said.
        reason: String,
    },
    /// A panic in the stage, caught at its border.
    #[error("panicked: {0}")]
    Panic(String),
    /// What a stage of the user's own says.
    #[error("{0}")]
    Stage(String),
}

/// Why a pipeline was refused before anything ran.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum StartError {
    /// The threads asked for can't be had.
    #[error("expected {expected}, got {got}")]
    Placement {
        /// What could be.
        expected: String,
        /// What was asked for.
        got: String,
    },
    /// What was declared can't run.
    #[error("{field}: expected {expected}, got {got}")]
    Declared {
        /// What it is about.
        field: &'static str,
        /// What could be.
        expected: String,
        /// What was declared.
        got: String,
    },
    /// A book that another writer holds, a ring side that another handle holds.
    #[error(transparent)]
    Stage(#[from] EngineError),
    /// The operating system gave no thread.
    #[error("expected a thread for {stages}, got {reason}")]
    Thread {
        /// What should have run there.
        stages: String,
        /// The system's own words.
        reason: String,
    },
}
