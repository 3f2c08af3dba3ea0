//! Lock-free rings, and the sleep of a side that has nothing to do.
//!
//! | | producers → consumers | when full | memory |
//! |---|---|---|---|
//! | [`RingBuffer`] | 1 → 1, shared by reference: each call checks a claim | refuses | Rust heap |
//! | [`ring`], [`RingBuffer::split`] | 1 → 1, as two values: the compiler checks | refuses | Rust heap |
//! | [`mpsc_ring`] | n → 1 | refuses | Rust heap |
//! | [`broadcast_ring`] | 1 → n, each sees every record | refuses: the slowest gates | Rust heap |
//! | [`latest_ring`] | 1 → n, each sees what is still there | writes over the oldest, and says so | Rust heap |
//! | [`ForeignRing`] | 1 → 1, by claims in its header | refuses | shared with scripts: hostile |
//!
//! Of each kind on the Rust heap there is one whose name begins with `blocking_`, which wakes who sleeps; [`Wait`] says
//! how a side passes the time. An end that is dropped closes its ring: the other side is woken and told, and what waits
//! can still be taken.
//!
//! The protocol of the first two is Lamport's ("Specifying concurrent program modules", TOPLAS 1983): the producer alone
//! writes `tail`, the consumer alone `head`; each keeps the other's last known cursor and looks again only when that says
//! full or empty.
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

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod awaited;
mod bed;
mod broadcast;
mod chunk;
mod claim;
mod core;
mod foreign;
mod foreign_words;
mod halves;
mod latest;
mod mpsc;
mod parker;
mod ring_buffer;
mod slots;
mod sync;
mod wait;

pub use awaited::Awaited;
pub use broadcast::{BroadcastChunk, BroadcastConsumer, BroadcastProducer, blocking_broadcast_ring, broadcast_ring};
pub use chunk::{ReadChunk, WriteChunk};
pub use foreign::{ForeignConsumer, ForeignError, ForeignProducer, ForeignRing, RingSide, header};
pub use foreign_words::ForeignWords;
pub use halves::{Consumer, InvalidCapacity, Producer, blocking_ring, ring};
pub use latest::{Latest, LatestConsumer, LatestProducer, blocking_latest_ring, latest_ring};
pub use mpsc::{MpscConsumer, MpscProducer, blocking_mpsc_ring, mpsc_ring};
pub use parker::{Parker, Waker};
pub use ring_buffer::RingBuffer;
pub use wait::{Backoff, Block, PopError, PushError, Sleeper, Spin, Wait, Yield};
