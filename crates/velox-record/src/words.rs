use crate::wire::{Field, InvalidRecord, Record};

/// A record that a script declared, of `N` 64-bit words: every bit pattern is one, and only the script knows its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words<const N: usize>(pub [u64; N]);

impl<const N: usize> Record for Words<N> {
    const NAME: &'static str = "Words";
    const WORDS: usize = N;
    const FIELDS: &'static [Field] = &[];

    fn to_words(&self, words: &mut [u64]) {
        words[..N].copy_from_slice(&self.0);
    }

    fn from_words(words: &[u64]) -> Result<Self, InvalidRecord> {
        let mut own = [0; N];
        own.copy_from_slice(&words[..N]);
        Ok(Self(own))
    }
}
