//! Records as comma-separated text (RFC 4180, lines end in `\n`).

use std::io::{self, Write};

use velox_record::{BUNDLE_CAPACITY, Instrument, Record, Transaction};

use crate::velox_file::{FieldKind, FieldPlace, RecordWriter, Schema};

/// How many bytes are written at a time.
const CHUNK: usize = 64 << 10;

/// Writes one line a record, below a line of the names of the fields; of a bundle one line a transaction, which begins
/// with the bundle's number (from 1) and its `createdTsNs`.
///
/// The instrument of a `Trade`, `MarketEvent` or `Transaction` is two columns, its `venue` and its `symbol`; of one that
/// this process doesn't know the venue is empty and the symbol is its number.
/// Integers are written as they are (ticks, lots, nanoseconds), sides and enumerations by name, numbers with a point
/// in the fewest digits that read back as the same number. The writer behind it is called for 64 KiB at a time.
/// Dropping it finishes the file, without a word about an error.
///
/// ```
/// use velox_feed::{CsvWriter, RecordWriter, Schema};
/// use velox_record::{Record, Trade};
///
/// let (mut text, mut words) = (Vec::new(), [0; Trade::WORDS]);
/// let mut writer = CsvWriter::new(&mut text, &Schema::of::<Trade>());
/// Trade { id: 7, side: 1, price: 618_003, qty: 2, ..Trade::default() }.to_words(&mut words);
/// writer.push(&words).unwrap();
/// drop(writer);
/// assert_eq!(text, b"id,venue,symbol,side,price,qty,exchangeTs,receiveTs\n7,,0,ask,618003,2,0,0\n");
/// ```
pub struct CsvWriter<W: Write + Send> {
    out: W,
    fields: Vec<Field>,
    rows: Rows,
    /// Has room for one row behind the last that makes it full.
    buffer: Vec<u8>,
    number: u64,
    ended: bool,
}

struct Field {
    offset: usize,
    print: Print,
}

/// How a field is written.
enum Print {
    Unsigned(usize),
    Signed(usize),
    F32,
    F64,
    Bool,
    /// Quoted where need be.
    Names(Vec<String>),
    Text(usize),
    /// Venue and symbol by id, each as they were found when it was first seen: to look for one takes a lock.
    Instrument(Vec<Option<Box<str>>>),
}

/// The records whose `instrument` is the id of an [`Instrument`]; a user's own field may count something else.
const OF_INSTRUMENTS: [&str; 3] = ["MarketEvent", "Trade", "Transaction"];

fn is_instrument(record: &str, field: &FieldPlace) -> bool {
    OF_INSTRUMENTS.contains(&record) && field.name == "instrument" && field.kind == FieldKind::U16
}

/// The two columns of an instrument.
fn instrument(known: &mut Vec<Option<Box<str>>>, id: u16) -> &str {
    let at = usize::from(id);
    if known.len() <= at {
        known.resize(at + 1, None);
    }
    known[at].get_or_insert_with(|| {
        let text = Instrument::of_id(id).map(|i| format!("{},{}", quoted(i.venue()), quoted(i.symbol())));
        text.unwrap_or_else(|| format!(",{id}")).into()
    })
}

enum Rows {
    Record,
    /// Where the count and the time of a bundle are, in words.
    Bundle {
        count: usize,
        created: usize,
    },
}

/// A record as bytes, without a copy.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u64]);

impl Bytes<'_> {
    fn unsigned(self, offset: usize, bytes: usize) -> u64 {
        self.0[offset / 8] >> (offset % 8 * 8) & (u64::MAX >> (64 - bytes * 8))
    }

    fn signed(self, offset: usize, bytes: usize) -> i64 {
        let unused = 64 - bytes * 8;
        ((self.unsigned(offset, bytes) << unused) as i64) >> unused
    }

    fn at(self, offset: usize) -> u8 {
        self.unsigned(offset, 1) as u8
    }
}

/// A text as a field of a line.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into() }
}

impl Field {
    fn new(record: &str, place: &FieldPlace) -> Self {
        let bytes = place.kind.bytes();
        let print = match &place.kind {
            _ if is_instrument(record, place) => Print::Instrument(Vec::new()),
            FieldKind::I8 | FieldKind::I16 | FieldKind::I32 | FieldKind::I64 => Print::Signed(bytes),
            FieldKind::F32 => Print::F32,
            FieldKind::F64 => Print::F64,
            FieldKind::Bool => Print::Bool,
            FieldKind::Side => Print::Names(vec!["bid".into(), "ask".into()]),
            FieldKind::Names { names } => Print::Names(names.iter().map(|name| quoted(name)).collect()),
            FieldKind::Text { max_bytes } => Print::Text(*max_bytes),
            _ => Print::Unsigned(bytes),
        };
        Self { offset: place.offset, print }
    }

    /// The most bytes that it takes, with the comma behind it.
    fn most(&self) -> usize {
        1 + match &self.print {
            Print::Names(names) => names.iter().map(String::len).max().unwrap_or(0).max(3),
            Print::Text(most) => 2 + 3 * most,
            _ => 32,
        }
    }

    fn write(&mut self, record: Bytes<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let at = self.offset;
        match &mut self.print {
            Print::Unsigned(bytes) => write!(out, "{}", record.unsigned(at, *bytes)),
            Print::Signed(bytes) => write!(out, "{}", record.signed(at, *bytes)),
            Print::F32 => {
                let value = f32::from_bits(record.unsigned(at, 4) as u32);
                write_float(value.into(), out, |out| write!(out, "{value:?}"))
            }
            Print::F64 => {
                let value = f64::from_bits(record.unsigned(at, 8));
                write_float(value, out, |out| write!(out, "{value:?}"))
            }
            Print::Bool => write!(out, "{}", record.at(at) != 0),
            Print::Names(names) => match names.get(usize::from(record.at(at))) {
                Some(name) => out.write_all(name.as_bytes()),
                None => write!(out, "{}", record.at(at)),
            },
            Print::Instrument(known) => out.write_all(instrument(known, record.unsigned(at, 2) as u16).as_bytes()),
            Print::Text(most) => {
                let length = (record.unsigned(at, 2) as usize).min(*most);
                write_text((at + 2..at + 2 + length).map(|at| record.at(at)), out);
                Ok(())
            }
        }
    }
}

/// As JavaScript reads it: `Infinity`, and no `.0` behind a whole number.
fn write_float(value: f64, out: &mut Vec<u8>, print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
    if value.is_infinite() {
        return out.write_all(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
    print(out)?;
    if out.ends_with(b".0") {
        out.truncate(out.len() - 2);
    }
    Ok(())
}

/// Bytes that are no UTF-8, which no writer of ours leaves, become `?`.
fn write_text(bytes: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    let start = out.len();
    out.push(b'"');
    let mut needs_quotes = false;
    for byte in bytes {
        needs_quotes |= matches!(byte, b',' | b'"' | b'\n' | b'\r');
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    let mut checked = start;
    while let Err(error) = str::from_utf8(&out[checked..]) {
        checked += error.valid_up_to();
        out[checked] = b'?';
    }
    if needs_quotes {
        out.push(b'"');
    } else {
        out.copy_within(start + 1.., start);
        out.pop();
    }
}

impl<W: Write + Send> CsvWriter<W> {
    /// Makes the first line, which is written with the first records.
    pub fn new(out: W, schema: &Schema) -> Self {
        let is_bundle = schema.fields().iter().any(|field| field.kind == FieldKind::Records);
        let transaction = Schema::of::<Transaction>();
        let (schema, before, rows) = if is_bundle {
            let word = |name: &str| schema.fields().iter().find(|f| f.name == name).map_or(0, |f| f.offset / 8);
            let rows = Rows::Bundle { count: word("count"), created: word("createdTsNs") };
            (&transaction, &["bundle", "createdTsNs"][..], rows)
        } else {
            (schema, &[][..], Rows::Record)
        };
        let names = before.iter().map(|name| (*name).to_owned());
        let column = |field: &FieldPlace| {
            if is_instrument(schema.record(), field) { "venue,symbol".to_owned() } else { quoted(&field.name) }
        };
        let names: Vec<_> = names.chain(schema.fields().iter().map(column)).collect();
        let header = names.join(",") + "\n";
        let fields: Vec<_> = schema.fields().iter().map(|field| Field::new(schema.record(), field)).collect();
        let row = 2 * 32 + fields.iter().map(Field::most).sum::<usize>();
        let mut buffer = Vec::with_capacity(CHUNK.max(header.len()) + row);
        buffer.extend_from_slice(header.as_bytes());
        Self { out, fields, rows, buffer, number: 0, ended: false }
    }

    fn put(&mut self, words: &[u64]) -> io::Result<()> {
        self.number += 1;
        let Rows::Bundle { count, created } = self.rows else { return self.row(words) };
        let (active, created) = ((words[count] as u32 as usize).min(BUNDLE_CAPACITY), words[created]);
        for transaction in words.chunks_exact(Transaction::WORDS).take(active) {
            write!(self.buffer, "{},{created},", self.number)?;
            self.row(transaction)?;
        }
        Ok(())
    }

    fn row(&mut self, words: &[u64]) -> io::Result<()> {
        for field in &mut self.fields {
            field.write(Bytes(words), &mut self.buffer)?;
            self.buffer.push(b',');
        }
        self.buffer.pop();
        self.buffer.push(b'\n');
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write + Send> RecordWriter for CsvWriter<W> {
    fn push(&mut self, words: &[u64]) -> io::Result<()> {
        if self.ended {
            return Err(io::Error::other("the file was ended"));
        }
        self.put(words).inspect_err(|_| self.ended = true)
    }

    fn finish(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        self.flush()?;
        self.out.flush()
    }
}

impl<W: Write + Send> Drop for CsvWriter<W> {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}
