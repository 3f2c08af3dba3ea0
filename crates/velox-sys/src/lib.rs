//! The shims that velox-engine stands on: the processor's time counter, read in one instruction; cache lines asked for
//! ahead; words in a mapped file, for other processes to read; folders that are the user's alone; whether a process lives;
//! variables of the environment beside a runtime that writes them; an allocator that counts, for tests.
//!
//! This crate says what the processor and the system can do; what to make of it is the business of those above.

mod counter;
mod counting;
mod environment;
mod folder;
mod map;
mod prefetch;
mod process;

pub use counter::{Counter, counter, read_counter};
pub use counting::{Allocated, Counting};
pub use environment::{give_variables, temporary_folder, variable};
pub use folder::{is_own, private_folder};
pub use map::{Block, FileWords, WordMap};
pub use prefetch::{prefetch_read, prefetch_write};
pub use process::{process_lives, process_start, user};

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
