//! Why a connection is over.

use std::time::Duration;

use crate::LiveError;
use crate::dial::DialError;

pub(crate) enum End {
    Stopped,
    /// Another one may do better, after this.
    Broken(String, Option<Duration>),
    /// The pipeline is too far behind.
    Behind,
    Final(LiveError),
}

impl From<DialError> for End {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Passing { reason, after } => Self::Broken(reason, after),
            DialError::Final(error) => Self::Final(error),
            DialError::Stopped => Self::Stopped,
        }
    }
}

impl From<String> for End {
    fn from(reason: String) -> Self {
        Self::Broken(reason, None)
    }
}
