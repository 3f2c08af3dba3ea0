use std::fmt;

use crate::Kind;

/// The whole numbers that a field of a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holds {
    /// 8 bits.
    U8,
    /// 8 bits with a sign.
    I8,
    /// 16 bits.
    U16,
    /// 16 bits with a sign.
    I16,
    /// 32 bits.
    U32,
    /// 32 bits with a sign.
    I32,
    /// 64 bits.
    U64,
    /// 64 bits with a sign.
    I64,
    /// The number of a name.
    Name,
}

impl Holds {
    pub(crate) const ALL: [Self; 9] =
        [Self::U8, Self::I8, Self::U16, Self::I16, Self::U32, Self::I32, Self::U64, Self::I64, Self::Name];

    /// None for a field of floating point or truth values.
    pub(crate) const fn of(kind: &Kind) -> Option<Self> {
        Some(match kind {
            Kind::U8 => Self::U8,
            Kind::I8 => Self::I8,
            Kind::U16 => Self::U16,
            Kind::I16 => Self::I16,
            Kind::U32 => Self::U32,
            Kind::I32 => Self::I32,
            Kind::U64 | Kind::Nanos => Self::U64,
            Kind::I64 => Self::I64,
            Kind::Side | Kind::Names { .. } => Self::Name,
            Kind::F32 | Kind::F64 | Kind::Bool => return None,
        })
    }
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::U8 => "0 to 255",
            Self::I8 => "-128 to 127",
            Self::U16 => "0 to 65535",
            Self::I16 => "-32768 to 32767",
            Self::U32 => "0 to 4294967295",
            Self::I32 => "-2147483648 to 2147483647",
            Self::U64 => "0 to 2^64 - 1",
            Self::I64 => "-2^63 to 2^63 - 1",
            Self::Name => "the number of one of its names",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_in_their_order() {
        assert!(Holds::ALL.iter().enumerate().all(|(at, holds)| *holds as usize == at));
    }
}
