//! Files as they were before they were packed.

use std::fmt;
use std::io::{self, BufRead, BufReader, Chain, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;
use thiserror::Error;

use crate::FeedError;
use crate::error::Fault;

/// How much is read and inflated at a time, in bytes.
const CHUNK: usize = 64 << 10;

const ZSTD: &str = "zstd";

/// The bytes of a file, unpacked.
pub(crate) type Bytes = Box<dyn BufRead + Send>;

/// A reader and the first bytes that were read of it.
type Peeked<R> = Chain<Cursor<Vec<u8>>, R>;

/// A packed file that is cut off or damaged: what an I/O error of [`unpack`]'s bytes carries.
#[derive(Debug, Error)]
#[error("{reason}")]
struct Damaged {
    packing: &'static str,
    reason: String,
}

/// Reads through what unpacks, and tells damage from a disk that fails.
struct Unpacked<R> {
    packing: &'static str,
    inner: R,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.inner.read(into).map_err(|error| {
            if error.raw_os_error().is_some() || error.kind() == ErrorKind::Interrupted {
                return error;
            }
            damaged(self.packing, &error)
        })
    }
}

/// The first bytes, at most `most`, and a reader that begins with them.
pub(crate) fn peek<R: Read>(mut reader: R, most: usize) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut head = Vec::with_capacity(most);
    reader.by_ref().take(most as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(reader)))
}

/// Plain bytes as they are, gzip and zstd unpacked: recognised by their first bytes (RFC 1952, RFC 8878). Several members
/// or frames in a row are one. Streamed: memory doesn't grow with the file; a zstd frame may ask for a window of up to
/// 128 MiB.
pub(crate) fn unpack(reader: impl Read + Send + 'static) -> io::Result<Bytes> {
    let (magic, reader) = peek(reader, 4)?;
    let bytes = BufReader::with_capacity(CHUNK, reader);
    Ok(if magic.starts_with(&[0x1f, 0x8b]) {
        buffered("gzip", MultiGzDecoder::new(bytes))
    } else if is_zstd(&magic) {
        zstd_frames(bytes)?
    } else {
        Box::new(bytes)
    })
}

/// As [`unpack`], where nothing but zstd may be.
pub(crate) fn unpack_zstd(reader: impl Read + Send + 'static) -> io::Result<Bytes> {
    let (magic, reader) = peek(reader, 4)?;
    if is_zstd(&magic) {
        return zstd_frames(BufReader::with_capacity(CHUNK, reader));
    }
    Err(damaged(ZSTD, &"no frame"))
}

fn zstd_frames(bytes: impl BufRead + Send + 'static) -> io::Result<Bytes> {
    Ok(buffered(ZSTD, zstd::stream::read::Decoder::with_buffer(bytes)?))
}

fn damaged(packing: &'static str, reason: &dyn fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, Damaged { packing, reason: reason.to_string() })
}

/// A frame, or one that is to be skipped, which may stand before it.
fn is_zstd(magic: &[u8]) -> bool {
    matches!(magic, [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

fn buffered(packing: &'static str, inner: impl Read + Send + 'static) -> Bytes {
    Box::new(BufReader::with_capacity(CHUNK, Unpacked { packing, inner }))
}

/// What an error of reading such bytes is: damage at a line or record, or a file that can't be read.
pub(crate) fn refused(error: &io::Error, path: &str, at: u64) -> FeedError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Damaged>()) {
        Some(Damaged { packing, reason }) => {
            Fault::new(format!("a whole, undamaged {packing} file"), reason).at(path, at)
        }
        None => FeedError::Io { path: path.to_owned(), reason: error.to_string() },
    }
}
