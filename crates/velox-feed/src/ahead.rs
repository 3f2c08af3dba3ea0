//! The lines of a file, of which the first were read ahead to learn what it is.

use crate::{FeedError, LineReader};

/// How much is read ahead, at most, in lines and in bytes.
const HEAD_LINES: usize = 4_096;
const HEAD_BYTES: usize = 4 << 20;

/// A line without its end.
pub(crate) struct Line<'l> {
    pub(crate) text: &'l [u8],
    /// From 1.
    pub(crate) number: u64,
    /// Whether it had no end: the last one, and maybe only a part of it.
    pub(crate) is_torn: bool,
}

pub(crate) struct AheadLines {
    head: Head,
    lines: LineReader,
}

/// The lines that were read ahead.
#[derive(Default)]
struct Head {
    text: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
    next: usize,
    /// What came instead of a further line.
    error: Option<FeedError>,
}

impl Head {
    fn read(lines: &mut LineReader) -> Self {
        let mut head = Self::default();
        while head.ends.len() < HEAD_LINES && head.text.len() < HEAD_BYTES {
            match lines.next_line() {
                Ok(Some(line)) => {
                    head.text.extend_from_slice(line);
                    head.ends.push(head.text.len());
                }
                Ok(None) => break,
                Err(error) => {
                    head.error = Some(error);
                    break;
                }
            }
        }
        head
    }

    fn line(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.ends.get(index).map(|&end| &self.text[start..end])
    }
}

impl AheadLines {
    pub(crate) fn new(mut lines: LineReader) -> Self {
        Self { head: Head::read(&mut lines), lines }
    }

    /// The lines that were read ahead.
    pub(crate) fn ahead(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.head.ends.len()).filter_map(|index| self.head.line(index))
    }

    /// What came instead of a further line.
    pub(crate) fn error_ahead(&self) -> Option<&FeedError> {
        self.head.error.as_ref()
    }

    pub(crate) fn path(&self) -> &str {
        self.lines.path()
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// [`FeedError`] when it can't be read; every later call gives the same error again.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, FeedError> {
        let ahead = self.head.next;
        if ahead < self.head.ends.len() {
            self.head.next += 1;
            let is_torn = self.lines.is_torn() && self.head.next == self.head.ends.len();
            return Ok(self.head.line(ahead).map(|text| Line { text, number: ahead as u64 + 1, is_torn }));
        }
        if let Some(error) = &self.head.error {
            return Err(error.clone());
        }
        if ahead > 0 {
            self.head = Head::default();
        }
        Ok(self.lines.advance()?.then(|| Line {
            text: self.lines.line(),
            number: self.lines.number(),
            is_torn: self.lines.is_torn(),
        }))
    }
}
