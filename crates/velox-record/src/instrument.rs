use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use crate::{DecimalError, Step};

/// What a price and a quantity of one market mean: integers in the engine, decimals at the edge.
///
/// Instruments are kept for the life of the process, so that the `u16` in a record always finds its instrument; the
/// same symbol, venue, tick and lot give the same id.
#[derive(Debug, PartialEq, Eq)]
pub struct Instrument {
    /// The id in records: 1 ..= 65,535.
    id: u16,
    symbol: String,
    venue: String,
    tick: Step,
    lot: Step,
}

/// Why an instrument can't be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InstrumentError {
    /// The tick is no positive decimal.
    #[error("tick: {0}")]
    Tick(DecimalError),
    /// The lot is no positive decimal.
    #[error("lot: {0}")]
    Lot(DecimalError),
    /// A record names an instrument in 16 bits.
    #[error("expected at most 65535 different instruments in one process")]
    TooMany,
}

static ALL: Mutex<Vec<Arc<Instrument>>> = Mutex::new(Vec::new());

impl Instrument {
    /// Finds or makes an instrument. Locks and allocates: not for the hot path.
    ///
    /// # Errors
    /// [`InstrumentError`]: a tick or lot that is no positive decimal, or too many instruments.
    ///
    /// ```
    /// use velox_record::Instrument;
    /// let btc = Instrument::new("BTCUSDT", "binance-usdm", "0.10", "0.001").unwrap();
    /// assert_eq!(btc.tick().count(b"61800.30").unwrap(), 618_003);
    /// ```
    pub fn new(symbol: &str, venue: &str, tick: &str, lot: &str) -> Result<Arc<Self>, InstrumentError> {
        Self::of_steps(
            symbol,
            venue,
            Step::parse(tick).map_err(InstrumentError::Tick)?,
            Step::parse(lot).map_err(InstrumentError::Lot)?,
        )
    }

    /// Like [`Self::new`], from steps already read.
    ///
    /// # Errors
    /// [`InstrumentError::TooMany`].
    pub fn of_steps(symbol: &str, venue: &str, tick: Step, lot: Step) -> Result<Arc<Self>, InstrumentError> {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) =
            all.iter().find(|i| i.symbol == symbol && i.venue == venue && i.tick == tick && i.lot == lot)
        {
            return Ok(Arc::clone(known));
        }
        let id = u16::try_from(all.len() + 1).map_err(|_| InstrumentError::TooMany)?;
        let made = Arc::new(Self { id, symbol: symbol.into(), venue: venue.into(), tick, lot });
        all.push(Arc::clone(&made));
        Ok(made)
    }

    /// The instrument that a record names. Locks for a moment: not for the hot path.
    pub fn of_id(id: u16) -> Option<Arc<Self>> {
        let index = usize::from(id).checked_sub(1)?;
        ALL.lock().unwrap_or_else(PoisonError::into_inner).get(index).map(Arc::clone)
    }

    /// The id in records.
    pub fn id(&self) -> u16 {
        self.id
    }

    /// The venue's name for it.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// Where it trades; empty where that isn't said.
    pub fn venue(&self) -> &str {
        &self.venue
    }

    /// The step of its prices.
    pub fn tick(&self) -> Step {
        self.tick
    }

    /// The step of its quantities.
    pub fn lot(&self) -> Step {
        self.lot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_market_has_the_same_id() {
        let a = Instrument::new("ETHUSDT", "test", "0.01", "0.001").unwrap();
        let b = Instrument::new("ETHUSDT", "test", "0.01", "0.001").unwrap();
        let c = Instrument::new("ETHUSDT", "test", "0.1", "0.001").unwrap();
        assert!(a.id() == b.id() && a.id() != c.id() && a.id() > 0);
        assert_eq!((Instrument::of_id(c.id()), Instrument::of_id(0)), (Some(c), None));
    }
}
