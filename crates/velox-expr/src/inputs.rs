use crate::{Scale, Scales};

/// What an expression may use beside the columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inputs<'a> {
    /// What decimal text counts in.
    pub scales: Scales,
    /// The params as they are at first: as many come with each batch.
    pub params: &'a [f64],
    /// The values that hold until they change, by their index.
    pub givens: &'a [Given],
}

/// The type of a value that a plan is given, such as the best bid: the same for all rows of a batch, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// An i64 that counts this.
    I64(Scale),
    /// An f64.
    F64,
}
