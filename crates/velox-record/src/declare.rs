//! Records of one's own, declared in one go.

use crate::wire::InvalidRecord;

mod sealed {
    pub trait Sealed {}
}

/// A type that a field of a [`record!`](crate::record!) may have: at most 64 bits, and known to a script too.
pub trait Scalar: Copy + sealed::Sealed {
    /// Its bits, from bit 0 on; those beyond its size are 0.
    fn bits(self) -> u64;

    /// Takes its bits off a word, whatever is beyond them.
    ///
    /// # Errors
    /// What the field may hold, and what it held: a truth value that is neither 0 nor 1.
    fn from_bits(word: u64) -> Result<Self, (&'static str, u64)>;
}

macro_rules! integers {
    ($($type:ident as $unsigned:ident),+) => {$(
        impl sealed::Sealed for $type {}

        impl Scalar for $type {
            fn bits(self) -> u64 {
                u64::from(self as $unsigned)
            }

            fn from_bits(word: u64) -> Result<Self, (&'static str, u64)> {
                Ok(word as $type)
            }
        }
    )+};
}

integers!(u8 as u8, u16 as u16, u32 as u32, u64 as u64, i8 as u8, i16 as u16, i32 as u32, i64 as u64);

impl sealed::Sealed for f32 {}

impl Scalar for f32 {
    fn bits(self) -> u64 {
        u64::from(self.to_bits())
    }

    fn from_bits(word: u64) -> Result<Self, (&'static str, u64)> {
        Ok(Self::from_bits(word as u32))
    }
}

impl sealed::Sealed for f64 {}

impl Scalar for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }

    fn from_bits(word: u64) -> Result<Self, (&'static str, u64)> {
        Ok(Self::from_bits(word))
    }
}

impl sealed::Sealed for bool {}

impl Scalar for bool {
    fn bits(self) -> u64 {
        u64::from(self)
    }

    fn from_bits(word: u64) -> Result<Self, (&'static str, u64)> {
        match word as u8 {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(("0 (false) or 1 (true)", u64::from(other))),
        }
    }
}

/// Writes a field at its offset in bytes into words that are 0 there.
#[doc(hidden)]
pub fn put<V: Scalar>(words: &mut [u64], offset: usize, value: V) {
    words[offset / 8] |= value.bits() << (offset % 8 * 8);
}

/// Reads a field at its offset in bytes.
#[doc(hidden)]
pub fn get<V: Scalar>(
    words: &[u64],
    offset: usize,
    record: &'static str,
    field: &'static str,
) -> Result<V, InvalidRecord> {
    V::from_bits(words[offset / 8] >> (offset % 8 * 8)).map_err(|(expected, got)| InvalidRecord {
        record,
        field,
        expected,
        got,
    })
}

/// How long a name is as [`camel`] writes it.
#[doc(hidden)]
pub const fn camel_len(name: &str) -> usize {
    let (name, mut at, mut len) = (name.as_bytes(), 0, 0);
    while at < name.len() {
        len += (name[at] != b'_') as usize;
        at += 1;
    }
    len
}

/// A Rust field's name as TypeScript has it: `created_ts_ns` is `createdTsNs`.
#[doc(hidden)]
pub const fn camel<const N: usize>(name: &str) -> [u8; N] {
    let (name, mut out, mut at, mut len) = (name.as_bytes(), [0; N], 0, 0);
    while at < name.len() {
        if name[at] != b'_' {
            let begins = len > 0 && name[at - 1] == b'_';
            out[len] = if begins { name[at].to_ascii_uppercase() } else { name[at] };
            len += 1;
        }
        at += 1;
    }
    out
}

/// Declares a record: a `repr(C)` struct of numbers and truth values, aligned to 8 bytes, and its
/// [`Record`](crate::Record).
///
/// Fields are `u8` to `u64`, `i8` to `i64`, `f32`, `f64` or `bool`; gaps between them are written as 0. In TypeScript the
/// fields have the same order and offsets, and their names in camel case. The struct is `Clone` and `Copy`; ask for
/// other traits as usual. Every bit pattern is a record, but for a `bool` that is neither 0 nor 1.
///
/// ```
/// use velox_record::{Record, record};
///
/// record! {
///     /// What was traded at a price.
///     #[derive(Debug, PartialEq)]
///     pub struct LevelVolume {
///         /// The id of an instrument.
///         pub instrument: u16,
///         /// Ticks.
///         pub price: i64,
///         /// Lots.
///         pub traded_size: u64,
///     }
/// }
///
/// let level = LevelVolume { instrument: 7, price: -1, traded_size: 300 };
/// let mut words = [0; LevelVolume::WORDS];
/// level.to_words(&mut words);
/// assert_eq!(words, [7, u64::MAX, 300]);
/// assert_eq!(LevelVolume::from_words(&words)?, level);
/// assert_eq!(LevelVolume::FIELDS, [("instrument", 0), ("price", 8), ("tradedSize", 16)]);
/// # Ok::<(), velox_record::InvalidRecord>(())
/// ```
#[macro_export]
macro_rules! record {
    (
        $(#[$of_record:meta])*
        $seen:vis struct $name:ident {
            $($(#[$of_field:meta])* $field_seen:vis $field:ident: $type:ty),+ $(,)?
        }
    ) => {
        $(#[$of_record])*
        #[repr(C, align(8))]
        #[derive(Clone, Copy)]
        $seen struct $name {
            $($(#[$of_field])* $field_seen $field: $type),+
        }

        impl $crate::Record for $name {
            const NAME: &'static str = stringify!($name);
            const WORDS: usize = ::std::mem::size_of::<Self>() / 8;
            const FIELDS: &'static [$crate::Field] =
                &[$(($crate::record!(@name $field), ::std::mem::offset_of!(Self, $field))),+];

            fn to_words(&self, words: &mut [u64]) {
                words[..Self::WORDS].fill(0);
                $($crate::declare::put(words, ::std::mem::offset_of!(Self, $field), self.$field);)+
            }

            fn from_words(words: &[u64]) -> ::std::result::Result<Self, $crate::InvalidRecord> {
                ::std::result::Result::Ok(Self {
                    $($field: $crate::declare::get(
                        words,
                        ::std::mem::offset_of!(Self, $field),
                        Self::NAME,
                        $crate::record!(@name $field),
                    )?),+
                })
            }
        }
    };
    (@name $field:ident) => {{
        const BYTES: [u8; $crate::declare::camel_len(stringify!($field))] = $crate::declare::camel(stringify!($field));
        const NAME: &str = match ::std::str::from_utf8(&BYTES) {
            ::std::result::Result::Ok(name) => name,
            ::std::result::Result::Err(_) => stringify!($field),
        };
        NAME
    }};
}
