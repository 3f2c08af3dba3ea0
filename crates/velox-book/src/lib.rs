//! Exact limit order books.
//!
//! [`L2Book`] has one writer and shows its readers one consistent instant per exchange event: take it for a feed.
//! [`OrderBook`] has any number of writers, whose updates add up, and no event but a change of one price: take it where
//! several threads write. [`QuoteCheck`] holds a book to the exchange's own quotes.
//!
//! ```
//! use velox_book::L2Book;
//! use velox_record::{ASK, BID, Instrument};
//!
//! let book = L2Book::new(Instrument::new("BTCUSDT", "", "0.10", "0.001")?);
//! let mut writer = book.claim("the example")?;
//! writer.apply(&[(BID, 618_001, 2_500), (ASK, 618_003, 1_000)], 7)?;
//! let top = book.top().unwrap();
//! assert_eq!((top.bid, top.ask, top.sequence), (618_001, 618_003, 7));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod far_levels;
mod l2_book;
mod l2_levels;
mod l2_side;
mod ladder;
mod level;
mod order_book;
mod quote_check;
mod seqlock;
mod sync;

pub use error::BookError;
pub use l2_book::{L2Book, L2Event, L2Writer, Standing, WeakL2Book};
pub use level::{Depth, Level, Top};
pub use order_book::OrderBook;
pub use quote_check::QuoteCheck;

/// The seqlock's model, for `tests/loom.rs`.
#[cfg(loom)]
pub use seqlock::Seqlock;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
