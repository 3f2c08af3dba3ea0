//! Why a file of metrics can't be read.

use std::path::PathBuf;

use thiserror::Error;

/// Why a file of metrics is no running engine's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AttachError {
    /// The system refuses it.
    #[error("expected to read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It is none of the engine's, or belongs to another user.
    #[error("expected a file of metrics in {}, got {got}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        got: String,
    },
    /// Another version of the engine made it.
    #[error("expected version {expected} of the layout in {}, got {got}", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The one that this engine reads.
        expected: u64,
        /// The one that it has.
        got: u64,
    },
    /// Its words contradict each other, or it was cut.
    #[error("expected {expected} in {}, got {got}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The run is over.
    #[error("the run of process {pid} in {} has ended", path.display())]
    Ended {
        /// The file.
        path: PathBuf,
        /// The process.
        pid: u32,
    },
    /// Its process is gone, and did not end the run.
    #[error("process {pid} of {} is gone", path.display())]
    Stale {
        /// The file.
        path: PathBuf,
        /// The process.
        pid: u32,
    },
}
