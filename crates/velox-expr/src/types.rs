use std::fmt;

use crate::{Names, Scale};

/// The type of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Signed integers.
    I64,
    /// Unsigned integers.
    U64,
    /// Floating point.
    F64,
    /// Truth values: what a filter is.
    Bool,
    /// An index into these names; a plan gives it as i64.
    Enum(Names),
}

impl Type {
    pub(crate) const fn is_integer(&self) -> bool {
        matches!(self, Self::I64 | Self::U64)
    }

    pub(crate) const fn is_number(&self) -> bool {
        matches!(self, Self::I64 | Self::U64 | Self::F64)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::I64 => f.write_str("i64"),
            Self::U64 => f.write_str("u64"),
            Self::F64 => f.write_str("f64"),
            Self::Bool => f.write_str("bool"),
            Self::Enum(names) => write!(f, "one of {names}"),
        }
    }
}

/// A type, and what its integers count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) kind: Type,
    pub(crate) scale: Scale,
}

impl Shape {
    pub(crate) const fn plain(kind: Type) -> Self {
        Self { kind, scale: Scale::None }
    }
}
