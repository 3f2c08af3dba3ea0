//! The stages and sinks that come with the engine, and the steps of [`Pipeline`](crate::pipeline::Pipeline) that make them.

mod book;
mod bundle;
mod conflate;
mod count;
mod dedupe;
mod doorbell;
mod evaluate;
mod file;
mod filter;
#[cfg(test)]
mod harness;
mod key;
mod key_map;
mod live;
mod map;
mod merge_times;
mod option;
mod rate_limit;
mod ring;
mod sample;
mod timed;
mod trades;
mod transactions;

pub use book::BookStage;
pub use bundle::{BundleOptions, BundleStage};
pub use conflate::{Conflate, ConflateOptions};
pub use count::Count;
pub use dedupe::{Dedupe, DedupeOptions};
pub use doorbell::Doorbell;
pub use evaluate::{BookValue, Evaluator, Surroundings};
pub use file::{FileFormat, FileSink};
pub use filter::{Filter, route};
pub use key::DEFAULT_MAX_KEYS;
pub use live::LiveSource;
pub use map::make;
pub use merge_times::times;
pub use option::InvalidOption;
pub use rate_limit::RateLimit;
pub use ring::{RingSink, RingSource};
pub use sample::SampleEvery;
pub use timed::Timed;
pub use trades::Trades;
pub use transactions::Transactions;
