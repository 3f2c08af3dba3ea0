use std::sync::Arc;

use velox_book::{L2Book, L2Writer};
use velox_record::{EventKind, Instrument, MarketEvent, Trade, flags};

use super::{Applied, Feed};
use crate::FeedError;

/// Room for the events of one message before the buffer grows.
const ROOM: usize = 4_096;

/// A [`Feed`] that keeps the books of its symbols, each changed at once by a whole exchange event.
///
/// ```
/// use velox_feed::{Applied, BookFeed, Feed, Venue};
/// use velox_record::Instrument;
///
/// let btc = Instrument::new("BTCUSDT", "binance-spot", "0.01", "0.00000001").unwrap();
/// let mut feed = BookFeed::new(Feed::new(Venue::BinanceSpot, vec![btc]).unwrap());
/// let body = br#"{"lastUpdateId":7,"bids":[["61800.10","2"]],"asks":[["61800.30","1"]]}"#;
/// feed.snapshot("BTCUSDT", body, 1_000, |_| ()).unwrap();
/// let delta = br#"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":8,"u":8,"b":[["61800.20","1.25"]],"a":[]}"#;
/// assert_eq!(feed.apply(delta, 2_000, |_| ()).unwrap(), Applied::Applied);
/// assert_eq!(feed.book("BTCUSDT").unwrap().top().unwrap().bid, 6_180_020);
/// ```
pub struct BookFeed {
    feed: Feed,
    books: Vec<(L2Book, L2Writer)>,
    /// The ids of their instruments, side by side: every message looks for one.
    ids: Vec<u16>,
    events: Vec<MarketEvent>,
}

impl BookFeed {
    /// Makes an empty book for each instrument of the feed, and becomes its writer. Allocates.
    ///
    /// # Panics
    /// Never: nobody else knows the books yet.
    pub fn new(feed: Feed) -> Self {
        let kept = |instrument: &Arc<Instrument>| {
            let book = L2Book::new(Arc::clone(instrument));
            let writer = book.claim("its feed").expect("a new book has no writer");
            (book, writer)
        };
        let books = feed.instruments().iter().map(kept).collect();
        let ids = feed.instruments().iter().map(|instrument| instrument.id()).collect();
        Self { feed, books, ids, events: Vec::with_capacity(ROOM) }
    }

    /// What decodes.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// What decodes, for its settings and its messages. Messages go through [`Self::apply`]: the books miss others.
    pub fn feed_mut(&mut self) -> &mut Feed {
        &mut self.feed
    }

    /// The book of a symbol.
    pub fn book(&self, symbol: &str) -> Option<&L2Book> {
        self.books.iter().map(|(book, _)| book).find(|book| book.instrument().symbol() == symbol)
    }

    /// As [`Feed::apply`]; its events go into the books, and its trades to `trade`. Waits where a reader copies the book
    /// (microseconds). Allocates nothing once its buffers are warm.
    ///
    /// # Errors
    /// As [`Feed::apply`]: no book changed.
    pub fn apply(&mut self, message: &[u8], receive_ts: u64, trade: impl FnMut(Trade)) -> Result<Applied, FeedError> {
        self.events.clear();
        let applied = self.feed.apply(message, receive_ts, &mut self.events)?;
        self.keep(trade);
        Ok(applied)
    }

    /// As [`Feed::snapshot`].
    ///
    /// # Errors
    /// As [`Feed::snapshot`]: no book changed.
    pub fn snapshot(
        &mut self,
        symbol: &str,
        body: &[u8],
        receive_ts: u64,
        trade: impl FnMut(Trade),
    ) -> Result<Applied, FeedError> {
        self.events.clear();
        let applied = self.feed.snapshot(symbol, body, receive_ts, &mut self.events)?;
        self.keep(trade);
        Ok(applied)
    }

    /// As [`Feed::disconnected`]: the books are stale until the next connection's snapshots.
    pub fn disconnected(&mut self) {
        self.events.clear();
        self.feed.disconnected(&mut self.events);
        self.keep(|_| ());
    }

    fn keep(&mut self, mut trade: impl FnMut(Trade)) {
        for of_one in self.events.chunk_by(|a, b| a.instrument == b.instrument) {
            let Some(market) = self.ids.iter().position(|&id| id == of_one[0].instrument) else { continue };
            let (_, writer) = &mut self.books[market];
            of_one.iter().filter(|event| event.kind == EventKind::TRADE).for_each(|event| trade(Trade::from(event)));
            let mut changes = of_one.iter().filter(|event| changes_book(event)).peekable();
            if changes.peek().is_some() {
                let mut book = writer.begin();
                changes.for_each(|event| {
                    book.apply(event).expect("a decoder gives sides and quantities that a book takes");
                });
            }
        }
    }
}

fn changes_book(event: &MarketEvent) -> bool {
    event.kind == EventKind::LEVEL || (event.kind == EventKind::STATUS && event.has(flags::GAP))
}
