//! Live markets: a thread that connects to a venue, keeps its books in step, records, and never waits for the pipeline.
//!
//! ```no_run
//! use velox_feed::Venue;
//! use velox_live::{Live, LiveOptions};
//! use velox_record::Instrument;
//!
//! let btc = Instrument::new("BTCUSDT", "binance-spot", "0.01", "0.00001")?;
//! let live = Live::new(LiveOptions::new(Venue::BinanceSpot, vec![btc]))?;
//! let stats = live.stats();
//! let mut events = live.start(None)?;
//! let mut batch = Vec::new();
//! while events.pop_into(&mut batch, 256) == 0 {
//!     std::thread::yield_now();
//! }
//! println!("{:?} {:?}", batch[0], stats.report());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it promises
//!
//! The socket is always read: events wait in a ring for a pipeline that is behind. When even that is full, the connection
//! is given up, the books are stale, and a new one is made once the pipeline has caught up; nothing in between is
//! guessed. Whatever else goes wrong is tried again with backoff and jitter, and counted ([`LiveReport`]).
#![forbid(unsafe_code)]

mod backoff;
mod books;
mod connection;
mod dial;
mod end;
mod endpoint;
mod error;
mod http;
mod live;
mod options;
mod outbox;
mod quiet;
mod recorder;
mod rest;
mod resync;
mod stats;
mod stop;
mod tls;
mod websocket;

pub use backoff::BackoffOptions;
pub use error::LiveError;
pub use live::{Live, LiveEvents};
pub use options::LiveOptions;
pub use stats::{LiveReport, LiveStats, Place, SymbolReport};
pub use velox_metrics::LiveState;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
