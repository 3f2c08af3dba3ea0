//! A record of every kind of column, which the engine's own records are not.
#![allow(dead_code, reason = "each test file takes what it needs")]

use velox_expr::{Column, Load, Scale, Table, column};
use velox_record::{Field, InvalidRecord, Record};

/// Two columns of each number, and one of each other type.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Row {
    pub a: i64,
    pub b: i64,
    pub u: u64,
    pub v: u64,
    pub x: f64,
    pub y: f64,
    pub t: bool,
    pub s: u8,
}

pub const NAMES: &[&str] = &["zero", "one", "two"];

impl Record for Row {
    const NAME: &'static str = "Row";
    const WORDS: usize = 0;
    const FIELDS: &'static [Field] = &[];
    fn to_words(&self, _: &mut [u64]) {}
    fn from_words(_: &[u64]) -> Result<Self, InvalidRecord> {
        Ok(Self::default())
    }
}

impl Table for Row {
    const COLUMNS: &'static [Column<Self>] = &[
        column!("a", Price, I64, |row| row.a),
        // By hand, as a column without a gate is read another way.
        Column::new(
            "b",
            Scale::None,
            |row| row.b,
            Load::I64(|rows, _, values| values.iter_mut().zip(rows).for_each(|(value, row)| *value = row.b)),
            None,
        ),
        column!("u", None, U64, |row| row.u),
        column!("v", Qty, U64, |row| row.v),
        column!("x", None, F64, |row| row.x),
        column!("y", None, F64, |row| row.y),
        column!("t", None, Bool, |row| row.t),
        column!("s", None, Enum(NAMES), |row| row.s),
    ];
}
