//! The venues, and what is known of each.

use std::fmt;
use std::sync::Arc;

use velox_record::Instrument;

use super::kucoin;
use crate::error::Fault;
use crate::{FeedError, decimals};

/// A venue whose messages are decoded and whose books are kept in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Venue {
    /// Binance spot.
    BinanceSpot,
    /// Binance USD-M futures.
    BinanceUsdm,
    /// Binance COIN-M futures.
    BinanceCoinm,
    /// Kraken spot: WebSocket v1 is subscribed to; messages of v2 are understood too.
    Kraken,
    /// OKX v5, every kind of instrument.
    Okx,
    /// Bybit v5 linear; the former `orderBook_200.100ms` is understood too.
    Bybit,
    /// Coinbase Advanced Trade.
    Coinbase,
    /// KuCoin spot.
    Kucoin,
    /// Bitget v2 spot.
    Bitget,
}

/// How we know that the protocol that is subscribed to is decoded right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifiedBy {
    /// Recorded messages of the venue itself.
    Capture,
    /// Its public documentation.
    Documentation,
}

/// What holds a venue's books to the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// Messages are numbered: one that is missing is noticed by the next.
    Sequence,
    /// Messages carry a checksum of the best levels: what is missing is noticed as soon as it shows there.
    Checksum,
    /// Sequence and checksum.
    Both,
    /// Unverifiable: a lost message is not noticed.
    None,
}

impl Venue {
    /// Every venue.
    pub const ALL: [Self; 9] = [
        Self::BinanceSpot,
        Self::BinanceUsdm,
        Self::BinanceCoinm,
        Self::Kraken,
        Self::Okx,
        Self::Bybit,
        Self::Coinbase,
        Self::Kucoin,
        Self::Bitget,
    ];

    /// The name in both languages and in recordings.
    ///
    /// ```
    /// use velox_feed::Venue;
    /// assert_eq!(Venue::BinanceUsdm.name(), "binance-usdm");
    /// assert!(Venue::ALL.into_iter().all(|venue| Venue::from_name(venue.name()) == Some(venue)));
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::BinanceSpot => "binance-spot",
            Self::BinanceUsdm => "binance-usdm",
            Self::BinanceCoinm => "binance-coinm",
            Self::Kraken => "kraken",
            Self::Okx => "okx",
            Self::Bybit => "bybit",
            Self::Coinbase => "coinbase",
            Self::Kucoin => "kucoin",
            Self::Bitget => "bitget",
        }
    }

    /// The venue of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|venue| venue.name() == name)
    }

    /// How we know that the protocol that is subscribed to is decoded right: Bybit's captures are of the former one.
    pub const fn verified_by(self) -> VerifiedBy {
        match self {
            Self::Bybit | Self::Coinbase | Self::Kucoin | Self::Bitget => VerifiedBy::Documentation,
            _ => VerifiedBy::Capture,
        }
    }

    /// What holds its books to the truth.
    pub const fn checks(self) -> Checks {
        match self {
            Self::Kraken | Self::Bitget => Checks::Checksum,
            Self::Okx => Checks::Both,
            _ => Checks::Sequence,
        }
    }

    /// The instrument of a symbol that nobody gave one for: of the decimals that are known of it, or of 8.
    ///
    /// # Errors
    /// [`FeedError::InvalidValue`]: the process has all the instruments that it can.
    ///
    /// ```
    /// use velox_feed::Venue;
    /// assert_eq!(Venue::BinanceUsdm.instrument("BTCUSDT").unwrap().lot().to_string(), "0.001");
    /// ```
    pub fn instrument(self, symbol: &str) -> Result<Arc<Instrument>, FeedError> {
        decimals::instrument(self.name(), symbol)
    }

    /// Where its WebSocket is, unless told otherwise. KuCoin's wants a token ([`Self::token_path`]).
    pub const fn websocket_url(self) -> &'static str {
        match self {
            Self::BinanceSpot => "wss://stream.binance.com:9443/stream",
            Self::BinanceUsdm => "wss://fstream.binance.com/stream",
            Self::BinanceCoinm => "wss://dstream.binance.com/stream",
            Self::Kraken => "wss://ws.kraken.com",
            Self::Okx => "wss://ws.okx.com:8443/ws/v5/public",
            Self::Bybit => "wss://stream.bybit.com/v5/public/linear",
            Self::Coinbase => "wss://advanced-trade-ws.coinbase.com",
            Self::Kucoin => "wss://ws-api-spot.kucoin.com",
            Self::Bitget => "wss://ws.bitget.com/v2/ws/public",
        }
    }

    /// The base of its REST URLs, unless told otherwise.
    pub const fn rest_url(self) -> &'static str {
        match self {
            Self::BinanceSpot => "https://api.binance.com",
            Self::BinanceUsdm => "https://fapi.binance.com",
            Self::BinanceCoinm => "https://dapi.binance.com",
            Self::Kraken => "https://api.kraken.com",
            Self::Okx => "https://www.okx.com",
            Self::Bybit => "https://api.bybit.com",
            Self::Coinbase => "https://api.coinbase.com",
            Self::Kucoin => "https://api.kucoin.com",
            Self::Bitget => "https://api.bitget.com",
        }
    }

    /// Under the REST base, what to POST (without a body) for a token before each connection; the answer goes to
    /// [`Self::token_url`]. `None` where no token is wanted.
    pub const fn token_path(self) -> Option<&'static str> {
        match self {
            Self::Kucoin => Some("/api/v1/bullet-public"),
            _ => None,
        }
    }
}

impl Venue {
    /// The WebSocket address, of the answer to the request for a token ([`Self::token_path`]).
    ///
    /// # Errors
    /// [`FeedError::Message`]: not an answer with a token, or a venue that wants none.
    ///
    /// ```
    /// use velox_feed::Venue;
    /// let answer = br#"{"code":"200000","data":{"token":"t","instanceServers":[{"endpoint":"wss://a.example/"}]}}"#;
    /// assert_eq!(Venue::Kucoin.token_url(answer).unwrap(), "wss://a.example/?token=t");
    /// ```
    pub fn token_url(self, answer: &[u8]) -> Result<String, FeedError> {
        match self {
            Self::Kucoin => kucoin::token_url(answer),
            _ => Err(Fault::new("a venue that wants a token", self.name()).of(self)),
        }
    }
}

impl fmt::Display for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
