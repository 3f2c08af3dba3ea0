//! What changes between two transactions of one template.

use std::io::Write;

use crate::layout::{FieldType, RecordField};
use crate::{Address, RecordLayout, TemplateError};

/// A place in the message that a field of each record is put into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// What errors call it; each once.
    pub name: String,
    /// The field of the record. One field may fill several holes.
    pub field: String,
    /// Where.
    pub place: Place,
}

/// Where a hole is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the data of an instruction.
    Data {
        /// Its number in the message, from 0.
        instruction: usize,
        /// In bytes from the beginning of its data.
        offset: usize,
        /// How the value is written.
        format: Format,
        /// Whether the value counts as lamports that are spent; of [`Format::Integer`] alone, as no other holds all of it. What the
        /// system program moves counts anyway.
        spends: bool,
    },
    /// Instead of an account of the message, which stands for it.
    Account {
        /// The account to be replaced.
        placeholder: Address,
        /// Addresses by the field's value; of none the field itself is the address: 32 bytes, or a text.
        table: Vec<Address>,
    },
}

/// How a value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A whole number, in place of as many bytes.
    Integer {
        /// 1, 2, 4, 8 or 16.
        bytes: usize,
        /// Whether it may be negative.
        signed: bool,
        /// Whether the highest byte comes first.
        big_endian: bool,
    },
    /// One byte of the number, the lowest being 0, whatever the others are.
    Byte(usize),
    /// The field's bytes as they are, in place of as many.
    Bytes,
    /// As a text, put in between: a number in decimal, a name as it is called.
    Text,
    /// These bytes, by the field's value, in place of as many as the first has.
    Choice(Vec<Vec<u8>>),
}

impl Format {
    /// A little-endian number that is not negative.
    pub const fn unsigned(bytes: usize) -> Self {
        Self::Integer { bytes, signed: false, big_endian: false }
    }

    /// A little-endian number.
    pub const fn signed(bytes: usize) -> Self {
        Self::Integer { bytes, signed: true, big_endian: false }
    }
}

/// A hole in data, ready to be filled.
#[derive(Debug, Clone)]
pub(crate) struct DataHole {
    pub name: String,
    field: RecordField,
    pub offset: usize,
    /// How many bytes of the message's data it replaces.
    pub width: usize,
    format: Format,
    pub spends: bool,
}

/// An account that differs from record to record.
#[derive(Debug, Clone)]
pub(crate) struct AccountHole {
    pub name: String,
    field: RecordField,
    pub table: Vec<Address>,
    pub is_writable: bool,
}

/// What would have been right, and what came.
type Misfit = (String, String);

/// Why a hole can't be where it is said to be.
pub(crate) fn refused(hole: &str, expected: impl Into<String>, got: impl Into<String>) -> TemplateError {
    TemplateError::Hole { hole: hole.into(), expected: expected.into(), got: got.into() }
}

pub(crate) fn field_of<'a>(hole: &Hole, layout: &'a RecordLayout) -> Result<&'a RecordField, TemplateError> {
    let known = || layout.fields().iter().map(|field| &field.name[..]).collect::<Vec<_>>().join(", ");
    let found = layout.find(&hole.field).map(|at| &layout.fields()[at]);
    found.ok_or_else(|| refused(&hole.name, format!("one of the record's fields {}", known()), &hole.field))
}

impl DataHole {
    pub(crate) fn new(
        hole: &Hole,
        layout: &RecordLayout,
        offset: usize,
        format: &Format,
        spends: bool,
    ) -> Result<Self, TemplateError> {
        let field = field_of(hole, layout)?.clone();
        let wrong = |expected: &str, got: String| Err(refused(&hole.name, expected, got));
        let is_number = matches!(field.holds, FieldType::Integer { .. } | FieldType::Names(_));
        if spends && !matches!(format, Format::Integer { .. }) {
            return wrong("a whole number, as it counts as spent", format!("{} in another form", field.name));
        }
        let width = match format {
            Format::Integer { bytes, .. } if ![1, 2, 4, 8, 16].contains(bytes) => {
                return wrong("a number of 1, 2, 4, 8 or 16 bytes", bytes.to_string());
            }
            Format::Integer { .. } | Format::Byte(_) | Format::Choice(_) if !is_number => {
                return wrong("a field that is a number or a name", field.name);
            }
            Format::Integer { bytes, .. } => *bytes,
            Format::Byte(index) if *index >= 8 => return wrong("one of 8 bytes", index.to_string()),
            Format::Byte(_) => 1,
            Format::Bytes => match field.holds {
                FieldType::Bytes(bytes) => bytes,
                _ => return wrong("a field of bytes", field.name),
            },
            Format::Text if matches!(field.holds, FieldType::Bytes(_)) => {
                return wrong("a field that has a text", field.name);
            }
            Format::Text => 0,
            Format::Choice(table) if table.is_empty() => return wrong("at least one choice", "none".into()),
            Format::Choice(table) => table[0].len(),
        };
        Ok(Self { name: hole.name.clone(), field, offset, width, format: format.clone(), spends })
    }

    /// The most bytes that it writes.
    pub(crate) fn most(&self) -> usize {
        match &self.format {
            Format::Text => self.field.holds.most_text(),
            Format::Choice(table) => table.iter().map(Vec::len).max().unwrap_or(0),
            _ => self.width,
        }
    }

    /// Appends the value of this record; says how many lamports it means where it means any.
    pub(crate) fn write(&self, record: &[u8], out: &mut Vec<u8>) -> Result<u64, Misfit> {
        match &self.format {
            Format::Integer { bytes, signed, big_endian } => {
                let value = self.field.integer(record);
                let (least, most) = bounds(*bytes, *signed);
                if value < least || value > most {
                    return Err((format!("{least} to {most}"), value.to_string()));
                }
                let wide = value.to_le_bytes();
                if *big_endian {
                    out.extend(wide[..*bytes].iter().rev());
                } else {
                    out.extend_from_slice(&wide[..*bytes]);
                }
                return Ok(if self.spends { u64::try_from(value).unwrap_or(0) } else { 0 });
            }
            Format::Byte(index) => out.push(self.field.integer(record).to_le_bytes()[*index]),
            Format::Bytes => out.extend_from_slice(self.field.slice(record)?),
            Format::Choice(table) => out.extend_from_slice(chosen(table, self.field.integer(record))?),
            Format::Text => match &self.field.holds {
                FieldType::Names(names) => {
                    out.extend_from_slice(chosen(names, self.field.integer(record))?.as_bytes());
                }
                FieldType::Text(_) => {
                    let text = self.field.slice(record)?;
                    std::str::from_utf8(text).map_err(|_| ("UTF-8".into(), format!("{} other bytes", text.len())))?;
                    out.extend_from_slice(text);
                }
                // Writing to memory never fails.
                _ => drop(write!(out, "{}", self.field.integer(record))),
            },
        }
        Ok(0)
    }
}

/// The least and the largest number of so many bytes.
fn bounds(bytes: usize, signed: bool) -> (i128, i128) {
    let bits = 8 * bytes as u32;
    match (bits, signed) {
        (128, true) => (i128::MIN, i128::MAX),
        (128, false) => (0, i128::MAX),
        (_, true) => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        (_, false) => (0, (1 << bits) - 1),
    }
}

fn chosen<T>(table: &[T], value: i128) -> Result<&T, Misfit> {
    let found = usize::try_from(value).ok().and_then(|at| table.get(at));
    found.ok_or_else(|| (format!("0 to {}", table.len() - 1), value.to_string()))
}

impl AccountHole {
    pub(crate) fn new(
        hole: &Hole,
        layout: &RecordLayout,
        table: &[Address],
        is_writable: bool,
    ) -> Result<Self, TemplateError> {
        let field = field_of(hole, layout)?.clone();
        let is_address = matches!(field.holds, FieldType::Bytes(32) | FieldType::Text(32..));
        let is_index = matches!(field.holds, FieldType::Integer { .. } | FieldType::Names(_));
        if if table.is_empty() { !is_address } else { !is_index } {
            let expected = "a field of 32 bytes or a text for the address itself, or a number or a name and a table";
            return Err(refused(&hole.name, expected, format!("{} and {} addresses", field.name, table.len())));
        }
        Ok(Self { name: hole.name.clone(), field, table: table.to_vec(), is_writable })
    }

    pub(crate) fn address(&self, record: &[u8]) -> Result<Address, Misfit> {
        if !self.table.is_empty() {
            return chosen(&self.table, self.field.integer(record)).copied();
        }
        let bytes = self.field.slice(record)?;
        match <[u8; 32]>::try_from(bytes) {
            Ok(bytes) if matches!(self.field.holds, FieldType::Bytes(_)) => Ok(Address::new(bytes)),
            _ => {
                Address::from_base58(bytes).map_err(|error| ("an address in base58".into(), format!("{:?}", error.got)))
            }
        }
    }
}
