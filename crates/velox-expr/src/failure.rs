use thiserror::Error;

use crate::{BATCH, Holds};

/// Why a row has failed. Of several reasons in one row, the last in this list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum Failure {
    /// `prev`, `over` or a given value had none. Only where records are made of values: a filter has
    /// [`Failures::absent`].
    #[error("no value")]
    NoValue,
    /// A result beyond the 64 bits of its type.
    #[error("the result is beyond 64 bits")]
    Overflow,
    /// A result of u64 and i64 that is no i64.
    #[error("the result of u64 and i64 is not within i64")]
    OutOfRange,
    /// An integer divided by 0.
    #[error("division by 0")]
    DivisionByZero,
    /// One key more than `over` was made for.
    #[error("more keys than maxKeys")]
    TooManyKeys,
    /// A param that is missing, or that meets integers and is no integer of their type. It fails every row.
    #[error("a param is missing or no integer where one is needed")]
    Param,
    /// A whole number beyond the field that a record was to have it in.
    #[error("beyond the field, which holds {0}")]
    Field(Holds),
}

/// A row's status: a value, or from 1 the number of a [`Failure`]. The greater of two operands' goes on.
pub(crate) const VALUE: u8 = 0;
pub(crate) const ABSENT: u8 = 1;

impl Failure {
    fn of_status(status: u8) -> Option<Self> {
        Some(match status {
            VALUE => return None,
            ABSENT => Self::NoValue,
            2 => Self::Overflow,
            3 => Self::OutOfRange,
            4 => Self::DivisionByZero,
            5 => Self::TooManyKeys,
            6 => Self::Param,
            beyond => Self::Field(Holds::ALL[usize::from(beyond) - 7]),
        })
    }

    pub(crate) const fn status(self) -> u8 {
        match self {
            Self::NoValue => ABSENT,
            Self::Overflow => 2,
            Self::OutOfRange => 3,
            Self::DivisionByZero => 4,
            Self::TooManyKeys => 5,
            Self::Param => 6,
            Self::Field(holds) => 7 + holds as u8,
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
        (0..rows).for_each(|row| all.add(row, failure.status()));
        all
    }

    /// Like [`Self::of`], where no value is a failure too.
    pub(crate) fn strict(status: &Status, rows: usize) -> Self {
        let mut all = Self::default();
        if status.is_marked() {
            (0..rows).for_each(|row| all.fail(row, status.at(row)));
        }
        all
    }

    fn add(&mut self, row: usize, status: u8) {
        if status == ABSENT {
            self.absent[row / 64] |= 1 << (row % 64);
        } else {
            self.fail(row, status);
        }
    }

    fn fail(&mut self, row: usize, status: u8) {
        if let Some(failure) = Failure::of_status(status) {
            self.failed[row / 64] |= 1 << (row % 64);
            self.first = self.first.or(Some((row as u16, failure)));
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

    /// How many rows have no value because `prev` or `over` had none, or a given value: 0 ..= 256.
    pub fn absent_count(&self) -> usize {
        count(&self.absent)
    }

    /// Whether this row has no value because `prev` or `over` had none, or a given value.
    pub fn absent(&self, row: usize) -> bool {
        has(&self.absent, row)
    }
}
