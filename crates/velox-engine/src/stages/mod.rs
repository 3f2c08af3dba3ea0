//! The stages and sinks that come with the engine, and the steps of [`Pipeline`](crate::pipeline::Pipeline) that make them.

mod book;
mod bundle;
mod count;
mod doorbell;
mod filter;
mod ring;
mod trades;
mod transactions;

pub use book::BookStage;
pub use bundle::{BundleOptions, BundleStage};
pub use count::Count;
pub use doorbell::Doorbell;
pub use filter::Filter;
pub use ring::{RingSink, RingSource};
pub use trades::Trades;
pub use transactions::Transactions;
