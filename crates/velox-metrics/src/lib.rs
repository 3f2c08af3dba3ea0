//! The accounts and latencies of a run in memory that other processes can read: a mapped file that the engine's process
//! owns, or the heap where none can be made. The engine never fails to start because of its metrics.
//!
//! [`Metrics`] is the writer's side, one for each run. [`Attached`] reads the file of another process, [`running`] finds
//! them. Both give a [`Snapshot`]. How the words lie is told in [`layout`].
//!
//! **Why no models of interleavings.** Each word has one writer, which adds to it by a plain load and a plain store; no
//! word says that another is ready, and no reader acts on two of them as if they were one. There is nothing that
//! could interleave wrongly: a reader sees of each word a value that it had, and of two words values of about the same
//! time. Where two must agree, the reader takes the one downstream first (see [`layout`]).
//!
//! ```
//! use velox_metrics::{Hop, HistogramOf, Memory, Metrics, Shape};
//!
//! let shape = Shape {
//!     run: "example".into(),
//!     stages: vec!["source".into(), "sink".into()],
//!     histograms: vec![HistogramOf { stage: Some(1), hops: vec![Hop::Stage] }],
//!     ..Shape::default()
//! };
//! let metrics = Metrics::new(shape, Memory::Heap);
//! metrics.stage(1).publish([3, 0, 3, 0, 0, 0, 0, 120]);
//! metrics.histogram(0).unwrap().record(1_500, 3);
//! let snapshot = metrics.snapshot(0);
//! assert_eq!(snapshot.stages[1].taken, 3);
//! assert_eq!(snapshot.histograms[0].percentiles().unwrap().count, 3);
//! ```
#![forbid(unsafe_code)]

mod buckets;
mod counters;
mod error;
mod exposition;
mod folder;
mod hiccup;
mod histogram;
pub mod layout;
mod market;
mod prometheus;
mod reader;
mod shape;
mod snapshot;
mod state;
mod transactions;
mod writer;

pub use buckets::{Buckets, Percentiles};
pub use counters::{BookCounters, EdgeCounters, MarketCounters, StageCounters, SymbolCounters, ThreadCounters};
pub use error::AttachError;
pub use exposition::{Family, InvalidLabel, Kind, Label, LabelName, Labels, Sample, text};
pub use folder::folder;
pub use hiccup::{Watched, watch};
pub use histogram::{HIGHEST, Histogram};
pub use market::{LiveState, SymbolState};
pub use prometheus::families;
pub use reader::{Attached, Running, running, running_in};
pub use shape::{BookOf, EdgeOf, HistogramOf, Hop, MarketOf, Shape, SymbolOf, ThreadOf};
pub use snapshot::{BookState, BookWords, EdgeWords, MarketWords, Snapshot, StageWords, SymbolWords, ThreadWords};
pub use state::RunState;
pub use transactions::PrometheusMetrics;
pub use writer::{Memory, Metrics};

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
