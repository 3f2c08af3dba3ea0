//! How many decimals the prices and quantities of known markets have, where the file itself doesn't say.

use std::sync::Arc;

use velox_record::{Instrument, Step};

use crate::FeedError;

/// Venue, symbol, decimals of a price, decimals of a quantity. Not the tick and lot of new orders: what a book holds can
/// be finer. BTCUSDT spot has a lot of 0.00001, and yet levels of 25.42618900.
const KNOWN: [(&str, &str, u32, u32); 3] =
    [("binance-usdm", "BTCUSDT", 2, 3), ("binance-coinm", "BTCUSD_PERP", 1, 0), ("binance-spot", "BTCUSDT", 2, 8)];

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
