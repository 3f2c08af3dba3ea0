//! One connection of one venue: its messages in, events out, and each book's standing by the venue's own rules.

mod batch;
pub(crate) mod binance;
mod bitget;
mod book_feed;
mod bybit;
mod coinbase;
pub(crate) mod comparable;
mod connection;
mod depth;
mod kraken;
mod kucoin;
mod level;
mod numbers;
mod okx;
mod sync;
mod time;
mod url;
mod venue;

use std::sync::Arc;
use std::time::Duration;

use velox_record::{Instrument, MarketEvent};

pub use self::binance::Counts;
use self::binance::Decoder;
use self::bitget::Bitget;
pub use self::book_feed::BookFeed;
use self::bybit::Bybit;
use self::coinbase::Coinbase;
use self::connection::Connection;
use self::kraken::Kraken;
use self::kucoin::Kucoin;
use self::okx::Okx;
pub(crate) use self::time::seconds;
pub use self::venue::{Checks, Venue, VerifiedBy};
use crate::error::Fault;
use crate::{FeedError, MAX_LINE};

/// What one message did; of several things, the worst: they are in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applied {
    /// Its events were appended.
    Applied,
    /// It waits for a snapshot.
    Buffered,
    /// It brought nothing: a repeated event, another kind of message, a symbol nobody asked for, or a difference for a
    /// book that is stale until the venue sends its snapshot.
    Ignored,
    /// Events are missing: the book is stale.
    Gap,
    /// The book is not what the venue says it is: it is stale.
    Checksum,
}

/// Whether a book can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedState {
    /// Its first snapshot is still to come.
    Syncing,
    /// It is the venue's book.
    Live,
    /// Events are missing; it waits for a snapshot.
    Stale,
}

impl FeedState {
    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syncing => "syncing",
            Self::Live => "live",
            Self::Stale => "stale",
        }
    }
}

/// What a venue wants to hear from its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// A text message.
    pub message: String,
    /// How often.
    pub every: Duration,
}

/// Decodes one connection of one venue and keeps its books in step, or says that it can't.
///
/// ```
/// use velox_feed::{Applied, Feed, FeedState, Venue};
/// use velox_record::Instrument;
///
/// let btc = Instrument::new("BTCUSDT", "binance-spot", "0.01", "0.00000001").unwrap();
/// let mut feed = Feed::new(Venue::BinanceSpot, vec![btc]).unwrap();
/// let mut events = Vec::new();
/// let delta = br#"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":6,"u":8,"b":[["61800.20","1.25"]],"a":[]}"#;
/// assert_eq!(feed.apply(delta, 1_000, &mut events).unwrap(), Applied::Buffered);
/// assert!(feed.snapshot_request("BTCUSDT").unwrap().ends_with("/api/v3/depth?symbol=BTCUSDT&limit=5000"));
///
/// let body = br#"{"lastUpdateId":7,"bids":[["61800.10","2"]],"asks":[["61800.30","1"]]}"#;
/// assert_eq!(feed.snapshot("BTCUSDT", body, 2_000, &mut events).unwrap(), Applied::Applied);
/// assert_eq!((feed.state("BTCUSDT"), events.len()), (Some(FeedState::Live), 3));
/// ```
pub struct Feed {
    venue: Venue,
    markets: Vec<Arc<Instrument>>,
    rest_url: String,
    protocol: Box<dyn Protocol>,
}

/// One venue's messages and rules. A market is an index into the instruments that the feed was made with.
pub(crate) trait Protocol: Send {
    /// As [`Feed::apply`]; the caller takes back what a failed call appended.
    fn apply(&mut self, message: &[u8], receive_ts: u64, out: &mut Vec<MarketEvent>) -> Result<Applied, Fault>;

    /// As [`Feed::snapshot`]; the same.
    fn snapshot(
        &mut self,
        _market: usize,
        _body: &[u8],
        _receive_ts: u64,
        _out: &mut Vec<MarketEvent>,
    ) -> Result<Applied, Fault> {
        Err(Fault::new("a venue with snapshots by REST", "one that sends them on the connection"))
    }

    fn state(&self, market: usize) -> FeedState;

    /// Where the venue's snapshot is, behind the REST base; `None` where it comes on the connection.
    fn snapshot_path(&self, _market: usize) -> Option<String> {
        None
    }

    fn subscribe(&self) -> Vec<String>;

    fn resubscribe(&mut self, _market: usize) -> Vec<String> {
        Vec::new()
    }

    fn heartbeat(&self) -> Option<Heartbeat> {
        None
    }

    fn disconnected(&mut self, out: &mut Vec<MarketEvent>);

    /// How many of the venue's own quotes a book of this instrument (by id) could be checked with.
    fn comparable(&self, _instrument: u16) -> u64 {
        0
    }

    /// The data is over.
    fn end(&mut self) {}
}

fn protocol(venue: Venue, markets: &[Arc<Instrument>]) -> Box<dyn Protocol> {
    match venue {
        Venue::BinanceSpot | Venue::BinanceUsdm | Venue::BinanceCoinm => Box::new(Decoder::of_feed(venue, markets)),
        Venue::Kraken => Box::new(Connection::new(Kraken::new(markets.len()), markets)),
        Venue::Okx => Box::new(Connection::new(Okx, markets)),
        Venue::Bybit => Box::new(Connection::new(Bybit, markets)),
        Venue::Coinbase => Box::new(Connection::new(Coinbase, markets)),
        Venue::Kucoin => Box::new(Kucoin::new(markets)),
        Venue::Bitget => Box::new(Connection::new(Bitget, markets)),
    }
}

impl Feed {
    /// A feed of these symbols, before its first message. Allocates.
    ///
    /// # Errors
    /// [`FeedError::InvalidValue`]: no instrument, two of the same symbol (be it in another case), or a symbol that is empty
    /// or has a space in it.
    pub fn new(venue: Venue, instruments: Vec<Arc<Instrument>>) -> Result<Self, FeedError> {
        let wrong = |got: &str| FeedError::InvalidValue {
            field: "symbols",
            expected: "at least one symbol, each once in whatever case, none empty or with a space in it".to_owned(),
            got: got.to_owned(),
        };
        if instruments.is_empty() {
            return Err(wrong("none"));
        }
        for (index, instrument) in instruments.iter().enumerate() {
            let symbol = instrument.symbol();
            let unfit = symbol.is_empty() || symbol.contains(|c: char| c.is_whitespace() || c.is_control());
            // No venue here has two markets that differ in case alone: one of the two would wait for ever.
            let again = |before: &Arc<Instrument>| before.symbol().to_lowercase() == symbol.to_lowercase();
            if unfit || instruments[..index].iter().any(again) {
                return Err(wrong(&format!("\"{symbol}\"")));
            }
        }
        let protocol = protocol(venue, &instruments);
        Ok(Self { venue, markets: instruments, rest_url: venue.rest_url().to_owned(), protocol })
    }

    /// Another base for [`Self::snapshot_request`]: `http://` or `https://`, a host, and a path before the venue's own where
    /// a proxy wants one. A slash at its end is left out.
    ///
    /// ```
    /// # use velox_feed::{Feed, Venue};
    /// let btc = Venue::BinanceSpot.instrument("BTCUSDT").unwrap();
    /// let mut feed = Feed::new(Venue::BinanceSpot, vec![btc]).unwrap();
    /// feed.set_rest_url("http://localhost:8080/spot/").unwrap();
    /// assert_eq!(
    ///     feed.snapshot_request("BTCUSDT").unwrap(),
    ///     "http://localhost:8080/spot/api/v3/depth?symbol=BTCUSDT&limit=5000"
    /// );
    /// assert_eq!(feed.set_rest_url("localhost").unwrap_err().code(), "VELOX_INVALID_VALUE");
    /// ```
    ///
    /// # Errors
    /// [`FeedError::InvalidValue`]: no such URL; the base stays what it was.
    pub fn set_rest_url(&mut self, base: &str) -> Result<(), FeedError> {
        self.rest_url = url::rest_base(base).ok_or_else(|| FeedError::InvalidValue {
            field: "restUrl",
            expected: "a URL as in http://host:port or https://host/path".to_owned(),
            got: base.to_owned(),
        })?;
        Ok(())
    }

    /// The venue.
    pub fn venue(&self) -> Venue {
        self.venue
    }

    /// The instruments that it was made with, whose ids the events carry.
    pub fn instruments(&self) -> &[Arc<Instrument>] {
        &self.markets
    }

    /// Decodes one message of the connection and appends its events to `out`: levels, the first of a snapshot flagged
    /// SNAPSHOT and the last of each exchange event LAST; trades; quotes; a STATUS with GAP where a book goes stale.
    /// `receive_ts` in epoch ns. Allocates nothing once its buffers are warm.
    ///
    /// # Errors
    /// [`FeedError::Message`]: nothing was appended, and no book changed.
    pub fn apply(&mut self, message: &[u8], receive_ts: u64, out: &mut Vec<MarketEvent>) -> Result<Applied, FeedError> {
        let start = out.len();
        let applied = sized(message).and_then(|()| self.protocol.apply(message, receive_ts, out));
        applied.map_err(|fault| {
            out.truncate(start);
            fault.of(self.venue)
        })
    }

    /// Takes the answer to [`Self::snapshot_request`]: the book is live with it and what waited for it, or it is older than
    /// the book (`Ignored`), or too old for what waited (`Gap`: fetch again).
    ///
    /// # Errors
    /// [`FeedError::UnknownSymbol`]; [`FeedError::Message`], also where the venue sends snapshots on the connection:
    /// nothing was appended, and no book changed.
    pub fn snapshot(
        &mut self,
        symbol: &str,
        body: &[u8],
        receive_ts: u64,
        out: &mut Vec<MarketEvent>,
    ) -> Result<Applied, FeedError> {
        let market = self.market(symbol).ok_or_else(|| FeedError::UnknownSymbol {
            symbol: symbol.to_owned(),
            known: self.markets.iter().map(|market| market.symbol().to_owned()).collect(),
        })?;
        let start = out.len();
        let applied = sized(body).and_then(|()| self.protocol.snapshot(market, body, receive_ts, out));
        applied.map_err(|fault| {
            out.truncate(start);
            fault.of(self.venue)
        })
    }

    /// Whether the book of a symbol can be believed; `None` for a symbol that it doesn't have.
    pub fn state(&self, symbol: &str) -> Option<FeedState> {
        self.market(symbol).map(|market| self.protocol.state(market))
    }

    /// The URL of the snapshot that a symbol needs now to get live; `None` while it needs none, and where the venue sends
    /// snapshots on the connection ([`Self::resubscribe_messages`]).
    pub fn snapshot_request(&self, symbol: &str) -> Option<String> {
        let market = self.market(symbol).filter(|&market| self.protocol.state(market) != FeedState::Live)?;
        self.protocol.snapshot_path(market).map(|path| self.rest_url.clone() + &path)
    }

    /// The symbols whose books are stale.
    pub fn stale_symbols(&self) -> Vec<&str> {
        let stale = |(market, _): &(usize, &Arc<Instrument>)| self.protocol.state(*market) == FeedState::Stale;
        self.markets.iter().enumerate().filter(stale).map(|(_, market)| market.symbol()).collect()
    }

    /// What to send on a new connection, in this order: books and trades of every symbol.
    pub fn subscribe_messages(&self) -> Vec<String> {
        self.protocol.subscribe()
    }

    /// What to send for a new snapshot of a stale symbol, where the venue gives it on the connection; nothing elsewhere.
    pub fn resubscribe_messages(&mut self, symbol: &str) -> Vec<String> {
        self.market(symbol).map(|market| self.protocol.resubscribe(market)).unwrap_or_default()
    }

    /// What the venue wants sent, and how often; `None` where the WebSocket's own pings are enough.
    pub fn heartbeat(&self) -> Option<Heartbeat> {
        self.protocol.heartbeat()
    }

    /// The connection is gone: every live book is stale, and a STATUS with GAP says so. Its receive time is 0: when that was
    /// noticed is the caller's to say.
    pub fn disconnected(&mut self, out: &mut Vec<MarketEvent>) {
        self.protocol.disconnected(out);
    }

    pub(crate) fn comparable(&self, instrument: u16) -> u64 {
        self.protocol.comparable(instrument)
    }

    pub(crate) fn end(&mut self) {
        self.protocol.end();
    }

    fn market(&self, symbol: &str) -> Option<usize> {
        self.markets.iter().position(|market| market.symbol() == symbol)
    }
}

/// Buffers are as long as the longest message: there is a longest.
fn sized(message: &[u8]) -> Result<(), Fault> {
    if message.is_empty() {
        return Err(Fault::new("a message in JSON", "no bytes"));
    }
    if message.len() > MAX_LINE {
        return Err(Fault::new("a message of at most 16 MiB", format!("{} bytes", message.len())));
    }
    Ok(())
}
