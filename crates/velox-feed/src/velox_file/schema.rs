use serde::{Deserialize, Serialize};
use velox_record::{Bundle, EventKind, MarketEvent, Record, Trade, Transaction};

use crate::FeedError;

/// The most words of a record: 64 KiB.
const MOST_WORDS: usize = 8_192;

/// What a field holds, as TypeScript names it and a file keeps it. Those that expressions can read have a type of their own
/// (`velox_expr::Kind`), with names that are known when a program is compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FieldKind {
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
    /// 4 bytes.
    F32,
    /// 8 bytes.
    F64,
    /// 1 byte: 0 is false, all else true.
    Bool,
    /// 1 byte: 0 bid, 1 ask.
    Side,
    /// 8 bytes: nanoseconds.
    Nanos,
    /// 1 byte: the number of a name.
    Names {
        /// From that of 0.
        names: Vec<String>,
    },
    /// 2 bytes of length, then UTF-8.
    Text {
        /// The most bytes of UTF-8.
        max_bytes: usize,
    },
    /// The transactions of a bundle: 16 × 32 bytes.
    Records,
}

impl FieldKind {
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool | Self::Side | Self::Names { .. } => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 | Self::Nanos => 8,
            Self::Text { max_bytes } => max_bytes.saturating_add(2),
            Self::Records => 512,
        }
    }

    fn align(&self) -> usize {
        match self {
            Self::Text { .. } => 2,
            Self::Records => 8,
            other => other.bytes(),
        }
    }
}

/// One field of a record: its name, and where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldPlace {
    /// As TypeScript has it.
    pub name: String,
    /// In bytes.
    pub offset: usize,
    /// What it holds.
    #[serde(flatten)]
    pub kind: FieldKind,
}

/// What a file's records are: their name, their length, their fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    record: String,
    words: usize,
    fields: Vec<FieldPlace>,
}

impl Schema {
    /// A record of so many 64-bit words.
    ///
    /// # Errors
    /// [`FeedError::InvalidValue`]: no words or more than 8,192, no fields, a field that isn't within the record or not
    /// at a multiple of its size.
    ///
    /// ```
    /// use velox_feed::{FieldKind, FieldPlace, Schema};
    /// let at = |offset| FieldPlace { name: "price".into(), offset, kind: FieldKind::F64 };
    /// assert!(Schema::new("Fill", 1, vec![at(0)]).is_ok());
    /// assert!(Schema::new("Fill", 1, vec![at(8)]).is_err());
    /// ```
    pub fn new(record: &str, words: usize, fields: Vec<FieldPlace>) -> Result<Self, FeedError> {
        let schema = Self { record: record.into(), words, fields };
        schema.check().map(|()| schema)
    }

    pub(crate) fn check(&self) -> Result<(), FeedError> {
        let refused = |expected: String, got: String| Err(FeedError::InvalidValue { field: "fields", expected, got });
        let Self { record, words, fields } = self;
        if !(1..=MOST_WORDS).contains(words) {
            return refused(format!("a {record} of 1 to {MOST_WORDS} words of 8 bytes"), words.to_string());
        }
        if fields.is_empty() {
            return refused(format!("a {record} with fields"), "none".into());
        }
        for FieldPlace { name, offset, kind } in fields {
            let is_within = offset.checked_add(kind.bytes()).is_some_and(|end| end <= words * 8);
            if !is_within || offset % kind.align() != 0 {
                let (bytes, all) = (kind.bytes(), words * 8);
                return refused(
                    format!("{record}.{name} as {bytes} aligned bytes of {all}"),
                    format!("offset {offset}"),
                );
            }
            if *kind == FieldKind::Records && *self != Self::of::<Bundle>() {
                return refused("records within a Bundle only".into(), format!("{record}.{name}"));
            }
        }
        Ok(())
    }

    /// What a native record is.
    ///
    /// ```
    /// use velox_feed::Schema;
    /// use velox_record::Trade;
    /// assert_eq!((Schema::of::<Trade>().record(), Schema::of::<Trade>().words()), ("Trade", 6));
    /// ```
    pub fn of<T: Native>() -> Self {
        let field = |(name, offset): &(&str, usize), kind| FieldPlace { name: (*name).into(), offset: *offset, kind };
        let fields = T::FIELDS.iter().zip(T::kinds()).map(|(place, kind)| field(place, kind)).collect();
        Self { record: T::NAME.into(), words: T::WORDS, fields }
    }

    /// The record's name.
    pub fn record(&self) -> &str {
        &self.record
    }

    /// The record's length in 64-bit words.
    pub const fn words(&self) -> usize {
        self.words
    }

    /// Its fields, in the order of their declaration.
    pub fn fields(&self) -> &[FieldPlace] {
        &self.fields
    }

    /// Where the record names instruments, in bytes: only the native ones do.
    pub(crate) fn instruments(&self) -> Vec<usize> {
        let own = |schema: Self| *self == schema;
        if own(Self::of::<Bundle>()) {
            let at = offset(&Self::of::<Transaction>());
            return at.into_iter().flat_map(|at| (0..16).map(move |i| at + i * 32)).collect();
        }
        let is_native = own(Self::of::<MarketEvent>()) || own(Self::of::<Trade>()) || own(Self::of::<Transaction>());
        if is_native { offset(self).into_iter().collect() } else { Vec::new() }
    }
}

fn offset(schema: &Schema) -> Option<usize> {
    schema.fields.iter().find(|field| field.name == "instrument").map(|field| field.offset)
}

/// A record of the engine's own.
pub trait Native: Record {
    /// What its [`FIELDS`](Record::FIELDS) hold.
    fn kinds() -> Vec<FieldKind>;
}

impl Native for MarketEvent {
    fn kinds() -> Vec<FieldKind> {
        use FieldKind::{I64, Names, Nanos, Side, U8, U16, U64};
        vec![Names { names: EventKind::NAMES.map(String::from).into() }, U16, Side, U8, I64, I64, U64, Nanos, Nanos]
    }
}

impl Native for Trade {
    fn kinds() -> Vec<FieldKind> {
        use FieldKind::{I64, Nanos, Side, U16, U64};
        vec![U64, U16, Side, I64, I64, Nanos, Nanos]
    }
}

impl Native for Transaction {
    fn kinds() -> Vec<FieldKind> {
        use FieldKind::{I64, Nanos, Side, U16, U32, U64};
        vec![U64, I64, U32, Side, U16, Nanos]
    }
}

impl Native for Bundle {
    fn kinds() -> Vec<FieldKind> {
        vec![FieldKind::Records, FieldKind::U32, FieldKind::Nanos]
    }
}
