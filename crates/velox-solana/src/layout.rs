//! Where a record has its fields.

use velox_record::{Record, Transaction};

use crate::TemplateError;

/// What a field holds. Numbers are little-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// A whole number of 1, 2, 4 or 8 bytes.
    Integer {
        /// Its bytes.
        bytes: usize,
        /// Whether it may be negative.
        signed: bool,
    },
    /// One byte, an index into these names.
    Names(Vec<String>),
    /// UTF-8 of at most so many bytes, after its length in two.
    Text(usize),
    /// So many bytes as they are.
    Bytes(usize),
}

/// A field of a [`RecordLayout`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordField {
    /// Its name.
    pub name: String,
    /// In bytes from the record's beginning.
    pub offset: usize,
    /// What it holds.
    pub holds: FieldType,
}

/// The bytes of a record, by fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLayout {
    stride: usize,
    fields: Vec<RecordField>,
}

impl FieldType {
    /// Whole numbers that are not negative.
    pub const fn unsigned(bytes: usize) -> Self {
        Self::Integer { bytes, signed: false }
    }

    /// Whole numbers.
    pub const fn signed(bytes: usize) -> Self {
        Self::Integer { bytes, signed: true }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Integer { bytes, .. } | Self::Bytes(bytes) => *bytes,
            Self::Names(_) => 1,
            Self::Text(most) => 2 + most,
        }
    }

    /// The most bytes that its value takes as a text.
    pub(crate) fn most_text(&self) -> usize {
        match self {
            Self::Integer { bytes, signed } => match (bytes, signed) {
                (1, false) => 3,
                (1, true) => 4,
                (2, false) => 5,
                (2, true) => 6,
                (4, false) => 10,
                (4, true) => 11,
                _ => 20,
            },
            Self::Names(names) => names.iter().map(String::len).max().unwrap_or(0),
            Self::Text(most) | Self::Bytes(most) => *most,
        }
    }
}

impl RecordField {
    /// Its bytes in a record. Of a text those of its characters; an error says what is wrong with its length.
    pub(crate) fn slice<'a>(&self, record: &'a [u8]) -> Result<&'a [u8], (String, String)> {
        let bytes = &record[self.offset..][..self.holds.bytes()];
        let FieldType::Text(most) = self.holds else { return Ok(bytes) };
        let length = usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        bytes[2..].get(..length).ok_or_else(|| (format!("a text of at most {most} bytes"), format!("{length} bytes")))
    }

    /// Its value as a number: of names the index.
    pub(crate) fn integer(&self, record: &[u8]) -> i128 {
        let bytes = &record[self.offset..][..self.holds.bytes().min(8)];
        let signed = matches!(self.holds, FieldType::Integer { signed: true, .. });
        let is_negative = signed && bytes.last().is_some_and(|last| last & 0x80 != 0);
        let mut wide = [if is_negative { 0xff } else { 0 }; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        if is_negative { i64::from_le_bytes(wide).into() } else { u64::from_le_bytes(wide).into() }
    }
}

impl RecordLayout {
    /// A layout of these fields in records that lie `stride` bytes apart.
    ///
    /// # Errors
    /// A field beyond the record's end, an integer of 3 bytes, a name twice.
    pub fn new(stride: usize, fields: Vec<RecordField>) -> Result<Self, TemplateError> {
        let wrong = |expected: &str, field: &RecordField| TemplateError::Option {
            name: "record",
            expected: expected.into(),
            got: format!("{} at {}", field.name, field.offset),
        };
        for (i, field) in fields.iter().enumerate() {
            if field.offset.checked_add(field.holds.bytes()).is_none_or(|end| end > stride) {
                return Err(wrong("fields within the record", field));
            }
            if matches!(field.holds, FieldType::Integer { bytes, .. } if ![1, 2, 4, 8].contains(&bytes)) {
                return Err(wrong("integers of 1, 2, 4 or 8 bytes", field));
            }
            if fields[..i].iter().any(|before| before.name == field.name) {
                return Err(wrong("each field once", field));
            }
        }
        Ok(Self { stride, fields })
    }

    /// That of [`Transaction`], its names as in TypeScript and `side` by name.
    pub fn transaction() -> Self {
        let holds = |name: &str| match name {
            "price" => FieldType::signed(8),
            "size" => FieldType::unsigned(4),
            "side" => FieldType::Names(vec!["bid".into(), "ask".into()]),
            "instrument" => FieldType::unsigned(2),
            _ => FieldType::unsigned(8),
        };
        let field = |&(name, offset): &(&str, usize)| RecordField { name: name.into(), offset, holds: holds(name) };
        Self { stride: 8 * Transaction::WORDS, fields: Transaction::FIELDS.iter().map(field).collect() }
    }

    /// How far apart records lie, in bytes.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Its fields.
    pub fn fields(&self) -> &[RecordField] {
        &self.fields
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}
