//! The metadata and the records of a DBN stream.

use std::io::{self, ErrorKind, Read};

use ::dbn::decode::dbn::fsm::{DbnFsm, ProcessResult};
use ::dbn::{Metadata, Record, RecordRef, VersionUpgradePolicy};

use super::dbz;
use crate::FeedError;
use crate::error::Fault;
use crate::unpack::{self, Bytes};

/// The most bytes of metadata: some 800,000 symbols of a day.
pub(super) const MOST_METADATA: usize = 128 << 20;
/// `DBN`, the version, the length of the metadata.
pub(super) const PRELUDE: usize = 8;
/// The bytes of metadata before its lists.
pub(super) const FIXED: usize = 100;
/// Where metadata of version 2 on says how long a symbol is, and the least that is taken: so a file can't ask for more memory
/// than a small multiple of its length.
const SYMBOL_LENGTH_AT: usize = 45;
const LEAST_SYMBOL_LENGTH: u16 = 22;

/// Of every record there is, in bytes.
const ALIGNMENT: usize = 8;

/// The records of a stream, behind its metadata. Memory is constant: 64 KiB.
pub(super) struct Reader {
    path: String,
    bytes: Bytes,
    records: DbnFsm,
    number: u64,
    failed: Option<FeedError>,
}

/// Why reading stopped.
pub(super) enum Stop {
    Io(io::Error),
    Fault(Fault),
    Version(u8),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Stop {
    fn at(self, path: &str, record: u64) -> FeedError {
        match self {
            Self::Io(error) => unpack::refused(&error, path, record),
            Self::Fault(fault) => fault.at(path, record),
            Self::Version(version) => FeedError::UnknownFormat {
                format: format!("dbn version {version}"),
                known: (1..=3).map(|known| format!("dbn version {known}")).collect(),
            },
        }
    }
}

impl Reader {
    /// Reads the metadata. `bytes` are unpacked, but for a DBZ file, which is so by its own nature.
    pub(super) fn new(path: String, bytes: Bytes, is_dbz: bool) -> Result<(Self, Metadata), FeedError> {
        match Self::begin(bytes, is_dbz) {
            Ok((bytes, records, metadata)) => Ok((Self { path, bytes, records, number: 0, failed: None }, metadata)),
            Err(stop) => Err(stop.at(&path, 1)),
        }
    }

    fn begin(mut bytes: Bytes, is_dbz: bool) -> Result<(Bytes, DbnFsm, Metadata), Stop> {
        let head = if is_dbz { dbz::head(&mut bytes)? } else { head(&mut bytes)? };
        if is_dbz {
            bytes = unpack::unpack_zstd(bytes).map_err(Stop::Io)?;
        }
        let (metadata, version) = (metadata(&head)?, head[3]);
        let records = DbnFsm::builder()
            .skip_metadata(true)
            .upgrade_policy(VersionUpgradePolicy::AsIs)
            .ts_out(metadata.ts_out)
            .input_dbn_version(Some(version))
            .and_then(|builder| builder.build())
            .map_err(|error| refused(&error))?;
        Ok((bytes, records, metadata))
    }

    /// A fault of the record that was read last.
    pub(super) fn at(&self, fault: Fault) -> FeedError {
        fault.at(&self.path, self.number)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The record that was read last.
    pub(super) fn record(&self) -> Option<RecordRef<'_>> {
        self.records.last_record()
    }

    /// Reads the next record; whether there was one. An error is repeated.
    pub(super) fn advance(&mut self) -> Result<bool, FeedError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.read().map_err(|stop| self.failed.insert(stop.at(&self.path, self.number + 1)).clone())
    }

    fn read(&mut self) -> Result<bool, Stop> {
        loop {
            match self.records.process() {
                ProcessResult::Record(()) => {
                    // The crate gives references into its buffer: behind a record of another length they would be unaligned.
                    let bytes = self.record().map_or(0, |record| record.record_size());
                    if !bytes.is_multiple_of(ALIGNMENT) {
                        return Err(Fault::new("a record of a multiple of 8 bytes", bytes.to_string()).into());
                    }
                    self.number += 1;
                    return Ok(true);
                }
                ProcessResult::ReadMore(_) => match self.bytes.read(self.records.space()) {
                    Ok(0) => {
                        return match self.records.data().len() {
                            0 => Ok(false),
                            left => {
                                Err(Fault::new("a whole record", format!("a file that was cut off: {left} bytes"))
                                    .into())
                            }
                        };
                    }
                    Ok(read) => self.records.fill(read),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(Stop::Io(error)),
                },
                ProcessResult::Metadata(_) => return Err(Fault::new("a record", "metadata").into()),
                ProcessResult::Err(error) => return Err(refused(&error)),
            }
        }
    }
}

/// What the crate says of bytes that are none of its own.
fn refused(error: &::dbn::Error) -> Stop {
    Fault::new("DBN as its specification says", error.to_string()).into()
}

/// So many bytes, or less at the end of the file.
pub(super) fn take(bytes: &mut impl Read, most: usize) -> Result<Vec<u8>, Stop> {
    let mut taken = Vec::new();
    bytes.take(most as u64).read_to_end(&mut taken).map_err(Stop::Io)?;
    Ok(taken)
}

/// As [`take`], all of them or a fault.
pub(super) fn take_all(bytes: &mut impl Read, most: usize, what: &str) -> Result<Vec<u8>, Stop> {
    let taken = take(bytes, most)?;
    if taken.len() < most {
        return Err(Fault::new(what, format!("a file that was cut off: {} of {most} bytes", taken.len())).into());
    }
    Ok(taken)
}

/// The prelude and the metadata, as they stand in the file.
fn head(bytes: &mut impl Read) -> Result<Vec<u8>, Stop> {
    let mut head = take(bytes, PRELUDE)?;
    let [b'D', b'B', b'N', version, length @ ..] = &head[..] else {
        return Err(Fault::new("a file that begins with DBN", &head).into());
    };
    if !(1..=3).contains(version) {
        return Err(Stop::Version(*version));
    }
    let Ok(length) = <[u8; 4]>::try_from(length) else {
        return Err(Fault::new("a whole header of DBN", &head).into());
    };
    let length = u32::from_le_bytes(length) as usize;
    if length > MOST_METADATA {
        return Err(Fault::new(format!("metadata of at most {MOST_METADATA} bytes"), length.to_string()).into());
    }
    head.extend(take_all(bytes, length, "whole metadata")?);
    Ok(head)
}

fn metadata(head: &[u8]) -> Result<Metadata, Stop> {
    let at = PRELUDE + SYMBOL_LENGTH_AT;
    if let (2.., Some(&[low, high])) = (head[3], head.get(at..at + 2)) {
        let length = u16::from_le_bytes([low, high]);
        if length < LEAST_SYMBOL_LENGTH {
            let expected = format!("symbols of at least {LEAST_SYMBOL_LENGTH} bytes");
            return Err(Fault::new(expected, length.to_string()).into());
        }
    }
    let mut machine =
        DbnFsm::builder().upgrade_policy(VersionUpgradePolicy::AsIs).build().map_err(|error| refused(&error))?;
    machine.write_all(head);
    match machine.process() {
        ProcessResult::Metadata(metadata) => Ok(metadata),
        ProcessResult::Err(error) => Err(refused(&error)),
        _ => Err(Fault::new("whole metadata", "less").into()),
    }
}
