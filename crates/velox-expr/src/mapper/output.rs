//! From a register to one field of each record.

use crate::column::Window;
use crate::failure::{Failure, Status, VALUE};
use crate::field::Bits;
use crate::register::{Lanes, Register};
use crate::{BATCH, Holds};

/// One field of the records that are made.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) name: String,
    /// Where its values are.
    pub(super) register: usize,
    pub(super) bits: Bits,
    /// Whether it is the first of its word.
    pub(super) opens: bool,
    /// Whether its f64 becomes an f32.
    pub(super) short: bool,
    pub(super) fit: Option<Fit>,
}

/// What a whole number must be within for the field to hold it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    pub(super) window: Window,
    pub(super) holds: Holds,
}

impl Output {
    /// Writes the field of every row, whether it has a value or not.
    pub(super) fn store(&self, from: &Register, out: &mut [u64], words: usize) {
        match &from.lanes {
            Lanes::I64(values) => self.put(values, out, words, |value| value as u64),
            Lanes::U64(values) => self.put(values, out, words, |value| value),
            Lanes::F64(values) if self.short => self.put(values, out, words, |value| (value as f32).to_bits().into()),
            Lanes::F64(values) => self.put(values, out, words, f64::to_bits),
            Lanes::Bool(values) => self.put(values, out, words, u64::from),
        }
    }

    fn put<V: Copy>(&self, values: &[V; BATCH], out: &mut [u64], words: usize, to_bits: impl Fn(V) -> u64) {
        let (mask, shift) = self.bits.mask();
        let slots = out[self.bits.word()..].iter_mut().step_by(words).zip(values);
        if mask == u64::MAX {
            slots.for_each(|(slot, value)| *slot = to_bits(*value));
        } else if self.opens {
            slots.for_each(|(slot, value)| *slot = (to_bits(*value) & mask) << shift);
        } else {
            slots.for_each(|(slot, value)| *slot |= (to_bits(*value) & mask) << shift);
        }
    }

    /// Marks the rows whose number the field doesn't hold.
    pub(super) fn check(&self, from: &Register, status: &mut Status, rows: usize) {
        let Some(Fit { window, holds }) = self.fit else { return };
        let all = match &from.lanes {
            Lanes::I64(values) => values[..rows].iter().fold(true, |all, value| all & window.has(*value as u64)),
            Lanes::U64(values) => values[..rows].iter().fold(true, |all, value| all & window.has(*value)),
            other => unreachable!("a field of integers that is {other:?}"),
        };
        if all {
            return;
        }
        let beyond = Failure::Field(holds).status();
        for row in 0..rows {
            if self.status(from, row) == beyond {
                status.mark(row, beyond.max(status.at(row)));
            }
        }
    }

    /// What became of the field in this row.
    pub(super) fn status(&self, from: &Register, row: usize) -> u8 {
        match (from.status.at(row), self.fit) {
            (VALUE, Some(Fit { window, holds })) if !window.has(from.lanes.bits(row)) => Failure::Field(holds).status(),
            (status, _) => status,
        }
    }
}
