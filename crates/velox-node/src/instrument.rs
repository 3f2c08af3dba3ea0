use std::sync::Arc;

use napi_derive::napi;
use velox_engine::{Instrument, Step};

use crate::errors::{Result, Thrown};
use crate::raw::exact;

pub(crate) fn instrument(id: u32) -> std::result::Result<Arc<Instrument>, Thrown> {
    let found = u16::try_from(id).ok().and_then(Instrument::of_id);
    found.ok_or_else(|| Thrown::value("instrument", "the id of an Instrument", id))
}

fn step(id: u32, is_qty: bool) -> std::result::Result<Step, Thrown> {
    let instrument = instrument(id)?;
    Ok(if is_qty { instrument.lot() } else { instrument.tick() })
}

/// Finds or makes an instrument; gives its id.
#[napi(catch_unwind)]
pub fn instrument_new(symbol: String, venue: String, tick: String, lot: String) -> Result<u32> {
    Ok(u32::from(Instrument::new(&symbol, &venue, &tick, &lot).map_err(Thrown::from)?.id()))
}

/// What an instrument is made of.
#[napi(object)]
pub struct InstrumentInfo {
    /// The venue's name for it.
    pub symbol: String,
    /// Where it trades.
    pub venue: String,
    /// The step of its prices.
    pub tick: String,
    /// The step of its quantities.
    pub lot: String,
}

/// What the instrument of this id is made of.
#[napi(catch_unwind)]
pub fn instrument_info(id: u32) -> Result<InstrumentInfo> {
    let i = instrument(id)?;
    let [symbol, venue] = [i.symbol(), i.venue()].map(String::from);
    Ok(InstrumentInfo { symbol, venue, tick: i.tick().to_string(), lot: i.lot().to_string() })
}

/// How many ticks or lots a decimal is.
#[napi(catch_unwind)]
pub fn instrument_count(id: u32, is_qty: bool, decimal: String) -> Result<f64> {
    let field = if is_qty { "qty" } else { "price" };
    let count = step(id, is_qty)?.count(decimal.as_bytes()).map_err(|error| {
        let mut thrown = Thrown::from(error);
        thrown.context["field"] = field.into();
        thrown
    })?;
    Ok(exact(field, count)?)
}

/// The decimal of a number of ticks or lots.
#[napi(catch_unwind)]
pub fn instrument_format(id: u32, is_qty: bool, steps: f64) -> Result<String> {
    Ok(step(id, is_qty)?.format(steps as i64))
}
