//! The ring over memory that a script can reach: a SharedArrayBuffer.
//!
//! Any script may write any word of it at any time, so nothing that stands there is believed, and Rust never forms a
//! slice or a reference to data in it: each word is copied by an atomic of its own size. Invariants that the unsafe
//! blocks rest on:
//!
//! 1. `at` is 8-byte aligned and valid for the header and `capacity` slots while `keep_alive` lives: the maker promised it for
//!    so many bytes, and `new` counted them.
//! 2. Every offset that is used is below that: the capacity and the stride were checked against it once and are kept
//!    here, not read again; a cursor is masked before it becomes an offset.
//! 3. Header cells are only accessed as 32-bit atomics, slots only as 64-bit ones.

use std::any::Any;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use thiserror::Error;
use velox_record::{InvalidRecord, Record};

const _: () = assert!(cfg!(target_endian = "little"), "the words of a shared ring are little endian");

/// The layout of a shared ring: byte offsets of 32-bit cells, and where the slots begin. Bytes 28 to 51 are the scripts' own
/// (`src/ring/layout.ts`): who of them sleeps, and how he is woken.
pub mod header {
    /// What the first cell holds: `VLXR`.
    pub const MAGIC: u32 = 0x564c_5852;
    /// The layout described here.
    pub const VERSION: u32 = 1;
    /// Offset of the cell that holds [`MAGIC`].
    pub const MAGIC_AT: usize = 0;
    /// Offset of the cell that holds [`VERSION`].
    pub const VERSION_AT: usize = 4;
    /// Slots; a power of two.
    pub const CAPACITY_AT: usize = 8;
    /// Bytes a slot; a multiple of 8.
    pub const STRIDE_AT: usize = 12;
    /// 1 once the ring is closed.
    pub const CLOSED_AT: usize = 16;
    /// Who pushes: 0 nobody, 1 ..= 0x7fff_ffff a script, from 0x8000_0000 native code.
    pub const PRODUCER_AT: usize = 20;
    /// Who pops, as above.
    pub const CONSUMER_AT: usize = 24;
    /// How many records were pushed, wrapping.
    pub const TAIL_AT: usize = 64;
    /// How many records were popped, wrapping.
    pub const HEAD_AT: usize = 128;
    /// The first slot.
    pub const SLOTS_AT: usize = 192;
}

/// A side of a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RingSide {
    /// Pushes.
    Producer,
    /// Pops.
    Consumer,
}

impl RingSide {
    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }

    const fn owner_at(self) -> usize {
        match self {
            Self::Producer => header::PRODUCER_AT,
            Self::Consumer => header::CONSUMER_AT,
        }
    }

    const fn cursor_at(self) -> usize {
        match self {
            Self::Producer => header::TAIL_AT,
            Self::Consumer => header::HEAD_AT,
        }
    }
}

/// What a shared ring refuses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForeignError {
    /// Somebody else has the side.
    #[error("the {} side of the ring: expected it free, got owner {by:#x}", side.name())]
    Claimed {
        /// The side.
        side: RingSide,
        /// Its owner.
        by: u32,
    },
    /// The ring was closed: nothing more can be pushed.
    #[error("expected an open ring, got a closed one")]
    Closed,
    /// Words that form no record.
    #[error(transparent)]
    Record(#[from] InvalidRecord),
    /// Memory that is no ring of this type.
    #[error("expected {expected}, got {got}")]
    NotARing {
        /// What the memory should hold.
        expected: String,
        /// What it holds.
        got: String,
    },
    /// A header cell changed that only its owner may change: somebody writes over the ring.
    #[error("the ring was written over: expected {cell} {expected}, got {got}")]
    Corrupt {
        /// The cell.
        cell: &'static str,
        /// What it could hold.
        expected: String,
        /// What it held.
        got: u32,
    },
}

/// A ring in memory shared with scripts, before a side of it is taken.
#[derive(Clone)]
pub struct ForeignRing<R> {
    at: NonNull<u64>,
    capacity: u32,
    #[expect(dead_code, reason = "held, never looked at: see invariant 1")]
    keep_alive: Arc<dyn Any + Send + Sync>,
    record: PhantomData<fn() -> R>,
}

// SAFETY: invariant 1 holds on any thread, and all access is by atomics.
unsafe impl<R> Send for ForeignRing<R> {}

impl<R: Record> ForeignRing<R> {
    /// Looks at the memory of a ring that a script made.
    ///
    /// # Errors
    /// [`ForeignError::NotARing`]: too short, no header of this version, another capacity or another record size.
    ///
    /// # Safety
    /// `at` is 8-byte aligned and valid for reads and writes of `bytes` bytes for as long as `keep_alive` lives, and
    /// nothing but atomics or scripts accesses it.
    pub unsafe fn new(
        at: NonNull<u64>,
        bytes: usize,
        capacity: u32,
        keep_alive: Arc<dyn Any + Send + Sync>,
    ) -> Result<Self, ForeignError> {
        let refuse = |expected: String, got: String| Err(ForeignError::NotARing { expected, got });
        let stride = R::WORDS * 8;
        let needed = (capacity as usize).checked_mul(stride).and_then(|slots| slots.checked_add(header::SLOTS_AT));
        if !capacity.is_power_of_two() || needed.is_none_or(|needed| bytes < needed) {
            return refuse(
                format!("{} bytes for a power of two of {} records", needed.unwrap_or(usize::MAX), R::NAME),
                format!("{bytes} bytes for {capacity}"),
            );
        }
        let ring = Self { at, capacity, keep_alive, record: PhantomData };
        let cells = [
            ("magic", header::MAGIC_AT, header::MAGIC),
            ("version", header::VERSION_AT, header::VERSION),
            ("capacity", header::CAPACITY_AT, capacity),
            ("stride", header::STRIDE_AT, stride as u32),
        ];
        for (name, offset, expected) in cells {
            let got = ring.cell(offset).load(Ordering::Relaxed);
            if got != expected {
                return refuse(format!("a ring of {} with {name} {expected:#x}", R::NAME), format!("{got:#x}"));
            }
        }
        Ok(ring)
    }

    /// Becomes the producer.
    ///
    /// # Errors
    /// [`ForeignError::Claimed`] where there is one, [`ForeignError::Corrupt`].
    pub fn producer(self) -> Result<ForeignProducer<R>, ForeignError> {
        Ok(ForeignProducer { side: Claimed::new(self, RingSide::Producer)? })
    }

    /// Becomes the consumer.
    ///
    /// # Errors
    /// As [`producer`](Self::producer).
    pub fn consumer(self) -> Result<ForeignConsumer<R>, ForeignError> {
        Ok(ForeignConsumer { side: Claimed::new(self, RingSide::Consumer)? })
    }

    /// A cell of the header; `offset` is one of [`header`]'s.
    fn cell(&self, offset: usize) -> &AtomicU32 {
        // Every caller names a constant, so nothing is left of this.
        assert!(offset < header::SLOTS_AT && offset.is_multiple_of(4));
        // SAFETY: invariants 1 and 3, and the check: the header lies in every ring, its cells are 4-byte aligned. An atomic may change
        // under the reference.
        unsafe { AtomicU32::from_ptr(self.at.as_ptr().cast::<u32>().add(offset / 4)) }
    }

    /// A word of the slot that a cursor stands at.
    ///
    /// # Safety
    /// `word` is below `R::WORDS`.
    unsafe fn word(&self, cursor: u32, word: usize) -> &AtomicU64 {
        let slot = (cursor & (self.capacity - 1)) as usize;
        // SAFETY: invariants 1 and 2 and the caller's promise: the masked slot lies below the capacity, so the word in the
        // ring; 3, as it is an atomic of 64 bits.
        unsafe { AtomicU64::from_ptr(self.at.as_ptr().add(header::SLOTS_AT / 8 + slot * R::WORDS + word)) }
    }

    fn is_closed(&self) -> bool {
        // Acquire: pairs with the store of whoever closed; what was pushed before is seen.
        self.cell(header::CLOSED_AT).load(Ordering::Acquire) != 0
    }
}

/// A side that this process's native code holds.
struct Claimed<R: Record> {
    ring: ForeignRing<R>,
    side: RingSide,
    /// What stands in the owner's cell.
    id: u32,
    /// The side's own cursor. The cell is written, and only checked.
    at: u32,
    words: Vec<u64>,
}

impl<R: Record> Claimed<R> {
    fn new(ring: ForeignRing<R>, side: RingSide) -> Result<Self, ForeignError> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let id = 0x8000_0000 | NEXT.fetch_add(1, Ordering::Relaxed);
        // Acquire: pairs with the release of the side's last owner, whose cursor is read next.
        ring.cell(side.owner_at())
            .compare_exchange(0, id, Ordering::Acquire, Ordering::Relaxed)
            .map_err(|by| ForeignError::Claimed { side, by })?;
        let at = ring.cell(side.cursor_at()).load(Ordering::Relaxed);
        let claimed = Self { ring, side, id, at, words: vec![0; R::WORDS] };
        claimed.used()?;
        Ok(claimed)
    }

    /// How many records wait, after a look at every cell that this rests on.
    fn used(&self) -> Result<u32, ForeignError> {
        let corrupt = |cell, expected: String, got| Err(ForeignError::Corrupt { cell, expected, got });
        let own = self.ring.cell(self.side.cursor_at()).load(Ordering::Relaxed);
        if own != self.at {
            return corrupt("this side's cursor at", self.at.to_string(), own);
        }
        let owner = self.ring.cell(self.side.owner_at()).load(Ordering::Relaxed);
        if owner != self.id {
            return corrupt("owner", format!("{:#x}", self.id), owner);
        }
        let (far_at, far_name) = match self.side {
            RingSide::Producer => (header::HEAD_AT, "the consumer's cursor at most"),
            RingSide::Consumer => (header::TAIL_AT, "the producer's cursor at most"),
        };
        // Acquire: pairs with the release of the other side's cursor; slots up to it are as that side left them.
        let far = self.ring.cell(far_at).load(Ordering::Acquire);
        let used = match self.side {
            RingSide::Producer => self.at.wrapping_sub(far),
            RingSide::Consumer => far.wrapping_sub(self.at),
        };
        if used > self.ring.capacity {
            return corrupt(far_name, format!("{} records from {}", self.ring.capacity, self.at), far);
        }
        Ok(used)
    }

    fn advance(&mut self, count: u32) {
        self.at = self.at.wrapping_add(count);
        // Release: pairs with the other side's acquire; the slots were written or read before.
        self.ring.cell(self.side.cursor_at()).store(self.at, Ordering::Release);
    }
}

impl<R: Record> Drop for Claimed<R> {
    fn drop(&mut self) {
        // Release: pairs with the acquire of the next owner. Where the cell is another's it stays so.
        let _ = self.ring.cell(self.side.owner_at()).compare_exchange(self.id, 0, Ordering::Release, Ordering::Relaxed);
    }
}

/// The pushing side of a shared ring.
pub struct ForeignProducer<R: Record> {
    side: Claimed<R>,
}

impl<R: Record> ForeignProducer<R> {
    /// How many records fit.
    ///
    /// # Errors
    /// [`ForeignError::Closed`], [`ForeignError::Corrupt`].
    pub fn room(&self) -> Result<usize, ForeignError> {
        if self.side.ring.is_closed() {
            return Err(ForeignError::Closed);
        }
        Ok((self.side.ring.capacity - self.side.used()?) as usize)
    }

    /// How many records wait.
    ///
    /// # Errors
    /// [`ForeignError::Corrupt`].
    pub fn len(&self) -> Result<usize, ForeignError> {
        Ok(self.side.used()? as usize)
    }

    /// Whether none waits.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    pub fn is_empty(&self) -> Result<bool, ForeignError> {
        Ok(self.len()? == 0)
    }

    /// Adds a record; `false` when the ring is full. Allocates nothing.
    ///
    /// # Errors
    /// As [`room`](Self::room).
    pub fn push(&mut self, record: &R) -> Result<bool, ForeignError> {
        Ok(self.push_slice(std::slice::from_ref(record))? == 1)
    }

    /// Adds as many records as fit, publishes them together, and says how many.
    ///
    /// # Errors
    /// As [`room`](Self::room).
    pub fn push_slice(&mut self, records: &[R]) -> Result<usize, ForeignError> {
        let count = self.room()?.min(records.len());
        let side = &mut self.side;
        for (i, record) in records[..count].iter().enumerate() {
            record.to_words(&mut side.words);
            for (w, word) in side.words.iter().enumerate() {
                // Relaxed: the release of the cursor orders it.
                // SAFETY: `side.words` has `R::WORDS` words.
                unsafe { side.ring.word(side.at.wrapping_add(i as u32), w) }.store(*word, Ordering::Relaxed);
            }
        }
        side.advance(count as u32);
        Ok(count)
    }
}

/// The popping side of a shared ring.
pub struct ForeignConsumer<R: Record> {
    side: Claimed<R>,
}

impl<R: Record> ForeignConsumer<R> {
    /// Takes up to `most` records, oldest first, to the end of `out`; says how many. A record that is none stays at the
    /// front of the ring; what stood before it was taken.
    ///
    /// # Errors
    /// [`ForeignError::Record`] when the first record is none; [`ForeignError::Corrupt`].
    pub fn pop_into(&mut self, out: &mut Vec<R>, most: usize) -> Result<usize, ForeignError> {
        let count = (self.side.used()? as usize).min(most);
        let side = &mut self.side;
        let mut taken = 0;
        while taken < count {
            for (w, word) in side.words.iter_mut().enumerate() {
                // Relaxed: the acquire of the producer's cursor orders it.
                // SAFETY: `side.words` has `R::WORDS` words.
                *word = unsafe { side.ring.word(side.at.wrapping_add(taken as u32), w) }.load(Ordering::Relaxed);
            }
            match R::from_words(&side.words) {
                Ok(record) => out.push(record),
                Err(error) if taken == 0 => return Err(error.into()),
                Err(_) => break,
            }
            taken += 1;
        }
        side.advance(taken as u32);
        Ok(taken)
    }

    /// Whether the ring was closed; what waits can still be taken.
    pub fn is_closed(&self) -> bool {
        self.side.ring.is_closed()
    }
}
