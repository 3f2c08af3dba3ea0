use thiserror::Error;

use crate::BATCH;

/// Why a row has failed. Of several reasons in one row, the last in this list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
#[repr(u8)]
pub enum Failure {
    /// A result beyond the 64 bits of its type.
    #[error("the result is beyond 64 bits")]
    Overflow = 2,
    /// A result of u64 and i64 that is no i64.
    #[error("the result of u64 and i64 is not within i64")]
    OutOfRange = 3,
    /// An integer divided by 0.
    #[error("division by 0")]
    DivisionByZero = 4,
    /// One key more than `over` was made for.
    #[error("more keys than maxKeys")]
    TooManyKeys = 5,
    /// A param that is missing, or that meets integers and is no integer of their type. It fails every row.
    #[error("a param is missing or no integer where one is needed")]
    Param = 6,
}

/// A row's status: a value, none, or from 2 the number of a [`Failure`]. The greater of two operands' goes on.
pub(crate) const VALUE: u8 = 0;
pub(crate) const ABSENT: u8 = 1;

impl Failure {
    fn of_status(status: u8) -> Option<Self> {
        match status {
            VALUE | ABSENT => None,
            2 => Some(Self::Overflow),
            3 => Some(Self::OutOfRange),
            4 => Some(Self::DivisionByZero),
            5 => Some(Self::TooManyKeys),
            _ => Some(Self::Param),
        }
    }
}

/// The status of each row of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    /// Whether any row may have another status than [`VALUE`]; until then `of` means nothing.
    marked: bool,
    of: Box<[u8; BATCH]>,
}

impl Status {
    pub(crate) fn new() -> Self {
        Self { marked: false, of: Box::new([VALUE; BATCH]) }
    }

    pub(crate) fn is_marked(&self) -> bool {
        self.marked
    }

    pub(crate) fn clear(&mut self) {
        self.marked = false;
    }

    pub(crate) fn at(&self, row: usize) -> u8 {
        if self.marked { self.of[row] } else { VALUE }
    }

    pub(crate) fn mark(&mut self, row: usize, status: u8) {
        if !self.marked {
            self.marked = true;
            self.of.fill(VALUE);
        }
        self.of[row] = status;
    }

    pub(crate) fn copy(&mut self, from: &Self) {
        self.marked = from.marked;
        if from.marked {
            self.of.copy_from_slice(&from.of[..]);
        }
    }

    /// Adds another operand's.
    pub(crate) fn join(&mut self, other: &Self) {
        if !other.marked {
            return;
        }
        if self.marked {
            for (to, from) in self.of.iter_mut().zip(&other.of[..]) {
                *to = (*to).max(*from);
            }
        } else {
            self.copy(other);
        }
    }
}

/// The rows of a batch that have no value: which failed, which have none, and the first failure's reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    failed: [u64; BATCH / 64],
    absent: [u64; BATCH / 64],
    first: Option<(u16, Failure)>,
}

fn count(rows: &[u64]) -> usize {
    rows.iter().map(|word| word.count_ones() as usize).sum()
}

fn has(rows: &[u64], row: usize) -> bool {
    rows.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
}

impl Failures {
    pub(crate) fn of(status: &Status, rows: usize) -> Self {
        let mut all = Self::default();
        if status.is_marked() {
            for row in 0..rows {
                all.add(row, status.at(row));
            }
        }
        all
    }

    pub(crate) fn all(rows: usize, failure: Failure) -> Self {
        let mut all = Self::default();
        (0..rows).for_each(|row| all.add(row, failure as u8));
        all
    }

    fn add(&mut self, row: usize, status: u8) {
        let bit = 1 << (row % 64);
        if let Some(failure) = Failure::of_status(status) {
            self.failed[row / 64] |= bit;
            self.first = self.first.or(Some((row as u16, failure)));
        } else if status == ABSENT {
            self.absent[row / 64] |= bit;
        }
    }

    /// The first row that failed, 0 ..= 255, and why.
    pub const fn first(&self) -> Option<(u16, Failure)> {
        self.first
    }

    /// How many rows failed: 0 ..= 256.
    pub fn count(&self) -> usize {
        count(&self.failed)
    }

    /// Whether this row failed.
    pub fn failed(&self, row: usize) -> bool {
        has(&self.failed, row)
    }

    /// How many rows have no value because `prev` or `over` had none: 0 ..= 256.
    pub fn absent_count(&self) -> usize {
        count(&self.absent)
    }

    /// Whether this row has no value because `prev` or `over` had none.
    pub fn absent(&self, row: usize) -> bool {
        has(&self.absent, row)
    }
}
