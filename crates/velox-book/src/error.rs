use thiserror::Error;

/// Why a book refused. Nothing was applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BookError {
    /// Other writers held the book through every try.
    #[error("the book was busy through {attempts} tries: nothing was applied")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// The book has a writer.
    #[error("expected a book without a writer, got one that {by} writes")]
    Owned {
        /// Who it is.
        by: String,
    },
    /// A quantity beyond 64 bits.
    #[error("expected a quantity within 64 bits, got {delta} on top of {have} at {price}")]
    Overflow {
        /// Ticks.
        price: i64,
        /// What stands there, in lots.
        have: i64,
        /// What was to be added, in lots.
        delta: i64,
    },
    /// No level of a book.
    #[error("expected side 0 (bid) or 1 (ask) and a quantity of 0 or more, got side {side}, {qty} lots at {price}")]
    InvalidLevel {
        /// The side as given.
        side: u8,
        /// Ticks.
        price: i64,
        /// The quantity as given.
        qty: i64,
    },
}
