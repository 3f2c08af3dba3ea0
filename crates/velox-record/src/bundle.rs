use std::mem::{offset_of, size_of};

use crate::Transaction;
use crate::wire::{Field, InvalidRecord, Record};

/// How many transactions a [`Bundle`] holds at most.
pub const BUNDLE_CAPACITY: usize = 16;

/// Up to 16 transactions that travel together: 528 bytes, no heap.
///
/// | offset | field | type |
/// |---|---|---|
/// | 0 | `transactions` | 16 × [`Transaction`], the first `count` of them active |
/// | 512 | `count` | `u32`, 0 ..= 16 |
/// | 520 | `created_ts_ns` | `u64`, ns: when it was closed |
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bundle {
    transactions: [Transaction; BUNDLE_CAPACITY],
    /// Range: 0 ..= 16. Private, so that it is an index that never misses.
    count: u32,
    pad: u32,
    created_ts_ns: u64,
}

impl Bundle {
    /// An empty bundle.
    ///
    /// ```
    /// assert!(velox_record::Bundle::new().active_transactions().is_empty());
    /// ```
    pub const fn new() -> Self {
        Self { transactions: [Transaction::new(0, 0, 0, 0, 0); BUNDLE_CAPACITY], count: 0, pad: 0, created_ts_ns: 0 }
    }

    /// The transactions it holds, in the order they were added.
    pub fn active_transactions(&self) -> &[Transaction] {
        &self.transactions[..self.count as usize]
    }

    /// How many transactions it holds: 0 ..= 16.
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether it holds none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether it holds 16.
    pub const fn is_full(&self) -> bool {
        self.len() == BUNDLE_CAPACITY
    }

    /// Nanoseconds: when it was closed; 0 while it is open.
    pub const fn created_ts_ns(&self) -> u64 {
        self.created_ts_ns
    }

    /// Adds a transaction.
    ///
    /// # Errors
    /// The transaction itself, when the bundle is full.
    ///
    /// ```
    /// use velox_record::{Bundle, Transaction};
    /// let mut bundle = Bundle::new();
    /// bundle.push(Transaction::new(1, 100, 1, 0, 0)).unwrap();
    /// assert_eq!(bundle.active_transactions()[0].id, 1);
    /// ```
    pub fn push(&mut self, transaction: Transaction) -> Result<(), Transaction> {
        let Some(slot) = self.transactions.get_mut(self.count as usize) else { return Err(transaction) };
        *slot = transaction;
        self.count += 1;
        Ok(())
    }

    /// Stamps the time that closed it, in nanoseconds.
    pub const fn close(&mut self, created_ts_ns: u64) {
        self.created_ts_ns = created_ts_ns;
    }
}

impl Default for Bundle {
    fn default() -> Self {
        Self::new()
    }
}

const _: () = assert!(size_of::<Bundle>() == 528);

impl Record for Bundle {
    const NAME: &'static str = "Bundle";
    const WORDS: usize = 66;
    const FIELDS: &'static [Field] = &[
        ("transactions", offset_of!(Self, transactions)),
        ("count", offset_of!(Self, count)),
        ("createdTsNs", offset_of!(Self, created_ts_ns)),
    ];

    fn to_words(&self, words: &mut [u64]) {
        for (transaction, words) in self.transactions.iter().zip(words.chunks_exact_mut(Transaction::WORDS)) {
            transaction.to_words(words);
        }
        words[64] = u64::from(self.count);
        words[65] = self.created_ts_ns;
    }

    fn from_words(words: &[u64]) -> Result<Self, InvalidRecord> {
        let count = words[64] as u32;
        if count as usize > BUNDLE_CAPACITY {
            return Err(InvalidRecord {
                record: Self::NAME,
                field: "count",
                expected: "0 to 16",
                got: u64::from(count),
            });
        }
        let mut bundle = Self { count, created_ts_ns: words[65], ..Self::new() };
        for (slot, words) in
            bundle.transactions.iter_mut().zip(words.chunks_exact(Transaction::WORDS)).take(count as usize)
        {
            *slot = Transaction::from_words(words)?;
        }
        Ok(bundle)
    }
}
