//! What flows through velox-engine: records with one fixed layout in Rust and TypeScript, and the instruments that say
//! what their integers mean.
//!
//! Prices and quantities are integers, ticks and lots of an [`Instrument`]; decimals exist only at the edge.
#![forbid(unsafe_code)]

mod bundle;
mod decimal;
#[doc(hidden)]
pub mod declare;
mod instrument;
mod market;
mod transaction;
mod wire;
mod words;

pub use bundle::{BUNDLE_CAPACITY, Bundle};
pub use decimal::{DecimalError, Step};
pub use declare::Scalar;
pub use instrument::{Instrument, InstrumentError};
pub use market::{EventKind, MarketEvent, Trade, flags};
pub use transaction::{InvalidTransaction, Transaction};
pub use wire::{Field, InvalidRecord, Record};
pub use words::Words;

/// The side of a book or an order, as stored in a record: bids are 0.
pub const BID: u8 = 0;
/// The side of a book or an order, as stored in a record: asks are 1.
pub const ASK: u8 = 1;

/// `bid` or `ask` for the stored side; any other number has no name.
pub fn side_name(side: u8) -> Option<&'static str> {
    match side {
        BID => Some("bid"),
        ASK => Some("ask"),
        _ => None,
    }
}

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
