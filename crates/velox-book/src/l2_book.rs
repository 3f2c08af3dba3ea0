//! The book of one writer and any readers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};

use velox_record::{ASK, BID, EventKind, Instrument, MarketEvent, flags};

use crate::l2_levels::L2Levels;
use crate::seqlock::Seqlock;
use crate::{BookError, Depth, Top};

/// Whether a book can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was ever applied.
    Empty,
    /// It says what the exchange said last.
    Live,
    /// Events are missing; waits for a snapshot.
    Stale,
}

impl Standing {
    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Live => "live",
            Self::Stale => "stale",
        }
    }

    const fn of(word: u64) -> Self {
        match word {
            1 => Self::Live,
            2 => Self::Stale,
            _ => Self::Empty,
        }
    }
}

/// Bits of the last word of what [`Shared::top`] publishes, above the standing.
const HAS_BID: u64 = 4;
const HAS_ASK: u64 = 8;

#[derive(Debug)]
struct Shared {
    instrument: Arc<Instrument>,
    owner: Mutex<Option<String>>,
    /// The writer only ever tries it, and holds it for one event; a reader tries again and again, so that the writer
    /// never has to wake one.
    levels: Mutex<L2Levels>,
    /// Bid, its quantity, ask, its quantity, sequence, standing and bits.
    top: Seqlock<6>,
}

impl Shared {
    fn try_levels(&self) -> Option<MutexGuard<'_, L2Levels>> {
        match self.levels.try_lock() {
            Ok(levels) => Some(levels),
            // Levels are set one by one and are whole after each, so a panic elsewhere leaves a book.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn levels(&self) -> MutexGuard<'_, L2Levels> {
        loop {
            if let Some(levels) = self.try_levels() {
                return levels;
            }
            std::thread::yield_now();
        }
    }
}

/// A book of one instrument: quantities are set, not added. One writer at a time, any number of readers, all handles of
/// the same book. Prices in ticks, quantities in lots.
///
/// Exact for any price: a window of 65,536 ticks a side follows the best price, in which a change costs the same wherever it
/// is (6 to 9 ns on a recorded day), and the levels beyond it lie in order.
///
/// Memory: a side has room for its whole window, half a megabyte of addresses, of which the machine gives 512 bytes for each 64
/// ticks that ever held a level. A change in the window never allocates. Levels beyond it take up to 130 bytes each, in room
/// that doubles where there are more of them than ever before. None is given back before the book goes.
///
/// A reader sees the instant after a whole exchange event, never a part of one. [`top`](Self::top) and
/// [`standing`](Self::standing) take no lock and never hold the writer up; the others hold the book while they copy
/// (microseconds), and the writer leaves it for its next turn.
#[derive(Debug, Clone)]
pub struct L2Book(Arc<Shared>);

impl L2Book {
    /// An empty book. Allocates.
    pub fn new(instrument: Arc<Instrument>) -> Self {
        Self(Arc::new(Shared {
            instrument,
            owner: Mutex::new(None),
            levels: Mutex::new(L2Levels::new()),
            top: Seqlock::new(),
        }))
    }

    /// What its prices and quantities mean.
    pub fn instrument(&self) -> &Arc<Instrument> {
        &self.0.instrument
    }

    /// A handle that does not keep the book.
    pub fn downgrade(&self) -> WeakL2Book {
        WeakL2Book(Arc::downgrade(&self.0))
    }

    /// Becomes its writer, until the [`L2Writer`] is dropped; `by` is what a second one is told.
    ///
    /// # Errors
    /// [`BookError::Owned`].
    pub fn claim(&self, by: &str) -> Result<L2Writer, BookError> {
        let mut owner = self.0.owner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(by) = &*owner {
            return Err(BookError::Owned { by: by.clone() });
        }
        *owner = Some(by.into());
        Ok(L2Writer(Arc::clone(&self.0)))
    }

    /// Whether it can be believed.
    pub fn standing(&self) -> Standing {
        Standing::of(self.0.top.read()[5] & 3)
    }

    /// Whether it can be believed, and the number of its last event: of one instant. No lock; about 1 ns.
    #[inline]
    pub fn stands_at(&self) -> (Standing, u64) {
        let [sequence, bits] = self.0.top.pick([4, 5]);
        (Standing::of(bits & 3), sequence)
    }

    /// Best bid and ask; `None` until both sides have a level, and while the book is stale. No lock; about 2 ns.
    #[inline]
    pub fn top(&self) -> Option<Top> {
        let [bid, bid_qty, ask, ask_qty, sequence, bits] = self.0.top.read();
        (bits == (1 | HAS_BID | HAS_ASK)).then_some(Top {
            bid: bid as i64,
            bid_qty: bid_qty as i64,
            ask: ask as i64,
            ask_qty: ask_qty as i64,
            sequence,
        })
    }

    /// The highest bid, in ticks; `None` without one, and while the book is stale. No lock; about 1 ns.
    #[inline]
    pub fn best_bid(&self) -> Option<i64> {
        let [bid, bits] = self.0.top.pick([0, 5]);
        (bits & (3 | HAS_BID) == 1 | HAS_BID).then_some(bid as i64)
    }

    /// The lowest ask, in ticks; `None` without one, and while the book is stale. No lock; about 1 ns.
    #[inline]
    pub fn best_ask(&self) -> Option<i64> {
        let [ask, bits] = self.0.top.pick([2, 5]);
        (bits & (3 | HAS_ASK) == 1 | HAS_ASK).then_some(ask as i64)
    }

    /// Whether the best bid is at or above the best ask. Reported, never repaired.
    pub fn crossed(&self) -> bool {
        self.top().is_some_and(|top| top.bid >= top.ask)
    }

    /// The best `levels` of both sides. Allocates what it gives.
    pub fn depth(&self, levels: usize) -> Depth {
        self.0.levels().depth(levels)
    }

    /// [`depth`](Self::depth) in groups of `2^shift` ticks: a bid counts for the multiple at or below it, an ask for the
    /// one at or above it (`i64::MAX` beyond the last), so that a group promises no better price than there is. Quantities are sums, at most
    /// `i64::MAX`; from a shift of 63 on there are two groups, parted at 0. Allocates what it gives.
    pub fn depth_grouped(&self, levels: usize, shift: u32) -> Depth {
        self.0.levels().depth_grouped(levels, shift)
    }

    /// What stands at a price; 0 for nothing.
    pub fn qty_at(&self, side: u8, price: i64) -> i64 {
        self.0.levels().qty_at(side, price)
    }

    /// The average price, in ticks, of taking `qty` lots from a side, best first; `None` where it holds less.
    pub fn vwap(&self, side: u8, qty: i64) -> Option<f64> {
        self.0.levels().vwap(side, qty)
    }

    /// (bids - asks) / (bids + asks) over the best `levels`: -1 to 1; `None` while both are empty.
    pub fn imbalance(&self, levels: usize) -> Option<f64> {
        self.0.levels().imbalance(levels)
    }
}

/// A book as long as somebody else holds it.
#[derive(Debug, Clone)]
pub struct WeakL2Book(Weak<Shared>);

impl WeakL2Book {
    /// The book; `None` when nobody holds it any more.
    pub fn upgrade(&self) -> Option<L2Book> {
        self.0.upgrade().map(L2Book)
    }

    /// Whether both are handles of one book.
    pub fn is(&self, other: &Self) -> bool {
        Weak::ptr_eq(&self.0, &other.0)
    }
}

/// The right to change a book.
#[derive(Debug)]
pub struct L2Writer(Arc<Shared>);

impl L2Writer {
    /// The number of the last event; 0 before the first.
    pub fn sequence(&self) -> u64 {
        self.0.top.read()[4]
    }

    /// Starts an event, unless a reader holds the book for a moment. Never waits.
    pub fn try_begin(&mut self) -> Option<L2Event<'_>> {
        let levels = self.0.try_levels()?;
        let [.., sequence, bits] = self.0.top.read();
        Some(L2Event { levels, top: &self.0.top, sequence, standing: Standing::of(bits & 3), published: false })
    }

    /// Starts an event; waits for readers, which hold the book for microseconds.
    pub fn begin(&mut self) -> L2Event<'_> {
        let levels = self.0.levels();
        let [.., sequence, bits] = self.0.top.read();
        L2Event { levels, top: &self.0.top, sequence, standing: Standing::of(bits & 3), published: false }
    }

    /// Applies the levels of one event: side, price, quantity. Readers see all of them or none.
    ///
    /// # Errors
    /// [`BookError::InvalidLevel`]: nothing was applied.
    pub fn apply(&mut self, levels: &[(u8, i64, i64)], sequence: u64) -> Result<(), BookError> {
        levels.iter().try_for_each(|&(side, price, qty)| valid(side, price, qty))?;
        let mut event = self.begin();
        event.set_all(levels);
        event.finish(sequence);
        Ok(())
    }

    /// Replaces all levels, and ends a gap.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn snapshot(&mut self, levels: &[(u8, i64, i64)], sequence: u64) -> Result<(), BookError> {
        levels.iter().try_for_each(|&(side, price, qty)| valid(side, price, qty))?;
        let mut event = self.begin();
        event.clear();
        event.set_all(levels);
        event.finish(sequence);
        Ok(())
    }
}

impl Drop for L2Writer {
    fn drop(&mut self) {
        *self.0.owner.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn valid(side: u8, price: i64, qty: i64) -> Result<(), BookError> {
    if side > ASK || qty < 0 {
        return Err(BookError::InvalidLevel { side, price, qty });
    }
    Ok(())
}

/// An event under way: readers wait, or see the book before it, until it is [finished](Self::finish) or dropped.
#[derive(Debug)]
pub struct L2Event<'a> {
    levels: MutexGuard<'a, L2Levels>,
    top: &'a Seqlock<6>,
    sequence: u64,
    standing: Standing,
    /// Whether readers of the top see all that was done.
    published: bool,
}

impl L2Event<'_> {
    /// Sets a level, removes it at 0.
    ///
    /// # Errors
    /// [`BookError::InvalidLevel`]: not applied.
    pub fn set(&mut self, side: u8, price: i64, qty: i64) -> Result<(), BookError> {
        valid(side, price, qty)?;
        self.published = false;
        self.levels.set(side, price, qty);
        Ok(())
    }

    /// Does what a feed says: sets a level, removes all before the first one of a snapshot, shows readers an exchange event at
    /// its last level, and is stale from a gap on. Any other kind changes nothing.
    ///
    /// ```
    /// use velox_book::{L2Book, Standing};
    /// use velox_record::{BID, EventKind, Instrument, MarketEvent, flags};
    ///
    /// let book = L2Book::new(Instrument::new("BTCUSDT", "binance-usdm", "0.10", "0.001").unwrap());
    /// let mut writer = book.claim("the feed").unwrap();
    /// let level = MarketEvent { kind: EventKind::LEVEL, side: BID, price: 618_003, qty: 5, ..MarketEvent::default() };
    /// let mut event = writer.begin();
    /// event.apply(&MarketEvent { flags: flags::SNAPSHOT, sequence: 7, ..level }).unwrap();
    /// event.apply(&MarketEvent { flags: flags::LAST, sequence: 7, price: 618_002, ..level }).unwrap();
    /// drop(event);
    /// assert_eq!((book.best_bid(), book.standing()), (Some(618_003), Standing::Live));
    /// ```
    ///
    /// # Errors
    /// [`BookError::InvalidLevel`]: not applied.
    pub fn apply(&mut self, event: &MarketEvent) -> Result<(), BookError> {
        let &MarketEvent { side, price, qty, .. } = event;
        match event.kind {
            EventKind::STATUS if event.has(flags::GAP) => self.mark_stale(),
            EventKind::LEVEL => {
                valid(side, price, qty)?;
                if event.has(flags::SNAPSHOT) {
                    self.clear();
                }
                self.set(side, price, qty)?;
                if event.has(flags::LAST) {
                    self.publish(event.sequence);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn set_all(&mut self, levels: &[(u8, i64, i64)]) {
        for &(side, price, qty) in levels {
            self.levels.set(side, price, qty);
        }
    }

    /// Removes all levels: what comes next is a snapshot, which ends a gap.
    pub fn clear(&mut self) {
        self.published = false;
        self.levels.clear();
        self.standing = Standing::Live;
    }

    /// Events are missing.
    pub fn mark_stale(&mut self) {
        self.published = false;
        self.standing = Standing::Stale;
    }

    /// The best bid and ask as they are now, whether or not the book is stale.
    pub fn top(&self) -> Option<Top> {
        let (bid, ask) = (self.levels.best(BID)?, self.levels.best(ASK)?);
        Some(Top { bid: bid.price, bid_qty: bid.qty, ask: ask.price, ask_qty: ask.qty, sequence: self.sequence })
    }

    /// Whether the book can be believed once this event is finished.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Ends the event: readers see the book as of `sequence`.
    pub fn finish(mut self, sequence: u64) {
        self.publish(sequence);
    }

    /// Ends the event and begins the next one: the top is that of `sequence`, and readers of more still wait.
    pub fn publish(&mut self, sequence: u64) {
        self.sequence = sequence;
        if self.standing == Standing::Empty {
            self.standing = Standing::Live;
        }
        self.write_top();
    }

    fn write_top(&mut self) {
        self.published = true;
        let (bid, ask) = (self.levels.best(BID), self.levels.best(ASK));
        let bits = [(bid.is_some(), HAS_BID), (ask.is_some(), HAS_ASK)];
        let bits: u64 = bits.into_iter().filter(|(has, _)| *has).map(|(_, bit)| bit).sum();
        let (bid, ask) = (bid.unwrap_or_default(), ask.unwrap_or_default());
        // One writer: the levels are still locked.
        self.top.write([
            bid.price as u64,
            bid.qty as u64,
            ask.price as u64,
            ask.qty as u64,
            self.sequence,
            self.standing as u64 | bits,
        ]);
    }
}

impl Drop for L2Event<'_> {
    fn drop(&mut self) {
        if !self.published {
            self.write_top();
        }
    }
}
