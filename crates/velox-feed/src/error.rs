use std::ops::Deref;

use thiserror::Error;

use crate::feed::Venue;

/// Why a source can't be opened or can't go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FeedError {
    /// There is no such file.
    #[error("{path}: expected a file of recorded messages, found nothing")]
    NotFound {
        /// As it was given.
        path: String,
    },
    /// The operating system refuses: a folder, no permission, a broken disk.
    #[error("{path}: expected a readable file, got: {reason}")]
    Io {
        /// As it was given.
        path: String,
        /// What the operating system said.
        reason: String,
    },
    /// The content is not what the format says.
    #[error("{path}, line {line}: expected {expected}, got {got}")]
    Corrupt {
        /// As it was given.
        path: String,
        /// From 1; of a `.velox` file the record that could not be read.
        line: u64,
        /// What should have been there; names the field where it is one.
        expected: String,
        /// What was there, at most 80 characters of it.
        got: String,
    },
    /// A message, or a snapshot, that is not what the venue's documentation says.
    #[error("a message of {venue}: expected {expected}, got {got}")]
    Message {
        /// The name of the venue.
        venue: &'static str,
        /// What should have been there; names the field where it is one.
        expected: String,
        /// What was there, at most 80 characters of it.
        got: String,
    },
    /// A symbol that the file or the feed doesn't speak of.
    #[error("unknown symbol: expected one of {}, got {symbol}", known.join(", "))]
    UnknownSymbol {
        /// What was asked for.
        symbol: String,
        /// The symbols there are.
        known: Vec<String>,
    },
    /// A format that no decoder reads.
    #[error("unknown format: expected one of {}, got {format}", known.join(", "))]
    UnknownFormat {
        /// What was asked for.
        format: String,
        /// The formats there are.
        known: Vec<String>,
    },
    /// An option out of its range.
    #[error("{field}: expected {expected}, got {got}")]
    InvalidValue {
        /// The option.
        field: &'static str,
        /// Its range.
        expected: String,
        /// What was given.
        got: String,
    },
}

impl FeedError {
    /// Whether the venue said that it won't do what it was asked for: a symbol that it doesn't have.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Message { expected, .. } if expected == ACCEPTED)
    }

    /// The stable code of the error, the same in both languages.
    ///
    /// ```
    /// use velox_feed::{FeedError, Replay, ReplayOptions};
    /// let error = Replay::open("no-such-day.gz", ReplayOptions::default()).err().unwrap();
    /// assert_eq!(error.code(), "VELOX_FILE_NOT_FOUND");
    /// ```
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "VELOX_FILE_NOT_FOUND",
            Self::Io { .. } => "VELOX_FILE_UNREADABLE",
            Self::Corrupt { .. } => "VELOX_CORRUPT_DATA",
            Self::Message { .. } => "VELOX_BAD_MESSAGE",
            Self::UnknownSymbol { .. } => "VELOX_UNKNOWN_SYMBOL",
            Self::UnknownFormat { .. } => "VELOX_UNKNOWN_FORMAT",
            Self::InvalidValue { .. } => "VELOX_INVALID_VALUE",
        }
    }
}

/// What a request should have been, where the venue says that it is not.
pub(crate) const ACCEPTED: &str = "an accepted request";

/// What is wrong with a message, before anybody says where it stands. Boxed, so that what goes well fits two registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault(Box<Wrong>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) expected: String,
    pub(crate) got: String,
}

impl Deref for Fault {
    type Target = Wrong;

    fn deref(&self) -> &Wrong {
        &self.0
    }
}

impl Fault {
    #[cold]
    pub(crate) fn new(expected: impl Into<String>, got: impl AsRef<[u8]>) -> Self {
        Self(Box::new(Wrong { expected: expected.into(), got: shorten(got.as_ref()) }))
    }

    pub(crate) fn of(self, venue: Venue) -> FeedError {
        let Wrong { expected, got } = *self.0;
        FeedError::Message { venue: venue.name(), expected, got }
    }

    pub(crate) fn at(self, path: &str, line: u64) -> FeedError {
        let Wrong { expected, got } = *self.0;
        FeedError::Corrupt { path: path.to_owned(), line, expected, got }
    }
}

/// At most 80 characters of a text, on one line.
fn shorten(text: &[u8]) -> String {
    const MOST: usize = 80;
    // A character is at most 4 bytes, so this prefix holds the 80 that may be kept and one that shows there are more.
    let prefix = &text[..text.len().min(4 * (MOST + 1))];
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut kept: Vec<char> = String::from_utf8_lossy(prefix).chars().map(clean).take(MOST + 1).collect();
    if kept.len() > MOST {
        kept.truncate(MOST - 1);
        kept.push('…');
    }
    kept.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_to_eighty_characters_of_one_line() {
        assert_eq!(shorten(b"a\nb"), "a\u{fffd}b");
        assert_eq!(shorten("é".repeat(80).as_bytes()), "é".repeat(80));
        let cut = shorten("é".repeat(81).as_bytes());
        assert!(cut.chars().count() == 80 && cut.ends_with('…'));
    }
}
