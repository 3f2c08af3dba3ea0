//! What a pipeline carries: records, and beside them the stamps that latency is counted from.

use velox_record::{BUNDLE_CAPACITY, Bundle, Field, InvalidRecord, MarketEvent, Record, Trade, Transaction, Words};

/// A record that can flow, and the stamp that travels beside it (never inside it).
pub trait Flow: Record {
    /// When it arrived.
    type Stamp: Stamp;
}

/// Where a record's latency counts from, in ns on the clock's timeline.
pub trait Stamp: Copy + std::fmt::Debug + Send + 'static {
    /// When it was ready for the stage that takes it next.
    fn ready(&self) -> u64;
    /// The stamp of a record that was made of one that was ready then.
    fn made(ready: u64) -> Self;
    /// Whether there is one arrival behind it, since when it was ready.
    const IS_ARRIVAL: bool = false;
    /// Calls `path` with the time its arrivals were on their way until `now`, chosen waits left out, and how many were so
    /// long.
    fn paths(&self, now: u64, path: impl FnMut(u64, u64));
}

/// The scheduled arrival.
impl Stamp for u64 {
    const IS_ARRIVAL: bool = true;

    fn ready(&self) -> u64 {
        *self
    }

    fn made(ready: u64) -> Self {
        ready
    }

    fn paths(&self, now: u64, mut path: impl FnMut(u64, u64)) {
        path(now.saturating_sub(*self), 1);
    }
}

/// The arrivals in a bundle: the wait for a full bundle is a choice, so it is kept apart from the way.
#[derive(Debug, Clone, Copy, Default)]
pub struct BundleStamp {
    /// When the bundle was closed.
    pub closed: u64,
    /// How many of the entries below count. Range: 0 ..= 16.
    pub count: usize,
    /// When each transaction arrived.
    pub arrived: [u64; BUNDLE_CAPACITY],
    /// When the bundle stage took it.
    pub taken: [u64; BUNDLE_CAPACITY],
}

impl Stamp for BundleStamp {
    fn ready(&self) -> u64 {
        self.closed
    }

    fn made(ready: u64) -> Self {
        Self { closed: ready, ..Self::default() }
    }

    fn paths(&self, now: u64, mut path: impl FnMut(u64, u64)) {
        let after = now.saturating_sub(self.closed);
        let ways = self.arrived.iter().zip(&self.taken).take(self.count);
        let mut ways = ways.map(|(arrived, taken)| taken.saturating_sub(*arrived) + after);
        // Those of one message, or of one batch at the greatest pace, were on their way equally long.
        let Some(mut last) = ways.next() else { return };
        let mut times = 1;
        for way in ways {
            if way != last {
                path(last, times);
                (last, times) = (way, 0);
            }
            times += 1;
        }
        path(last, times);
    }
}

impl Flow for MarketEvent {
    type Stamp = u64;
}

impl Flow for Trade {
    type Stamp = u64;
}

impl Flow for Transaction {
    type Stamp = u64;
}

impl Flow for Bundle {
    type Stamp = BundleStamp;
}

impl<const N: usize> Flow for Words<N> {
    type Stamp = u64;
}

/// What a sink gives on: no records at all.
#[derive(Debug, Clone, Copy)]
pub enum Nothing {}

impl Record for Nothing {
    const NAME: &'static str = "Nothing";
    const WORDS: usize = 0;
    const FIELDS: &'static [Field] = &[];

    fn to_words(&self, _: &mut [u64]) {
        match *self {}
    }

    fn from_words(_: &[u64]) -> Result<Self, InvalidRecord> {
        Err(InvalidRecord { record: Self::NAME, field: "", expected: "no record", got: 0 })
    }
}

impl Flow for Nothing {
    type Stamp = u64;
}
