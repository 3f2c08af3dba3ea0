//! DBZ, which came before DBN: a zstd frame to be skipped that holds the metadata, then records as those of DBN version 1.
//!
//! | at | bytes | what | in DBN 1 |
//! |---|---|---|---|
//! | 0 | 4 | a magic number of a skippable frame | |
//! | 4 | 4 | `n`, its length | |
//! | 8 | 4 | `DBZ`, version 1 | |
//! | 12 | 50 | data set, schema, start, end, limit, number of records | the same |
//! | 62 | 1 | compression | nothing |
//! | 63 | 2 | kinds of the symbols | the same, one byte before |
//! | 65 | 39 | reserved | 48 with whether there is a `ts_out` |
//! | 104 | `n` − 96 | a zstd frame: layout, symbols, mappings | the same, not packed |
//!
//! Source: the crate `dbn`, `src/decode/dbz.rs`, <https://github.com/databento/dbn>.

use std::io::Read;

use super::reader::{FIXED, MOST_METADATA, PRELUDE, Stop, take, take_all};
use crate::error::Fault;

/// The bytes of the frame's metadata that are not packed.
const UNPACKED: usize = 96;
/// The version and what is the same in DBN 1.
const VERSION: usize = 4;
const SAME: usize = 50;

/// Whether a file with these first 12 bytes is one.
pub(super) fn is_it(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, _, _, _, _, b'D', b'B', b'Z', ..])
}

/// Reads the frame of the metadata and gives it as the head of a DBN 1 file; the records come next.
pub(super) fn head(bytes: &mut impl Read) -> Result<Vec<u8>, Stop> {
    let frame = take_all(bytes, 8, "a whole header of DBZ")?;
    if !matches!(frame[..4], [0x50..=0x5f, 0x2a, 0x4d, 0x18]) {
        return Err(Fault::new("a zstd frame of metadata", &frame[..4]).into());
    }
    let length = u32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]) as usize;
    if !(UNPACKED..=MOST_METADATA).contains(&length) {
        let expected = format!("metadata of {UNPACKED} to {MOST_METADATA} bytes");
        return Err(Fault::new(expected, length.to_string()).into());
    }
    let frame = take_all(bytes, length, "whole metadata")?;
    if frame[..VERSION] != *b"DBZ\x01" {
        return Err(Fault::new("DBZ of version 1", &frame[..VERSION]).into());
    }
    let mut unpacked = zstd::stream::read::Decoder::with_buffer(&frame[UNPACKED..]).map_err(Stop::Io)?;
    let lists = take(&mut unpacked, MOST_METADATA - FIXED).map_err(|stop| match stop {
        Stop::Io(error) => Fault::new("whole, undamaged metadata", error.to_string()).into(),
        stop => stop,
    })?;
    let mut head = Vec::with_capacity(PRELUDE + FIXED + lists.len());
    head.extend_from_slice(b"DBN\x01");
    head.extend_from_slice(&((FIXED + lists.len()) as u32).to_le_bytes());
    head.extend_from_slice(&frame[VERSION..VERSION + SAME]);
    head.extend_from_slice(&frame[VERSION + SAME + 1..VERSION + SAME + 3]);
    head.resize(PRELUDE + FIXED, 0);
    head.extend(lists);
    Ok(head)
}
