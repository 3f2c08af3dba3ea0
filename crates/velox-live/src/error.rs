use thiserror::Error;
use velox_feed::FeedError;

/// Why a live market can't start, or can't go on. What may pass (a cut connection, a server that is busy) is no error:
/// it is tried again, and [`LiveStats`](crate::LiveStats) shows it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LiveError {
    /// A URL that can't be.
    #[error("{field}: expected {expected}, got {got}")]
    InvalidUrl {
        /// Which.
        field: &'static str,
        /// What could be.
        expected: &'static str,
        /// What was given.
        got: String,
    },
    /// The certificates that this system trusts can't be read, or there are none.
    #[error("trusted certificates: expected at least one from the system or from SSL_CERT_FILE, got {reason}")]
    NoTrust {
        /// Why not.
        reason: String,
    },
    /// The server's certificate is not one that this system trusts.
    #[error("{host}: expected a certificate that this system trusts, got {reason}")]
    Untrusted {
        /// Whose.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server understood and said no.
    #[error("{url}: expected to be served, got HTTP status {status}: {reason}")]
    Refused {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of what the server says.
        reason: String,
    },
    /// The venue's decoder: a market that it can't have, or one that the venue refuses.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// A recording that can't be written.
    #[error("{path}: expected a file that can be written, got: {reason}")]
    Unwritable {
        /// As it was given.
        path: String,
        /// What the operating system said.
        reason: String,
    },
    /// The operating system gave no thread.
    #[error("expected a thread for the connection, got {reason}")]
    Thread {
        /// The system's own words.
        reason: String,
    },
    /// A panic on the connection's thread.
    #[error("the connection's thread panicked: {0}")]
    Panic(String),
}

impl LiveError {
    /// The stable code of the error, the same in both languages.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidUrl { .. } => "VELOX_INVALID_VALUE",
            Self::NoTrust { .. } | Self::Untrusted { .. } => "VELOX_TLS_UNTRUSTED",
            Self::Refused { .. } => "VELOX_LIVE_REFUSED",
            Self::Feed(error) => error.code(),
            Self::Unwritable { .. } => "VELOX_FILE_UNWRITABLE",
            Self::Thread { .. } => "VELOX_PLACEMENT_INVALID",
            Self::Panic(_) => "VELOX_NATIVE_PANIC",
        }
    }
}
