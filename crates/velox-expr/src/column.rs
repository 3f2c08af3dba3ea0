use velox_record::Record;

use crate::BATCH;

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
/// It takes a whole batch, so that the compiler sees the loop.
pub enum Load<T> {
    /// Signed integers, and unsigned ones of 32 bits or fewer.
    I64(fn(&[T], &mut [i64])),
    /// Unsigned integers of 64 bits.
    U64(fn(&[T], &mut [u64])),
    /// Floating point.
    F64(fn(&[T], &mut [f64])),
    /// Truth values.
    Bool(fn(&[T], &mut [bool])),
    /// An index into the names.
    Enum(&'static [&'static str], fn(&[T], &mut [i64])),
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
pub struct Gate<T> {
    /// Sets each row's flag.
    pub set: fn(&[T], Window, &mut [bool]),
    /// Clears the flags of the rows outside.
    pub keep: fn(&[T], Window, &mut [bool]),
    /// Lists the rows inside and says how many they are.
    pub list: fn(&[T], Window, &mut Places) -> usize,
    /// Shortens a list of so many rows to those inside.
    pub pick: fn(&[T], Window, &mut Places, usize) -> usize,
}

/// One field of a record as an expression sees it. Made by [`column!`](crate::column).
pub struct Column<T: 'static> {
    /// The name in the TypeScript face.
    pub name: &'static str,
    /// What its integers count.
    pub scale: Scale,
    /// How a batch of it is read.
    pub load: Load<T>,
    /// How a batch of it is compared with one number, for integers.
    pub gate: Option<Gate<T>>,
}

/// One column: name, scale, kind (`I64`, `U64`, `F64`, `Bool` or `Enum(names)`), and where a row has it.
///
/// ```
/// use velox_expr::{Column, column};
/// use velox_record::Trade;
/// const PRICE: Column<Trade> = column!("price", Price, I64, |row| row.price);
/// assert_eq!(PRICE.name, "price");
/// ```
#[macro_export]
macro_rules! column {
    ($name:expr, $scale:ident, I64, |$row:ident| $value:expr) => {
        $crate::column!(@integer $name, $scale, $row, i64::from($value), $crate::Load::I64($crate::column!(@load $row, i64::from($value))))
    };
    ($name:expr, $scale:ident, U64, |$row:ident| $value:expr) => {
        $crate::column!(@integer $name, $scale, $row, u64::from($value), $crate::Load::U64($crate::column!(@load $row, u64::from($value))))
    };
    ($name:expr, $scale:ident, Enum($names:expr), |$row:ident| $value:expr) => {
        $crate::column!(@integer $name, $scale, $row, i64::from($value), $crate::Load::Enum($names, $crate::column!(@load $row, i64::from($value))))
    };
    ($name:expr, $scale:ident, F64, |$row:ident| $value:expr) => {
        $crate::column!(@plain $name, $scale, $crate::Load::F64($crate::column!(@load $row, f64::from($value))))
    };
    ($name:expr, $scale:ident, Bool, |$row:ident| $value:expr) => {
        $crate::column!(@plain $name, $scale, $crate::Load::Bool($crate::column!(@load $row, $value)))
    };
    (@load $row:ident, $value:expr) => {
        |rows, values| {
            for (value, $row) in values.iter_mut().zip(rows) {
                *value = $value;
            }
        }
    };
    (@plain $name:expr, $scale:ident, $load:expr) => {
        $crate::Column { name: $name, scale: $crate::Scale::$scale, load: $load, gate: None }
    };
    (@integer $name:expr, $scale:ident, $row:ident, $value:expr, $load:expr) => {
        $crate::Column {
            name: $name,
            scale: $crate::Scale::$scale,
            load: $load,
            gate: Some($crate::Gate {
                set: |rows, window, flags| {
                    for (flag, $row) in flags.iter_mut().zip(rows) {
                        *flag = window.has($value as u64);
                    }
                },
                keep: |rows, window, flags| {
                    for (flag, $row) in flags.iter_mut().zip(rows) {
                        *flag &= window.has($value as u64);
                    }
                },
                list: |rows, window, places| {
                    let mut count = 0;
                    for (place, $row) in rows.iter().take($crate::BATCH).enumerate() {
                        places[count % $crate::BATCH] = place as u16;
                        count += usize::from(window.has($value as u64));
                    }
                    count
                },
                pick: |rows, window, places, from| {
                    let mut count = 0;
                    for at in 0..from.min($crate::BATCH) {
                        let place = places[at];
                        let $row = &rows[usize::from(place)];
                        places[count % $crate::BATCH] = place;
                        count += usize::from(window.has($value as u64));
                    }
                    count
                },
            }),
        }
    };
}
