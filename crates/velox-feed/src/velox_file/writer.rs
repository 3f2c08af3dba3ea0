use std::io::{self, Write};

use velox_record::Instrument;

use super::{
    CRC_AT, END, HEAD, HEADER, INSTRUMENT, MAGIC, MOST_BYTES, MOST_INSTRUMENTS, MOST_RECORDS, Market, RECORDS, VERSION,
    checksum,
};
use crate::Schema;

/// How many bytes of records a block takes.
const BLOCK: usize = 64 << 10;

/// A file of records under construction.
pub trait RecordWriter: Send {
    /// Writes the words of one record. Nothing is allocated; most calls only fill a buffer.
    ///
    /// # Errors
    /// What the writer behind it says. Nothing is written after an error.
    fn push(&mut self, words: &[u64]) -> io::Result<()>;

    /// Writes what is buffered, and the end. Later calls do nothing.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    fn finish(&mut self) -> io::Result<()>;
}

/// Writes a `.velox` file: one call of the writer behind it for 64 KiB of records.
///
/// Dropping it finishes the file, without a word about an error.
///
/// ```
/// use velox_feed::{RecordWriter, Schema, VeloxReader, VeloxWriter};
/// use velox_record::{Record, Trade};
///
/// let (mut file, mut words) = (Vec::new(), [0; Trade::WORDS]);
/// let mut writer = VeloxWriter::new(&mut file, &Schema::of::<Trade>()).unwrap();
/// Trade { id: 7, ..Trade::default() }.to_words(&mut words);
/// writer.push(&words).unwrap();
/// writer.finish().unwrap();
/// drop(writer);
///
/// let mut reader = VeloxReader::from_reader("memory", std::io::Cursor::new(file)).unwrap();
/// assert_eq!(reader.next_record().unwrap(), Some(&words[..]));
/// assert_eq!(reader.next_record().unwrap(), None);
/// ```
pub struct VeloxWriter<W: Write + Send> {
    out: W,
    words: usize,
    /// The head of a block, then its records.
    block: Vec<u8>,
    count: u32,
    total: u64,
    instruments_at: Vec<usize>,
    /// A bit for each instrument that was met.
    met: Vec<u64>,
    instruments: usize,
    /// Finished, or failed.
    ended: bool,
}

impl<W: Write + Send> VeloxWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// What the writer behind it says; [`io::ErrorKind::InvalidInput`] for a schema whose JSON is longer than 1 MiB.
    pub fn new(mut out: W, schema: &Schema) -> io::Result<Self> {
        let json = serde_json::to_vec(schema)?;
        let mut header = Vec::with_capacity(HEADER + json.len() + 4);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&length(&json)?.to_le_bytes());
        header.extend_from_slice(&json);
        header.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
        out.write_all(&header)?;
        let words = schema.words();
        let mut block = Vec::with_capacity(HEAD + BLOCK.max(words * 8));
        block.resize(HEAD, 0);
        let (instruments_at, met) = (schema.instruments(), vec![0; 1 << 10]);
        Ok(Self { out, words, block, count: 0, total: 0, instruments_at, met, instruments: 0, ended: false })
    }

    fn put(&mut self, words: &[u64]) -> io::Result<()> {
        for at in 0..self.instruments_at.len() {
            let offset = self.instruments_at[at];
            self.meet((words[offset / 8] >> (offset % 8 * 8)) as u16)?;
        }
        for word in &words[..self.words] {
            self.block.extend_from_slice(&word.to_le_bytes());
        }
        self.count += 1;
        self.total += 1;
        // As long as another record fits.
        if self.block.len() + self.words * 8 > HEAD + BLOCK || self.count as usize == MOST_RECORDS {
            self.flush()?;
        }
        Ok(())
    }

    /// The first time that a record names an instrument, it is written before the block of that record.
    fn meet(&mut self, id: u16) -> io::Result<()> {
        let (word, bit) = (usize::from(id / 64), 1 << (id % 64));
        if self.met[word] & bit != 0 {
            return Ok(());
        }
        self.met[word] |= bit;
        let Some(known) = Instrument::of_id(id) else { return Ok(()) };
        if self.instruments == MOST_INSTRUMENTS {
            return Err(refused("more than 4096 instruments in one file"));
        }
        self.instruments += 1;
        let json = serde_json::to_vec(&Market {
            id,
            symbol: known.symbol().into(),
            venue: known.venue().into(),
            tick: known.tick().to_string(),
            lot: known.lot().to_string(),
        })?;
        let mut block = vec![0; HEAD];
        block.extend_from_slice(&json);
        seal(&mut block, INSTRUMENT, length(&json)?);
        self.out.write_all(&block)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        seal(&mut self.block, RECORDS, self.count);
        self.out.write_all(&self.block)?;
        self.block.truncate(HEAD);
        self.count = 0;
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        let mut block = vec![0; HEAD];
        block.extend_from_slice(&self.total.to_le_bytes());
        seal(&mut block, END, 8);
        self.out.write_all(&block)?;
        self.out.flush()
    }
}

fn length(json: &[u8]) -> io::Result<u32> {
    let most = || refused("names of records or instruments longer than 1 MiB");
    if json.len() > MOST_BYTES { Err(most()) } else { Ok(json.len() as u32) }
}

fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn seal(block: &mut [u8], kind: u8, count: u32) {
    block[0] = kind;
    block[1..CRC_AT].copy_from_slice(&count.to_le_bytes());
    let (head, payload) = block.split_at_mut(HEAD);
    let crc = checksum(head, payload);
    head[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
}

impl<W: Write + Send> RecordWriter for VeloxWriter<W> {
    fn push(&mut self, words: &[u64]) -> io::Result<()> {
        if self.ended {
            return Err(io::Error::other("the file was ended"));
        }
        self.put(words).inspect_err(|_| self.ended = true)
    }

    fn finish(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.ended, true) { Ok(()) } else { self.end() }
    }
}

impl<W: Write + Send> Drop for VeloxWriter<W> {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}
