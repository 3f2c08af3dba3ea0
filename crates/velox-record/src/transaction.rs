use std::mem::{offset_of, size_of};

use thiserror::Error;

use crate::wire::{Field, InvalidRecord, Record, byte, checked_side, half};

/// An order on its way through a pipeline: 32 bytes, no heap.
///
/// | offset | field | type | unit |
/// |---|---|---|---|
/// | 0 | `id` | `u64` | |
/// | 8 | `price` | `i64` | ticks of the instrument |
/// | 16 | `size` | `u32` | lots of the instrument |
/// | 20 | `side` | `u8` | 0 bid, 1 ask |
/// | 22 | `instrument` | `u16` | id of an [`Instrument`](crate::Instrument), 0 for none |
/// | 24 | `ingress_ts_ns` | `u64` | ns: the arrival, on the clock of whoever made it |
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transaction {
    /// The identity of the order.
    pub id: u64,
    /// Ticks of the instrument.
    pub price: i64,
    /// Lots of the instrument.
    pub size: u32,
    /// 0 bid, 1 ask.
    pub side: u8,
    pad: u8,
    /// The id of an [`Instrument`](crate::Instrument); 0 for none.
    pub instrument: u16,
    /// Nanoseconds: when it arrived.
    pub ingress_ts_ns: u64,
}

/// Why [`Transaction::try_new`] refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidTransaction {
    /// The side is neither bid nor ask.
    #[error("side: expected 0 (bid) or 1 (ask), got {0}")]
    Side(u8),
    /// A transaction of nothing.
    #[error("size: expected at least 1 lot, got 0")]
    Size,
}

impl Transaction {
    /// The value as given: nothing is checked (see [`Self::try_new`]), nothing allocated.
    ///
    /// ```
    /// use velox_record::Transaction;
    /// assert_eq!(Transaction::new(7, 1_000_000, 100, 0, 1).price, 1_000_000);
    /// ```
    pub const fn new(id: u64, price: i64, size: u32, side: u8, ingress_ts_ns: u64) -> Self {
        Self { id, price, size, side, pad: 0, instrument: 0, ingress_ts_ns }
    }

    /// Like [`Self::new`], refusing what no market would take.
    ///
    /// # Errors
    /// [`InvalidTransaction`]: a side other than 0 or 1, a size of 0.
    ///
    /// ```
    /// use velox_record::{InvalidTransaction, Transaction};
    /// assert_eq!(Transaction::try_new(7, 1_000_000, 100, 3, 1), Err(InvalidTransaction::Side(3)));
    /// ```
    pub const fn try_new(
        id: u64,
        price: i64,
        size: u32,
        side: u8,
        ingress_ts_ns: u64,
    ) -> Result<Self, InvalidTransaction> {
        if side > crate::ASK {
            return Err(InvalidTransaction::Side(side));
        }
        if size == 0 {
            return Err(InvalidTransaction::Size);
        }
        Ok(Self::new(id, price, size, side, ingress_ts_ns))
    }

    /// The same order, of this instrument.
    #[must_use]
    pub const fn with_instrument(mut self, instrument: u16) -> Self {
        self.instrument = instrument;
        self
    }
}

const _: () = assert!(size_of::<Transaction>() == 32);

impl Record for Transaction {
    const NAME: &'static str = "Transaction";
    const WORDS: usize = 4;
    const FIELDS: &'static [Field] = &[
        ("id", offset_of!(Self, id)),
        ("price", offset_of!(Self, price)),
        ("size", offset_of!(Self, size)),
        ("side", offset_of!(Self, side)),
        ("instrument", offset_of!(Self, instrument)),
        ("ingressTsNs", offset_of!(Self, ingress_ts_ns)),
    ];

    fn to_words(&self, words: &mut [u64]) {
        words[0] = self.id;
        words[1] = self.price as u64;
        words[2] = u64::from(self.size) | u64::from(self.side) << 32 | u64::from(self.instrument) << 48;
        words[3] = self.ingress_ts_ns;
    }

    fn from_words(words: &[u64]) -> Result<Self, InvalidRecord> {
        let side = checked_side(Self::NAME, byte(words[2], 32))?;
        Ok(Self::new(words[0], words[1] as i64, words[2] as u32, side, words[3]).with_instrument(half(words[2], 48)))
    }
}
