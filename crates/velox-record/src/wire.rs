//! How a record becomes 64-bit words and back.
//!
//! Memory that a script can reach is only ever copied in whole words, so a record is taken apart and checked on the
//! way in: words that no writer of ours could have written are an [`InvalidRecord`], never a Rust value.

use thiserror::Error;

/// A record that words from shared memory do not form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{record}.{field}: expected {expected}, got {got}")]
pub struct InvalidRecord {
    /// The record's name.
    pub record: &'static str,
    /// The field that is wrong.
    pub field: &'static str,
    /// What the field may hold.
    pub expected: &'static str,
    /// What it held.
    pub got: u64,
}

/// One field of a record's layout: its name and its offset in bytes.
pub type Field = (&'static str, usize);

/// A fixed `repr(C)` layout, the same bytes in Rust and TypeScript (little endian).
pub trait Record: Copy + Send + Sync + 'static {
    /// The record's name in both languages.
    const NAME: &'static str;
    /// Its length in 64-bit words.
    const WORDS: usize;
    /// Its fields in the order of the TypeScript face, for the test that holds the two layouts together.
    const FIELDS: &'static [Field];

    /// Writes the record into `words`, whose length is [`Self::WORDS`].
    ///
    /// # Panics
    /// When `words` is shorter.
    fn to_words(&self, words: &mut [u64]);

    /// Reads a record back.
    ///
    /// # Errors
    /// [`InvalidRecord`] for words that [`Self::to_words`] never writes.
    ///
    /// # Panics
    /// When `words` is shorter than [`Self::WORDS`].
    fn from_words(words: &[u64]) -> Result<Self, InvalidRecord>;
}

/// Bits `[at, at + 8 × size_of::<T>())` of a word; the helpers keep the shifts in one place.
pub(crate) const fn byte(word: u64, at: u32) -> u8 {
    (word >> at) as u8
}

pub(crate) const fn half(word: u64, at: u32) -> u16 {
    (word >> at) as u16
}

pub(crate) fn checked_side(record: &'static str, side: u8) -> Result<u8, InvalidRecord> {
    if side <= crate::ASK {
        Ok(side)
    } else {
        Err(InvalidRecord { record, field: "side", expected: "0 (bid) or 1 (ask)", got: u64::from(side) })
    }
}
