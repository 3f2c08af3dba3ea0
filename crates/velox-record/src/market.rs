use std::mem::{offset_of, size_of};

use crate::wire::{Field, InvalidRecord, Record, byte, checked_side, half};

/// What a [`MarketEvent`] says. A plain byte, so that every stored value is valid Rust.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct EventKind(pub u8);

impl EventKind {
    /// The quantity of one price level: set when `qty > 0`, removed at 0.
    pub const LEVEL: Self = Self(0);
    /// One trade; `side` is the aggressor's, `sequence` the venue's trade id.
    pub const TRADE: Self = Self(1);
    /// The exchange's own best price and size of one side, at book sequence `sequence`.
    pub const QUOTE: Self = Self(2);
    /// The book's standing changed; `flags` says how ([`flags::GAP`]).
    pub const STATUS: Self = Self(3);
    /// The names that the TypeScript face uses, by number.
    pub const NAMES: [&'static str; 4] = ["level", "trade", "quote", "status"];
}

/// Bits of [`MarketEvent::flags`].
pub mod flags {
    /// The last record of its exchange event: the book is consistent after it.
    pub const LAST: u8 = 1;
    /// The first record of a snapshot: every level before it is void.
    pub const SNAPSHOT: u8 = 2;
    /// On a status: events are missing, the book is stale until the next snapshot. With [`LAST`] none is missing: the source
    /// has ended, and nobody feeds the book any more.
    pub const GAP: u8 = 4;
}

/// One fact from a market, one cache line.
///
/// | offset | field | type | unit |
/// |---|---|---|---|
/// | 0 | `kind` | [`EventKind`] | |
/// | 2 | `instrument` | `u16` | id of an [`Instrument`](crate::Instrument) |
/// | 4 | `side` | `u8` | 0 bid, 1 ask |
/// | 5 | `flags` | `u8` | bits of [`flags`] |
/// | 8 | `price` | `i64` | ticks |
/// | 16 | `qty` | `i64` | lots |
/// | 24 | `sequence` | `u64` | the venue's own number |
/// | 32 | `exchange_ts` | `u64` | epoch ns, the venue's clock |
/// | 40 | `receive_ts` | `u64` | epoch ns, the receiver's clock |
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarketEvent {
    /// What it says.
    pub kind: EventKind,
    /// The id of an [`Instrument`](crate::Instrument).
    pub instrument: u16,
    /// 0 bid, 1 ask.
    pub side: u8,
    /// Bits of [`flags`].
    pub flags: u8,
    /// Ticks.
    pub price: i64,
    /// Lots.
    pub qty: i64,
    /// The venue's own number: a book sequence, or the id of a trade.
    pub sequence: u64,
    /// Epoch nanoseconds on the venue's clock; 0 where it says none.
    pub exchange_ts: u64,
    /// Epoch nanoseconds on the receiver's clock.
    pub receive_ts: u64,
}

const _: () = assert!(size_of::<MarketEvent>() == 64);

impl MarketEvent {
    /// Whether it carries this bit of [`flags`].
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl Record for MarketEvent {
    const NAME: &'static str = "MarketEvent";
    const WORDS: usize = 8;
    const FIELDS: &'static [Field] = &[
        ("kind", offset_of!(Self, kind)),
        ("instrument", offset_of!(Self, instrument)),
        ("side", offset_of!(Self, side)),
        ("flags", offset_of!(Self, flags)),
        ("price", offset_of!(Self, price)),
        ("qty", offset_of!(Self, qty)),
        ("sequence", offset_of!(Self, sequence)),
        ("exchangeTs", offset_of!(Self, exchange_ts)),
        ("receiveTs", offset_of!(Self, receive_ts)),
    ];

    fn to_words(&self, words: &mut [u64]) {
        words[0] = u64::from(self.kind.0)
            | u64::from(self.instrument) << 16
            | u64::from(self.side) << 32
            | u64::from(self.flags) << 40;
        words[1] = self.price as u64;
        words[2] = self.qty as u64;
        words[3] = self.sequence;
        words[4] = self.exchange_ts;
        words[5] = self.receive_ts;
        words[6] = 0;
        words[7] = 0;
    }

    fn from_words(words: &[u64]) -> Result<Self, InvalidRecord> {
        let kind = byte(words[0], 0);
        if usize::from(kind) >= EventKind::NAMES.len() {
            return Err(InvalidRecord {
                record: Self::NAME,
                field: "kind",
                expected: "0 (level), 1 (trade), 2 (quote) or 3 (status)",
                got: u64::from(kind),
            });
        }
        Ok(Self {
            kind: EventKind(kind),
            instrument: half(words[0], 16),
            side: checked_side(Self::NAME, byte(words[0], 32))?,
            flags: byte(words[0], 40),
            price: words[1] as i64,
            qty: words[2] as i64,
            sequence: words[3],
            exchange_ts: words[4],
            receive_ts: words[5],
        })
    }
}

/// One trade: 48 bytes.
///
/// | offset | field | type | unit |
/// |---|---|---|---|
/// | 0 | `id` | `u64` | the venue's trade id |
/// | 8 | `instrument` | `u16` | |
/// | 10 | `side` | `u8` | the aggressor's: 0 bid, 1 ask |
/// | 16 | `price` | `i64` | ticks |
/// | 24 | `qty` | `i64` | lots |
/// | 32 | `exchange_ts` | `u64` | epoch ns |
/// | 40 | `receive_ts` | `u64` | epoch ns |
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trade {
    /// The venue's trade id.
    pub id: u64,
    /// The id of an [`Instrument`](crate::Instrument).
    pub instrument: u16,
    /// The aggressor's side: 0 bid, 1 ask.
    pub side: u8,
    /// Ticks.
    pub price: i64,
    /// Lots.
    pub qty: i64,
    /// Epoch nanoseconds on the venue's clock.
    pub exchange_ts: u64,
    /// Epoch nanoseconds on the receiver's clock.
    pub receive_ts: u64,
}

const _: () = assert!(size_of::<Trade>() == 48);

impl From<&MarketEvent> for Trade {
    /// What an event of kind [`EventKind::TRADE`] says.
    fn from(event: &MarketEvent) -> Self {
        let &MarketEvent { sequence: id, instrument, side, price, qty, exchange_ts, receive_ts, .. } = event;
        Self { id, instrument, side, price, qty, exchange_ts, receive_ts }
    }
}

impl Record for Trade {
    const NAME: &'static str = "Trade";
    const WORDS: usize = 6;
    const FIELDS: &'static [Field] = &[
        ("id", offset_of!(Self, id)),
        ("instrument", offset_of!(Self, instrument)),
        ("side", offset_of!(Self, side)),
        ("price", offset_of!(Self, price)),
        ("qty", offset_of!(Self, qty)),
        ("exchangeTs", offset_of!(Self, exchange_ts)),
        ("receiveTs", offset_of!(Self, receive_ts)),
    ];

    fn to_words(&self, words: &mut [u64]) {
        words[0] = self.id;
        words[1] = u64::from(self.instrument) | u64::from(self.side) << 16;
        words[2] = self.price as u64;
        words[3] = self.qty as u64;
        words[4] = self.exchange_ts;
        words[5] = self.receive_ts;
    }

    fn from_words(words: &[u64]) -> Result<Self, InvalidRecord> {
        Ok(Self {
            id: words[0],
            instrument: half(words[1], 0),
            side: checked_side(Self::NAME, byte(words[1], 16))?,
            price: words[2] as i64,
            qty: words[3] as i64,
            exchange_ts: words[4],
            receive_ts: words[5],
        })
    }
}
