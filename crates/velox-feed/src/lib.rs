//! Where market data comes from: recorded exchange messages, decoded and synchronised by the venue's own rules, and
//! synthetic arrivals.
//!
//! [`Feed`] decodes one connection and keeps its books in step, or says that it can't; [`MessageWriter`] records one.
//!
//! A source is an [`Arrivals`]: one call, one message, its [`MarketEvent`](velox_record::MarketEvent)s appended to a
//! buffer that the caller keeps. [`Replay`] reads a recorded file, [`Poisson`] makes one up.
//! [`VeloxWriter`] and [`CsvWriter`] record what came of them.
#![forbid(unsafe_code)]

mod ahead;
mod arrivals;
mod csv;
mod dbn;
mod decimals;
mod error;
mod feed;
mod json;
mod line_replay;
mod lines;
mod poisson;
mod recording;
mod replay;
mod unpack;
mod velox_file;

pub use arrivals::Arrivals;
pub use csv::CsvWriter;
pub use error::FeedError;
pub use feed::{Applied, BookFeed, Checks, Counts, Feed, FeedState, Heartbeat, Venue, VerifiedBy};
pub use lines::{LineReader, MAX_LINE};
pub use poisson::{Poisson, PoissonOptions};
pub use recording::MessageWriter;
pub use replay::{Replay, ReplayOptions};
pub use velox_file::{FieldKind, FieldPlace, Native, RecordWriter, Schema, VeloxReader, VeloxWriter};

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
