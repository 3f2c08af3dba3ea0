//! Lock-free rings between one producer and one consumer, in three forms over one protocol, and the sleep of a side
//! that has nothing to do.
//!
//! | | who checks that a side has one thread | memory |
//! |---|---|---|
//! | [`RingBuffer`] | each call, by a claim | Rust heap |
//! | [`ring`] and [`RingBuffer::split`] | the compiler | Rust heap |
//! | [`ForeignRing`] | the claim in its header | shared with scripts: hostile |
//!
//! The protocol is Lamport's ("Specifying concurrent program modules", TOPLAS 1983): the producer alone writes `tail`,
//! the consumer alone `head`; each keeps the other's last known cursor and looks again only when that says full or
//! empty.
//!
//! ```
//! use std::sync::Arc;
//! use velox_ring::RingBuffer;
//!
//! let ring = Arc::new(RingBuffer::<u64, 1024>::new());
//! let producer = Arc::clone(&ring);
//! let thread = std::thread::spawn(move || (0..100).for_each(|n| while producer.push(n).is_err() {}));
//! thread.join().unwrap();
//! assert_eq!(ring.pop(), Some(0));
//! assert_eq!(ring.len(), 99);
//! ```
#![cfg_attr(not(loom), warn(clippy::missing_panics_doc))]

mod awaited;
mod claim;
mod core;
mod foreign;
mod foreign_words;
mod halves;
mod parker;
mod ring_buffer;
mod sync;

pub use awaited::Awaited;
pub use foreign::{ForeignConsumer, ForeignError, ForeignProducer, ForeignRing, RingSide, header};
pub use foreign_words::ForeignWords;
pub use halves::{Consumer, InvalidCapacity, Producer, ring};
pub use parker::{Parker, Waker};
pub use ring_buffer::RingBuffer;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
