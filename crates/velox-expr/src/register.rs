use std::ops::Range;

use crate::BATCH;
use crate::failure::Status;
use crate::history::History;
use crate::types::Type;

/// One value a row. A truth value is false where its row's status is not a value, so that it may be used unread.
#[derive(Debug, Clone)]
pub(crate) enum Lanes {
    I64(Box<[i64; BATCH]>),
    U64(Box<[u64; BATCH]>),
    F64(Box<[f64; BATCH]>),
    Bool(Box<[bool; BATCH]>),
}

/// Where a step of a plan writes.
#[derive(Debug, Clone)]
pub(crate) struct Register {
    pub(crate) lanes: Lanes,
    pub(crate) status: Status,
    pub(crate) history: History,
}

impl Register {
    pub(crate) fn of(kind: &Type) -> Self {
        let lanes = match kind {
            Type::I64 | Type::Enum(_) => Lanes::I64(Box::new([0; BATCH])),
            Type::U64 => Lanes::U64(Box::new([0; BATCH])),
            Type::F64 => Lanes::F64(Box::new([0.0; BATCH])),
            Type::Bool => Lanes::Bool(Box::new([false; BATCH])),
        };
        Self { lanes, status: Status::new(), history: History::None }
    }

    /// The truth values. The planner lets only truth values in where this is called.
    pub(crate) fn bools(&self) -> &[bool; BATCH] {
        match &self.lanes {
            Lanes::Bool(values) => values,
            other => unreachable!("a plan that reads truth values from {other:?}"),
        }
    }

    /// The truth values to write, and the status beside them.
    pub(crate) fn bools_mut(&mut self) -> (&mut [bool; BATCH], &mut Status) {
        match &mut self.lanes {
            Lanes::Bool(values) => (values, &mut self.status),
            other => unreachable!("a plan that writes truth values to {other:?}"),
        }
    }
}

impl Lanes {
    /// The value as 64 bits.
    pub(crate) fn bits(&self, row: usize) -> u64 {
        match self {
            Self::I64(values) => values[row] as u64,
            Self::U64(values) => values[row],
            Self::F64(values) => values[row].to_bits(),
            Self::Bool(values) => u64::from(values[row]),
        }
    }

    /// Takes back what [`Self::bits`] gave.
    pub(crate) fn set_bits(&mut self, row: usize, bits: u64) {
        match self {
            Self::I64(values) => values[row] = bits as i64,
            Self::U64(values) => values[row] = bits,
            Self::F64(values) => values[row] = f64::from_bits(bits),
            Self::Bool(values) => values[row] = bits != 0,
        }
    }

    /// Sets rows 1 .. `rows` to what `from`, of the same type, has one row earlier.
    pub(crate) fn shift(&mut self, from: &Self, rows: usize) {
        match (from, self) {
            (Self::I64(from), Self::I64(to)) => to[1..rows].copy_from_slice(&from[..rows - 1]),
            (Self::U64(from), Self::U64(to)) => to[1..rows].copy_from_slice(&from[..rows - 1]),
            (Self::F64(from), Self::F64(to)) => to[1..rows].copy_from_slice(&from[..rows - 1]),
            (Self::Bool(from), Self::Bool(to)) => to[1..rows].copy_from_slice(&from[..rows - 1]),
            other => unreachable!("a plan that copies {other:?}"),
        }
    }

    pub(crate) fn fill_bits(&mut self, rows: Range<usize>, bits: u64) {
        match self {
            Self::I64(values) => values[rows].fill(bits as i64),
            Self::U64(values) => values[rows].fill(bits),
            Self::F64(values) => values[rows].fill(f64::from_bits(bits)),
            Self::Bool(values) => values[rows].fill(bits != 0),
        }
    }
}
