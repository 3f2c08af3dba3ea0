//! The shims that velox-engine stands on: the processor's time counter, read in one instruction.
//!
//! This crate says what the processor can do; whether to trust it is the clock's business.

mod counter;

pub use counter::{Counter, counter, read_counter};
