use std::collections::VecDeque;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use velox_record::Instrument;

use super::{
    CRC_AT, END, HEAD, HEADER, INSTRUMENT, MAGIC, MOST_BYTES, MOST_INSTRUMENTS, MOST_RECORDS, Market, RECORDS, VERSION,
    checksum,
};
use crate::error::Fault;
use crate::{FeedError, Schema, lines, unpack};

/// How many bytes are asked of the system at a time.
const CHUNK: usize = 64 << 10;

/// The records of a `.velox` file, as words. Memory is constant: one block, of at most 1 MiB.
///
/// Whatever the bytes are, it neither panics nor allocates by a length that it hasn't checked.
pub struct VeloxReader {
    path: String,
    bytes: BufReader<Box<dyn Read + Send>>,
    schema: Schema,
    /// The block that is read, and where its next record is.
    block: Vec<u8>,
    at: usize,
    /// Blocks that were read ahead.
    ahead: VecDeque<Vec<u8>>,
    words: Vec<u64>,
    instruments: Vec<(u16, Arc<Instrument>)>,
    /// Records of the blocks so far, and those that were given.
    loaded: u64,
    given: u64,
    /// What comes behind all blocks that were read: the end, or an error that is repeated.
    over: Option<Result<(), FeedError>>,
}

/// What a block turned out to be.
enum Block {
    Records(Vec<u8>),
    Instrument,
    End,
}

impl VeloxReader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`FeedError`]: no such file, not readable, no header.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FeedError> {
        let (name, file) = lines::open_file(path.as_ref())?;
        Self::from_reader(name, file)
    }

    /// Like [`Self::open`], from anywhere else; `path` is the name that errors carry.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_reader(path: impl Into<String>, reader: impl Read + Send + 'static) -> Result<Self, FeedError> {
        let path = path.into();
        let mut bytes: BufReader<Box<dyn Read + Send>> = BufReader::with_capacity(CHUNK, Box::new(reader));
        let schema = header(&mut bytes).map_err(|stop| stop.at(&path, 1))?;
        Ok(Self {
            path,
            bytes,
            words: vec![0; schema.words()],
            schema,
            block: Vec::new(),
            at: 0,
            ahead: VecDeque::new(),
            instruments: Vec::new(),
            loaded: 0,
            given: 0,
            over: None,
        })
    }

    /// What its records are.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The name that errors carry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The instruments of the blocks so far, by their ids in the file. In this process they may have other ids.
    pub fn instruments(&self) -> &[(u16, Arc<Instrument>)] {
        &self.instruments
    }

    /// The number of the record that was given last, from 1; 0 before the first.
    pub fn number(&self) -> u64 {
        self.given
    }

    /// The words of the next record; `None` at the end.
    ///
    /// # Errors
    /// [`FeedError::Corrupt`], whose `line` is the number of the record that could not be read: a file that was cut off
    /// or damaged. [`FeedError::Io`] when reading fails. Every later call gives the same error again.
    pub fn next_record(&mut self) -> Result<Option<&[u64]>, FeedError> {
        while self.at == self.block.len() {
            if let Some(block) = self.ahead.pop_front() {
                (self.block, self.at) = (block, 0);
            } else if let Some(over) = &self.over {
                return over.clone().map(|()| None);
            } else {
                let spare = std::mem::take(&mut self.block);
                self.at = 0;
                if let Some(block) = self.load(spare) {
                    self.block = block;
                }
            }
        }
        let record = &self.block[self.at..][..self.words.len() * 8];
        for (word, bytes) in self.words.iter_mut().zip(record.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
        }
        self.at += record.len();
        self.given += 1;
        Ok(Some(&self.words))
    }

    /// Reads so many blocks of records, for the instruments before them.
    pub(crate) fn read_ahead(&mut self, blocks: usize) {
        while self.ahead.len() < blocks && self.over.is_none() {
            let block = self.load(Vec::new());
            self.ahead.extend(block);
        }
    }

    /// The next block, if it is one of records; what is over is noted.
    fn load(&mut self, spare: Vec<u8>) -> Option<Vec<u8>> {
        match self.read_block(spare) {
            Ok(Block::Records(block)) => {
                self.loaded += (block.len() / (8 * self.words.len())) as u64;
                return Some(block);
            }
            Ok(Block::Instrument) => {}
            Ok(Block::End) => self.over = Some(Ok(())),
            Err(stop) => self.over = Some(Err(stop.at(&self.path, self.loaded + 1))),
        }
        None
    }

    fn read_block(&mut self, mut payload: Vec<u8>) -> Result<Block, Stop> {
        let mut head = [0; HEAD];
        fill(&mut self.bytes, &mut head, "a block of records or the end")?;
        let count = u32_at(&head, 1) as usize;
        let (length, what) = match head[0] {
            RECORDS if (1..=MOST_RECORDS).contains(&count) => {
                (count * self.words.len() * 8, "a whole block of records")
            }
            INSTRUMENT => (count, "a whole instrument"),
            END if count == 8 => (count, "a whole end"),
            kind => return Err(fault("a block of records, an instrument or the end", format!("kind {kind}, {count}"))),
        };
        if length > MOST_BYTES {
            return Err(fault("a block of at most 1 MiB", format!("{length} bytes")));
        }
        payload.clear();
        payload.resize(length, 0);
        fill(&mut self.bytes, &mut payload, what)?;
        let (expected, got) = (u32_at(&head, CRC_AT), checksum(&head, &payload));
        if expected != got {
            return Err(fault(format!("a block with the CRC-32 {expected:08x}"), format!("{got:08x}")));
        }
        match head[0] {
            RECORDS => return Ok(Block::Records(payload)),
            INSTRUMENT => self.add(&payload)?,
            _ => return self.end(&payload),
        }
        Ok(Block::Instrument)
    }

    fn add(&mut self, json: &[u8]) -> Result<(), Stop> {
        let refused = |error: String| fault(format!("an instrument ({error})"), json);
        let Market { id, symbol, venue, tick, lot } =
            serde_json::from_slice(json).map_err(|error| refused(error.to_string()))?;
        if self.instruments.iter().any(|(known, _)| *known == id) {
            return Err(refused("each id once".into()));
        }
        if self.instruments.len() == MOST_INSTRUMENTS {
            return Err(refused(format!("at most {MOST_INSTRUMENTS} of them")));
        }
        let made = Instrument::new(&symbol, &venue, &tick, &lot).map_err(|error| refused(error.to_string()))?;
        self.instruments.push((id, made));
        Ok(())
    }

    /// Nothing may stand behind the end, and nothing may be missing before it.
    fn end(&mut self, total: &[u8]) -> Result<Block, Stop> {
        let total = u64::from_le_bytes(total.try_into().unwrap_or_default());
        if total != self.loaded {
            return Err(fault(format!("{total} records, as the end says"), self.loaded.to_string()));
        }
        match self.bytes.read(&mut [0]) {
            Ok(0) => Ok(Block::End),
            Ok(_) => Err(fault("nothing behind the end", "more bytes")),
            Err(error) => Err(Stop::Io(error)),
        }
    }
}

/// Why reading stopped.
enum Stop {
    Io(io::Error),
    Fault(Fault),
}

impl Stop {
    fn at(self, path: &str, record: u64) -> FeedError {
        match self {
            Self::Io(error) => unpack::refused(&error, path, record),
            Self::Fault(fault) => fault.at(path, record),
        }
    }
}

fn fault(expected: impl Into<String>, got: impl AsRef<[u8]>) -> Stop {
    Stop::Fault(Fault::new(expected, got))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default())
}

fn fill(bytes: &mut impl Read, into: &mut [u8], what: &str) -> Result<(), Stop> {
    let mut have = 0;
    while have < into.len() {
        match bytes.read(&mut into[have..]) {
            Ok(0) => return Err(fault(what, format!("a file that was cut off: {have} of {} bytes", into.len()))),
            Ok(read) => have += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Stop::Io(error)),
        }
    }
    Ok(())
}

fn header(bytes: &mut impl Read) -> Result<Schema, Stop> {
    let mut header = vec![0; HEADER];
    fill(bytes, &mut header, "a header that begins with VELOXREC")?;
    if &header[..8] != MAGIC {
        return Err(fault("a header that begins with VELOXREC", &header[..8]));
    }
    let (version, length) = (u32_at(&header, 8), u32_at(&header, 12) as usize);
    if version != VERSION {
        return Err(fault(format!("version {VERSION} of the format"), version.to_string()));
    }
    if length > MOST_BYTES {
        return Err(fault("a header of at most 1 MiB", format!("{length} bytes")));
    }
    header.resize(HEADER + length + 4, 0);
    fill(bytes, &mut header[HEADER..], "a whole header")?;
    let (text, crc) = header.split_at(HEADER + length);
    let (expected, got) = (u32_at(crc, 0), crc32fast::hash(text));
    if expected != got {
        return Err(fault(format!("a header with the CRC-32 {expected:08x}"), format!("{got:08x}")));
    }
    let json = &text[HEADER..];
    let schema: Schema =
        serde_json::from_slice(json).map_err(|error| fault(format!("a header in JSON ({error})"), json))?;
    schema.check().map_err(|error| fault(error.to_string(), json))?;
    Ok(schema)
}
