use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::FeedError;
use crate::error::Fault;

/// The longest line that is read, in bytes: 16 MiB.
pub const MAX_LINE: usize = 16 << 20;

/// What some editors put in front of UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// How much is read and inflated at a time, in bytes.
const CHUNK: usize = 64 << 10;

/// The lines of a file, plain or gzip (recognised by its first two bytes, RFC 1952; several members in a row are one
/// text).
///
/// Memory is constant: one buffer as long as the longest line so far, at most 16 MiB; nothing is allocated per line.
pub struct LineReader {
    path: String,
    text: Box<dyn BufRead + Send>,
    gzip: bool,
    line: Vec<u8>,
    number: u64,
    /// Whether the line that was read last has no line end.
    torn: bool,
    /// An error is the end: what an inflater does after one is not defined, so the error is repeated.
    failed: Option<FeedError>,
}

impl LineReader {
    /// Opens a file.
    ///
    /// # Errors
    /// [`FeedError::NotFound`], [`FeedError::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FeedError> {
        let (name, file) = open_file(path.as_ref())?;
        Self::from_reader(name, file)
    }

    /// Reads lines from anywhere else; `path` is the name that errors carry.
    ///
    /// # Errors
    /// [`FeedError::Io`] when the first two bytes can't be read.
    ///
    /// ```
    /// use velox_feed::LineReader;
    /// let mut lines = LineReader::from_reader("memory", &b"one\ntwo"[..]).unwrap();
    /// assert_eq!(lines.next_line().unwrap(), Some(&b"one"[..]));
    /// assert_eq!(lines.next_line().unwrap(), Some(&b"two"[..]));
    /// assert_eq!(lines.next_line().unwrap(), None);
    /// assert_eq!(lines.number(), 2);
    /// ```
    pub fn from_reader(path: impl Into<String>, mut reader: impl Read + Send + 'static) -> Result<Self, FeedError> {
        let path = path.into();
        let mut magic = Vec::with_capacity(2);
        reader
            .by_ref()
            .take(2)
            .read_to_end(&mut magic)
            .map_err(|error| FeedError::Io { path: path.clone(), reason: error.to_string() })?;
        let gzip = magic == [0x1f, 0x8b];
        let bytes = BufReader::with_capacity(CHUNK, Cursor::new(magic).chain(reader));
        let text: Box<dyn BufRead + Send> =
            if gzip { Box::new(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(bytes))) } else { Box::new(bytes) };
        Ok(Self { path, text, gzip, line: Vec::new(), number: 0, torn: false, failed: None })
    }

    /// The next line without its line end (`\n` or `\r\n`); `None` at the end.
    ///
    /// # Errors
    /// [`FeedError::Corrupt`] for a gzip stream that is cut off or damaged and for a line over 16 MiB,
    /// [`FeedError::Io`] when reading fails. Every later call gives the same error again.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, FeedError> {
        Ok(self.advance()?.then_some(&self.line))
    }

    /// Reads the next line, which is then [`Self::line`]; whether there was one.
    pub(crate) fn advance(&mut self) -> Result<bool, FeedError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.fill().map_err(|error| self.failed.insert(error).clone())
    }

    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    /// The number of the line that was read last, from 1; 0 before the first.
    pub fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn is_torn(&self) -> bool {
        self.torn
    }

    /// The name that errors carry.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn fill(&mut self) -> Result<bool, FeedError> {
        self.line.clear();
        // One byte more than a line may have, and its line end: so a line that is too long is seen.
        let most = MAX_LINE as u64 + 2;
        if let Err(error) = (&mut self.text).take(most).read_until(b'\n', &mut self.line) {
            return Err(self.refused(&error));
        }
        if self.line.is_empty() {
            return Ok(false);
        }
        self.number += 1;
        self.torn = self.line.last() != Some(&b'\n');
        if !self.torn {
            self.line.pop();
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
        }
        if self.number == 1 && self.line.starts_with(BOM) {
            self.line.drain(..BOM.len());
        }
        if self.line.len() > MAX_LINE {
            return Err(Fault::new("a line of at most 16 MiB", &self.line).at(&self.path, self.number));
        }
        Ok(true)
    }

    /// The inflater reports damage as an I/O error of these kinds; a file system doesn't.
    fn refused(&self, error: &io::Error) -> FeedError {
        let damaged =
            matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput);
        if self.gzip && damaged {
            return Fault::new("a whole, undamaged gzip file", error.to_string()).at(&self.path, self.number + 1);
        }
        FeedError::Io { path: self.path.clone(), reason: error.to_string() }
    }
}

/// A file and the name that errors carry.
pub(crate) fn open_file(path: &Path) -> Result<(String, File), FeedError> {
    let name = path.display().to_string();
    // A pipe can be read once only, and opening one may wait for ever.
    if let Ok(found) = fs::metadata(path)
        && !found.is_file()
    {
        let reason = if found.is_dir() { "a folder" } else { "a pipe or a device, which can't be read twice" };
        return Err(FeedError::Io { path: name, reason: reason.into() });
    }
    match File::open(path) {
        Ok(file) => Ok((name, file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(FeedError::NotFound { path: name }),
        Err(error) => Err(FeedError::Io { path: name, reason: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn all(bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, FeedError> {
        let mut lines = LineReader::from_reader("memory", Cursor::new(bytes))?;
        let mut read = Vec::new();
        while let Some(line) = lines.next_line()? {
            read.push(line.to_vec());
        }
        assert_eq!(lines.number(), read.len() as u64);
        Ok(read)
    }

    #[test]
    fn plain_and_gzip_and_several_members_read_alike() {
        let expected = vec![b"a".to_vec(), b"".to_vec(), b"b".to_vec()];
        assert_eq!(all(b"a\r\n\nb".to_vec()).unwrap(), expected);
        assert_eq!(all(gzip(b"a\n\nb\n")).unwrap(), expected);
        // The members meet in the middle of a line, and of a chunk.
        assert_eq!(all([gzip(b"a\n"), gzip(b"\nb")].concat()).unwrap(), expected);
        assert_eq!(all(Vec::new()).unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(all(b"\x1f".to_vec()).unwrap(), [b"\x1f"]);
    }

    #[test]
    fn a_damaged_gzip_names_the_line_it_broke_in_and_stays_broken() {
        let whole = gzip(b"one\ntwo\nthree\n");
        for bytes in [&whole[..whole.len() - 9], &whole[..2], &[&whole[..], b"tail"].concat()] {
            let mut lines = LineReader::from_reader("day.gz", Cursor::new(bytes.to_vec())).unwrap();
            let error = loop {
                match lines.next_line() {
                    Ok(line) => assert!(line.is_some(), "the damage was not seen"),
                    Err(error) => break error,
                }
            };
            assert!(matches!(&error, FeedError::Corrupt { path, line: 1..=4, .. } if path == "day.gz"), "{error}");
            assert_eq!(lines.next_line(), Err(error));
        }
    }

    #[test]
    fn a_line_over_the_limit_is_refused_and_one_at_it_is_read() {
        let mut text = vec![b'x'; MAX_LINE];
        text.extend_from_slice(b"\r\nshort");
        assert_eq!(all(text.clone()).unwrap()[1], b"short");
        text.insert(0, b'x');
        let error = all(text).unwrap_err();
        assert!(matches!(error, FeedError::Corrupt { line: 1, .. }), "{error}");
    }

    #[test]
    fn a_folder_can_not_be_read_and_a_missing_file_not_be_found() {
        assert!(matches!(LineReader::open(env!("CARGO_MANIFEST_DIR")), Err(FeedError::Io { .. })));
        assert!(matches!(LineReader::open("no/such/file"), Err(FeedError::NotFound { .. })));
    }
}
