use std::borrow::Cow;

use velox_record::Record;

use crate::BATCH;
use crate::field::{Bits, Kind, Names};

/// A record whose fields are columns.
pub trait Table: Record {
    /// The columns by the names of the TypeScript face.
    const COLUMNS: &'static [Column<Self>];
}

/// What the integers of a column count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Nothing that decimal text could mean.
    #[default]
    None,
    /// Ticks.
    Price,
    /// Lots.
    Qty,
}

/// Copies one field of a batch of records; both slices have the same length.
///
/// It takes a whole batch, so that the compiler sees the loop. The bits say where a record of words has the field; for
/// others they mean nothing, here and in a [`Gate`].
#[derive(Debug, Clone)]
pub enum Load<T> {
    /// Signed integers, unsigned ones of 32 bits or fewer, and the numbers of names.
    I64(fn(&[T], Bits, &mut [i64])),
    /// Unsigned integers of 64 bits.
    U64(fn(&[T], Bits, &mut [u64])),
    /// Floating point.
    F64(fn(&[T], Bits, &mut [f64])),
    /// Truth values.
    Bool(fn(&[T], Bits, &mut [bool])),
}

/// Integers from `lo` to `lo + width`, around the end of 64 bits where need be.
///
/// Every comparison of a column with one number is such a window, so one test does for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    lo: u64,
    width: u64,
}

impl Window {
    pub(crate) const fn new(lo: u64, width: u64) -> Self {
        Self { lo, width }
    }

    /// Whether it holds these 64 bits.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loops around it only vectorise once it is gone")]
    pub const fn has(self, bits: u64) -> bool {
        bits.wrapping_sub(self.lo) <= self.width
    }
}

/// Places of rows in a batch, ascending; only the first so many count.
pub type Places = [u16; BATCH];

/// Tests one field of a batch against a window without a copy of it.
///
/// Places are written before they are counted: a branch would be guessed wrong in most filters.
#[derive(Debug, Clone)]
pub struct Gate<T> {
    /// Sets each row's flag.
    pub set: fn(&[T], Bits, Window, &mut [bool]),
    /// Clears the flags of the rows outside.
    pub keep: fn(&[T], Bits, Window, &mut [bool]),
    /// Lists the rows inside and says how many they are.
    pub list: fn(&[T], Bits, Window, &mut Places) -> usize,
    /// Shortens a list of so many rows to those inside.
    pub pick: fn(&[T], Bits, Window, &mut Places, usize) -> usize,
}

/// One field of a record as an expression sees it. A native one is made by [`column!`](crate::column).
#[derive(Debug, Clone)]
pub struct Column<T: 'static> {
    /// The name in the TypeScript face.
    pub name: Cow<'static, str>,
    /// What its integers count.
    pub scale: Scale,
    /// How a record stores it.
    pub kind: Kind,
    /// How a batch of it is read.
    pub load: Load<T>,
    /// How a batch of it is compared with one number, for integers.
    pub gate: Option<Gate<T>>,
    /// Where a record of words has it.
    pub bits: Bits,
}

/// What a field of a native record may be.
pub trait Stored {
    /// How the record stores it.
    const KIND: Kind;
}

macro_rules! stored {
    ($($type:ty: $kind:ident),*) => {
        $(impl Stored for $type {
            const KIND: Kind = Kind::$kind;
        })*
    };
}

stored!(u8: U8, i8: I8, u16: U16, i16: I16, u32: U32, i32: I32, u64: U64, i64: I64, f32: F32, f64: F64, bool: Bool);

impl<T> Column<T> {
    /// A column of a native record, whose field is a `V`.
    pub const fn new<V: Stored>(
        name: &'static str,
        scale: Scale,
        _: fn(&T) -> V,
        load: Load<T>,
        gate: Option<Gate<T>>,
    ) -> Self {
        Self::of_kind(name, scale, V::KIND, load, gate)
    }

    /// A column of a native record, whose field is a byte: the number of a name.
    pub const fn named(name: &'static str, names: &'static [&'static str], load: Load<T>, gate: Gate<T>) -> Self {
        Self::of_kind(name, Scale::None, Kind::Names { names: Names::Static(names) }, load, Some(gate))
    }

    const fn of_kind(name: &'static str, scale: Scale, kind: Kind, load: Load<T>, gate: Option<Gate<T>>) -> Self {
        Self { name: Cow::Borrowed(name), scale, kind, load, gate, bits: Bits::none() }
    }
}

/// One column: name, scale, kind (`I64`, `U64`, `F64`, `Bool` or `Enum(names)`), and where a row has it.
///
/// ```
/// use velox_expr::{Column, Kind, column};
/// use velox_record::Trade;
/// const PRICE: Column<Trade> = column!("price", Price, I64, |row| row.price);
/// assert_eq!((PRICE.name, PRICE.kind), ("price".into(), Kind::I64));
/// ```
#[macro_export]
macro_rules! column {
    ($name:expr, $scale:ident, I64, |$row:ident| $value:expr) => {
        $crate::column!(@integer $name, $scale, $row, $value, i64, I64)
    };
    ($name:expr, $scale:ident, U64, |$row:ident| $value:expr) => {
        $crate::column!(@integer $name, $scale, $row, $value, u64, U64)
    };
    ($name:expr, $scale:ident, Enum($names:expr), |$row:ident| $value:expr) => {
        $crate::Column::named(
            $name,
            $names,
            $crate::Load::I64($crate::column!(@load $row, _bits, i64::from($value))),
            $crate::column!(@gate $row, _bits, i64::from($value)),
        )
    };
    ($name:expr, $scale:ident, F64, |$row:ident| $value:expr) => {
        $crate::column!(@plain $name, $scale, $row, $value, $crate::Load::F64($crate::column!(@load $row, _bits, f64::from($value))))
    };
    ($name:expr, $scale:ident, Bool, |$row:ident| $value:expr) => {
        $crate::column!(@plain $name, $scale, $row, $value, $crate::Load::Bool($crate::column!(@load $row, _bits, $value)))
    };
    (@plain $name:expr, $scale:ident, $row:ident, $value:expr, $load:expr) => {
        $crate::Column::new($name, $crate::Scale::$scale, |$row| $value, $load, None)
    };
    (@integer $name:expr, $scale:ident, $row:ident, $value:expr, $type:ident, $load:ident) => {
        $crate::Column::new(
            $name,
            $crate::Scale::$scale,
            |$row| $value,
            $crate::Load::$load($crate::column!(@load $row, _bits, $type::from($value))),
            Some($crate::column!(@gate $row, _bits, $type::from($value))),
        )
    };
    (@load $row:ident, $bits:ident, $value:expr) => {
        |rows, $bits, values| {
            for (value, $row) in values.iter_mut().zip(rows) {
                *value = $value;
            }
        }
    };
    (@gate $row:ident, $bits:ident, $value:expr) => {
        $crate::Gate {
            set: |rows, $bits, window, flags| {
                for (flag, $row) in flags.iter_mut().zip(rows) {
                    *flag = window.has($value as u64);
                }
            },
            keep: |rows, $bits, window, flags| {
                for (flag, $row) in flags.iter_mut().zip(rows) {
                    *flag &= window.has($value as u64);
                }
            },
            list: |rows, $bits, window, places| {
                let mut count = 0;
                for (place, $row) in rows.iter().take($crate::BATCH).enumerate() {
                    places[count % $crate::BATCH] = place as u16;
                    count += usize::from(window.has($value as u64));
                }
                count
            },
            pick: |rows, $bits, window, places, from| {
                let mut count = 0;
                for at in 0..from.min($crate::BATCH) {
                    let place = places[at];
                    let $row = &rows[usize::from(place)];
                    places[count % $crate::BATCH] = place;
                    count += usize::from(window.has($value as u64));
                }
                count
            },
        }
    };
}
