//! Databento's files, DBN versions 1 to 3 and DBZ: what a venue's feed said, as records of one schema.
//!
//! | schema | events of a record |
//! |---|---|
//! | `mbp-1`, `mbp-10` | the levels that changed, told where the exchange event ends; of a trade one trade before them |
//! | `trades` | one trade |
//! | any other | an error when the file is opened |
//!
//! A record shows the best 1 or 10 levels of each side whole, so a book holds exactly those: a level that falls out of
//! sight is removed. An exchange event ends at the flag `F_LAST`, or where a record of another `ts_event` follows: its
//! levels are then told at once, the last of them flagged LAST. The first levels, those of an `F_SNAPSHOT`, and the first behind a
//! gap are a snapshot. `F_MAYBE_BAD_BOOK` is a gap: nothing is told of the book until a record comes without it.
//!
//! | field | from |
//! |---|---|
//! | `instrument` | the symbol that the metadata (or a mapping on the way) gives the instrument id at that time; else the id's digits. Its venue is the data set |
//! | `side` of a trade | the aggressor's: `B` bid, `A` ask; a trade without one (`N`, as in auctions) is left out and counted |
//! | `price` | 10^-9 units; without a given instrument ticks are those, as nothing finer can come |
//! | `qty` | whole units; without a given instrument lots are those |
//! | `sequence` | the venue's number of the message. There is no id of a trade |
//! | `exchange_ts`, `receive_ts` | `ts_event`, `ts_recv`. One that `F_BAD_TS_RECV` calls wrong, or none, is not before the last |
//!
//! There are no quotes: the best levels are the book's own, so checking one by the other would prove nothing.
//!
//! Sources: [DBN](https://databento.com/docs/standards-and-conventions/databento-binary-encoding),
//! [common fields and flags](https://databento.com/docs/standards-and-conventions/common-fields-enums-types),
//! [mbp-10](https://databento.com/docs/schemas-and-data-formats/mbp-10).

mod dbz;
mod decoder;
mod fixed;
mod levels;
mod market;
mod reader;
mod symbols;

use std::sync::Arc;

use velox_record::{Instrument, MarketEvent};

use self::decoder::Decoder;
use self::reader::Reader;
use crate::unpack::Bytes;
use crate::{Arrivals, Counts, FeedError, ReplayOptions};

/// How many first bytes of a file tell what it is.
pub(crate) const MAGIC: usize = 12;

/// Whether a file, unpacked, with these first bytes is DBN, of whatever version.
pub(crate) fn is_dbn(head: &[u8]) -> bool {
    matches!(head, [b'D', b'B', b'N', 0..=31, ..])
}

/// Whether it is DBZ, which is not to be unpacked: zstd frames are its parts.
pub(crate) fn is_dbz(head: &[u8]) -> bool {
    dbz::is_it(head)
}

/// A file of Databento's: one record of market data is one arrival.
pub(crate) struct DbnReplay {
    reader: Reader,
    decoder: Decoder,
    /// Whether the reader's record is yet to be taken.
    ahead: bool,
}

impl DbnReplay {
    /// Reads the metadata, and on to the first record of market data: a live capture has its symbols before it.
    pub(crate) fn new(path: String, bytes: Bytes, is_dbz: bool, options: ReplayOptions) -> Result<Self, FeedError> {
        let (reader, metadata) = Reader::new(path, bytes, is_dbz)?;
        let decoder = Decoder::new(reader.path(), metadata, options)?;
        let mut replay = Self { reader, decoder, ahead: false };
        while !replay.ahead && replay.reader.advance()? {
            let Some(record) = replay.reader.record() else { break };
            replay.ahead = replay.decoder.begins_with(record).map_err(|fault| replay.reader.at(fault))?;
        }
        replay.decoder.begin()?;
        Ok(replay)
    }

    /// The data set.
    pub(crate) fn venue(&self) -> &str {
        self.decoder.dataset()
    }

    pub(crate) fn symbols(&self) -> Vec<String> {
        self.decoder.symbols()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.decoder.counts()
    }
}

impl Arrivals for DbnReplay {
    /// After a record that says what it must not the next call goes on with the record after it; after one that can't be
    /// read every call gives the same error.
    fn next(&mut self, out: &mut Vec<MarketEvent>) -> Result<Option<u64>, FeedError> {
        loop {
            if !std::mem::take(&mut self.ahead) && !self.reader.advance()? {
                return Ok(self.decoder.end(out));
            }
            let Some(record) = self.reader.record() else { return Ok(None) };
            let taken = self.decoder.take(record, out).map_err(|fault| self.reader.at(fault))?;
            if taken.is_some() {
                return Ok(taken);
            }
        }
    }

    fn comparable(&self, _: u16) -> u64 {
        0
    }

    fn left_out(&self) -> u64 {
        self.counts().skipped
    }

    fn instruments(&self) -> &[Arc<Instrument>] {
        self.decoder.instruments()
    }
}
