//! How many decimals the prices and quantities of known markets have, where the file itself doesn't say.

use std::sync::Arc;

use velox_record::{Instrument, Step};

use crate::{FeedError, ReplayOptions};

/// Venue, symbol, decimals of a price, decimals of a quantity. Not the tick and lot of new orders: what a book holds can
/// be finer. BTCUSDT spot has a lot of 0.00001, and yet levels of 25.42618900.
const KNOWN: [(&str, &str, u32, u32); 22] = [
    ("binance-usdm", "BTCUSDT", 2, 3),
    ("binance-coinm", "BTCUSD_PERP", 1, 0),
    ("binance-spot", "BTCUSDT", 2, 8),
    ("kraken", "XBT/USD", 1, 8),
    ("kraken", "XBT/EUR", 1, 8),
    ("kraken", "ETH/USD", 2, 8),
    ("kraken", "SOL/USD", 2, 8),
    ("okx", "BTC-USDT", 1, 8),
    ("okx", "ETH-USDT", 2, 8),
    ("okx", "SOL-USDT", 3, 8),
    ("okx", "BTC-USDT-SWAP", 1, 4),
    ("bybit", "BTCUSDT", 2, 8),
    ("bybit", "ETHUSDT", 2, 8),
    ("bybit", "SOLUSDT", 3, 8),
    ("coinbase", "BTC-USD", 2, 8),
    ("coinbase", "ETH-USD", 2, 8),
    ("coinbase", "SOL-USD", 2, 8),
    ("kucoin", "BTC-USDT", 2, 8),
    ("kucoin", "ETH-USDT", 2, 8),
    ("kucoin", "SOL-USDT", 4, 8),
    ("bitget", "BTCUSDT", 2, 8),
    ("bitget", "ETHUSDT", 2, 8),
];

/// Enough for every market of these venues, and prices up to 92 billion still fit.
const UNKNOWN: (u32, u32) = (8, 8);

/// The instrument of a symbol for which the user gave none.
pub(crate) fn instrument(venue: &str, symbol: &str) -> Result<Arc<Instrument>, FeedError> {
    let (price, qty) =
        KNOWN.iter().find(|known| known.0 == venue && known.1 == symbol).map_or(UNKNOWN, |known| (known.2, known.3));
    let refused = |error: &dyn std::fmt::Display| FeedError::InvalidValue {
        field: "instrument",
        expected: error.to_string().trim_start_matches("expected ").to_owned(),
        got: symbol.to_owned(),
    };
    let tick = Step::of_decimals(price).map_err(|error| refused(&error))?;
    let lot = Step::of_decimals(qty).map_err(|error| refused(&error))?;
    Instrument::of_steps(symbol, venue, tick, lot).map_err(|error| refused(&error))
}

/// The instruments of those symbols of a file that are wanted: as they were given, else made.
pub(crate) fn wanted(
    venue: &str,
    symbols: &[String],
    options: &ReplayOptions,
) -> Result<Vec<Arc<Instrument>>, FeedError> {
    let wanted = if options.symbols.is_empty() { symbols } else { &options.symbols };
    let mut instruments: Vec<Arc<Instrument>> = Vec::with_capacity(wanted.len());
    for symbol in wanted {
        if !symbols.contains(symbol) {
            return Err(FeedError::UnknownSymbol { symbol: symbol.clone(), known: symbols.to_vec() });
        }
        if instruments.iter().any(|known| known.symbol() == symbol) {
            continue;
        }
        // One of another venue is another market, though its symbol is the same.
        let given = |of: &str| {
            let is_it = |given: &&Arc<Instrument>| given.symbol() == symbol && given.venue() == of;
            options.instruments.iter().find(is_it)
        };
        instruments.push(match given(venue).or_else(|| given("")) {
            Some(given) => Arc::clone(given),
            None => instrument(venue, symbol)?,
        });
    }
    Ok(instruments)
}
