//! What a record's fields hold, and where.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::Deserialize;

use crate::Type;

/// The names of the stored sides.
pub(crate) const SIDES: &[&str] = &["bid", "ask"];

/// The names of an enumeration's values, by number from 0. A copy costs next to nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Vec<String>")]
pub enum Names {
    /// Known when compiled.
    Static(&'static [&'static str]),
    /// Declared by a script.
    Own(Arc<[String]>),
}

impl Names {
    /// The names of the stored sides.
    pub const SIDES: Self = Self::Static(SIDES);

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Static(names) => names.len(),
            Self::Own(names) => names.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names, from that of 0.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| match self {
            Self::Static(names) => names[at],
            Self::Own(names) => &names[at][..],
        })
    }
}

impl From<Vec<String>> for Names {
    fn from(names: Vec<String>) -> Self {
        Self::Own(names.into())
    }
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Names {}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name}")?;
        }
        Ok(())
    }
}

/// How a record stores a field that an expression can read: a number or a name in one word. The kinds of a whole schema, as a
/// file keeps it, have texts and lists too (`velox_feed::FieldKind`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Kind {
    /// 1 byte.
    U8,
    /// 1 byte.
    I8,
    /// 2 bytes.
    U16,
    /// 2 bytes.
    I16,
    /// 4 bytes.
    U32,
    /// 4 bytes.
    I32,
    /// 8 bytes.
    U64,
    /// 8 bytes.
    I64,
    /// 4 bytes; an f64 in expressions.
    F32,
    /// 8 bytes.
    F64,
    /// 1 byte: 0 is false, all else true.
    Bool,
    /// 1 byte: 0 bid, 1 ask.
    Side,
    /// 8 bytes: nanoseconds, a u64.
    Nanos,
    /// 1 byte: the number of a name.
    Names {
        /// 1 to 256 of them.
        names: Names,
    },
}

impl Kind {
    /// How many bytes it takes: 1, 2, 4 or 8.
    pub const fn bytes(&self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool | Self::Side | Self::Names { .. } => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 | Self::Nanos => 8,
        }
    }

    /// The type that it has in expressions.
    pub fn as_type(&self) -> Type {
        match self {
            Self::U8 | Self::I8 | Self::U16 | Self::I16 | Self::U32 | Self::I32 | Self::I64 => Type::I64,
            Self::U64 | Self::Nanos => Type::U64,
            Self::F32 | Self::F64 => Type::F64,
            Self::Bool => Type::Bool,
            Self::Side => Type::Enum(Names::SIDES),
            Self::Names { names } => Type::Enum(names.clone()),
        }
    }

    /// The whole numbers that it holds; none where it holds something else.
    pub(crate) fn range(&self) -> Option<RangeInclusive<i128>> {
        Some(match self {
            Self::U8 => 0..=u8::MAX.into(),
            Self::I8 => i8::MIN.into()..=i8::MAX.into(),
            Self::U16 => 0..=u16::MAX.into(),
            Self::I16 => i16::MIN.into()..=i16::MAX.into(),
            Self::U32 => 0..=u32::MAX.into(),
            Self::I32 => i32::MIN.into()..=i32::MAX.into(),
            Self::U64 | Self::Nanos => 0..=u64::MAX.into(),
            Self::I64 => i64::MIN.into()..=i64::MAX.into(),
            Self::Side => 0..=1,
            Self::Names { names } => 0..=names.len() as i128 - 1,
            Self::F32 | Self::F64 | Self::Bool => return None,
        })
    }
}

/// A field of a record that a script declared.
///
/// ```
/// use velox_expr::{Kind, OwnField};
/// let field: OwnField = serde_json::from_str(r#"{"name":"mid","offset":8,"kind":"f32"}"#).unwrap();
/// assert_eq!((field.offset, field.kind), (8, Kind::F32));
/// let json = r#"{"name":"state","offset":0,"kind":"names","names":["open","closed"]}"#;
/// let field: OwnField = serde_json::from_str(json).unwrap();
/// assert_eq!(field.kind.as_type().to_string(), "one of open, closed");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnField {
    /// Its name in the script.
    pub name: String,
    /// In bytes from the record's beginning.
    pub offset: usize,
    /// What it holds.
    #[serde(flatten)]
    pub kind: Kind,
}

/// Which bits of a record's 64-bit words a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bits {
    word: u16,
    /// How many bits of the word are below the field, and above: 0 ..= 56.
    below: u8,
    above: u8,
}

impl Bits {
    /// None where the field would lie in two words.
    pub(crate) fn of(offset: usize, bytes: usize) -> Option<Self> {
        let within = offset % 8;
        let above = 8_usize.checked_sub(within + bytes)? as u8 * 8;
        Some(Self { word: u16::try_from(offset / 8).ok()?, above, below: within as u8 * 8 })
    }

    /// Those of a record that isn't of words.
    pub(crate) const fn none() -> Self {
        Self { word: 0, above: 0, below: 0 }
    }

    pub(crate) const fn word(self) -> usize {
        self.word as usize
    }

    /// The bits of a value that fit there, and how far up they go.
    pub(crate) const fn mask(self) -> (u64, u32) {
        (u64::MAX >> (self.above + self.below), self.below as u32)
    }

    /// The field of these words, without a sign. Words that it isn't in give another's bits, never a panic.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loops around it only vectorise once it is gone")]
    pub(crate) fn unsigned<const N: usize>(self, words: &[u64; N]) -> u64 {
        words[self.word().min(N - 1)] << self.above >> (self.above + self.below)
    }

    /// The field of these words, with its sign.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loops around it only vectorise once it is gone")]
    pub(crate) fn signed<const N: usize>(self, words: &[u64; N]) -> i64 {
        (words[self.word().min(N - 1)] << self.above) as i64 >> (self.above + self.below)
    }
}
