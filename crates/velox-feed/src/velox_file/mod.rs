//! Records in a binary file, `.velox`: what a pipeline wrote, to be read back or replayed. All numbers are little endian.
//!
//! The file begins with a header:
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `VELOXREC` |
//! | 8 | 4 | version: 1 |
//! | 12 | 4 | `n`, the length of the JSON, at most 1 MiB |
//! | 16 | `n` | JSON, a [`Schema`]: `{"record":"Trade","words":6,"fields":[{"name":"id","offset":0,"kind":"u64"},…]}` |
//! | 16 + `n` | 4 | CRC-32 of all bytes before |
//!
//! and goes on in blocks:
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 1 | 1 records, 2 an instrument, 3 the end |
//! | 1 | 4 | how many: records (at most 65,536), bytes of JSON, or 8 at the end |
//! | 5 | 4 | CRC-32 of the 5 bytes before and of all bytes behind |
//! | 9 | count × words × 8 | the words of the records, of at most 1 MiB |
//! | | count | JSON: `{"id":1,"symbol":"BTCUSDT","venue":"binance-usdm","tick":"0.01","lot":"0.001"}` |
//! | | 8 | how many records the file has |
//!
//! An instrument stands before the first record that names its id; ids mean something within the file only, which has
//! 4,096 of them at most. A file that
//! ends without its end was cut off: its whole blocks are read, then comes an error.

mod reader;
mod replay;
mod schema;
mod writer;

pub use reader::VeloxReader;
pub(crate) use replay::VeloxReplay;
pub use schema::{FieldKind, FieldPlace, Native, Schema};
pub use writer::{RecordWriter, VeloxWriter};

use serde::{Deserialize, Serialize};

pub(crate) const MAGIC: &[u8; 8] = b"VELOXREC";
const VERSION: u32 = 1;
/// Magic, version, length.
const HEADER: usize = 16;
/// Kind, count, checksum.
const HEAD: usize = 9;
/// Where a block's checksum stands.
const CRC_AT: usize = 5;

const RECORDS: u8 = 1;
const INSTRUMENT: u8 = 2;
const END: u8 = 3;

/// The most bytes of a header's JSON, and of a block.
const MOST_BYTES: usize = 1 << 20;
/// The most records of a block.
const MOST_RECORDS: usize = 65_536;
/// The most instruments of a file: each is kept for the life of the process.
const MOST_INSTRUMENTS: usize = 4_096;

/// An instrument of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Market {
    id: u16,
    symbol: String,
    venue: String,
    tick: String,
    lot: String,
}

fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&head[..CRC_AT]);
    crc.update(payload);
    crc.finalize()
}
