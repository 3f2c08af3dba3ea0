//! The low-latency engine: lock-free rings, exact order books, a nanosecond clock, bundles, and pipelines of native
//! stages. The package `velox-engine` for TypeScript is the same engine with the same names.
//!
//! ```
//! use std::sync::Arc;
//! use velox_engine::{OrderBook, RingBuffer, init_tsc, rdtsc, tsc_to_ns};
//!
//! init_tsc();
//! let start = rdtsc();
//! let ring = Arc::new(RingBuffer::<u64, 1024>::new());
//! ring.push(42).unwrap();
//! assert_eq!(ring.pop(), Some(42));
//!
//! let book = OrderBook::new();
//! book.update_bid(10_000, 100, tsc_to_ns(start)).unwrap();
//! assert_eq!(book.best_bid(), 10_000);
//! println!("{} ns", tsc_to_ns(rdtsc() - start));
//! ```
#![forbid(unsafe_code)]

mod bundle;
pub mod metrics;
pub mod pipeline;
pub mod stages;

pub use bundle::{BundleBuilder, DEFAULT_TIMEOUT, Flush, InvalidBundleMax, RingFull};
pub use metrics::{MetricsSnapshot, PrometheusMetrics, StageMetrics};
pub use velox_book::{self as book, *};
pub use velox_clock::{self as clock, init_tsc, rdtsc, tsc_to_ns};
pub use velox_expr as expr;
pub use velox_feed as feed;
pub use velox_live as live;
pub use velox_record::{self as record, *};
pub use velox_ring::{self as ring, *};
pub use velox_solana as solana;
pub use velox_sys as sys;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
