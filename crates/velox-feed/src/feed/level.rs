//! A level of a message, and its decimals in the instrument's steps.

use velox_record::{DecimalError, EventKind, Instrument, MarketEvent, Step, flags};

use crate::error::{ACCEPTED, Fault};
use crate::json::{Value, Written};

/// A decimal of a level in steps, at least `least`.
#[inline]
pub(super) fn written(step: Step, written: Written<'_>, least: i64, field: &str) -> Result<i64, Fault> {
    match written.scaled(step) {
        Some(steps) if steps >= least => Ok(steps),
        _ => steps(step, written.text, least, field),
    }
}

/// A decimal of a message in steps, at least `least`.
pub(super) fn steps(step: Step, text: &[u8], least: i64, field: &str) -> Result<i64, Fault> {
    match step.count(text) {
        Ok(steps) if steps >= least => Ok(steps),
        Ok(_) => Err(Fault::new(format!("field `{field}`: at least {}", step.format(least)), text)),
        Err(error) => {
            let expected = match error {
                DecimalError::TooFine { step, .. } => format!("a multiple of {step}"),
                DecimalError::TooLarge { step, .. } => format!("at most 2^63 - 1 steps of {step}"),
                _ => "a decimal like 61800.30".to_owned(),
            };
            Err(Fault::new(format!("field `{field}`: {expected}"), text))
        }
    }
}

/// A trade's instrument, and its price and quantity by the names of their fields; the rest is the venue's.
pub(super) fn trade(
    trade: Value<'_>,
    instrument: &Instrument,
    [price, qty]: [&str; 2],
    stamp: MarketEvent,
) -> Result<MarketEvent, Fault> {
    Ok(MarketEvent {
        kind: EventKind::TRADE,
        instrument: instrument.id(),
        price: steps(instrument.tick(), trade.text(price)?, 1, price)?,
        qty: steps(instrument.lot(), trade.text(qty)?, 1, qty)?,
        ..stamp
    })
}

/// What OKX and Bitget answer to a request, by `event`; `None` for a message of a channel.
pub(super) fn answer(message: Value<'_>) -> Option<Result<(), Fault>> {
    Some(match message.get("event")?.as_text() {
        Some(b"error") => Err(Fault::new(ACCEPTED, message.text("msg").unwrap_or(b"an error"))),
        _ => Ok(()),
    })
}

/// What a field's text stands for.
pub(super) fn one_of<T>(object: Value<'_>, key: &str, [a, b]: [(&str, T); 2]) -> Result<T, Fault> {
    let text = object.text(key)?;
    if text == a.0.as_bytes() {
        Ok(a.1)
    } else if text == b.0.as_bytes() {
        Ok(b.1)
    } else {
        Err(Fault::new(format!("field `{key}`: {} or {}", a.0, b.0), text))
    }
}

/// Whether a decimal is 0, however it is written.
pub(super) fn is_zero(decimal: &[u8]) -> bool {
    !decimal.is_empty() && decimal.iter().all(|byte| matches!(byte, b'0' | b'.'))
}

/// A `checksum` in 32 bits, signed.
pub(super) fn checksum(data: Value<'_>) -> Result<u32, Fault> {
    let text = data.decimal("checksum")?;
    let parsed = str::from_utf8(text).ok().and_then(|text| text.parse::<i32>().ok());
    parsed.map(i32::cast_unsigned).ok_or_else(|| Fault::new("field `checksum`: a signed number in 32 bits", text))
}

/// Flags the levels `out[start..]` as a snapshot. An empty one too must void the book before it: by the removal of a level
/// that isn't there.
pub(super) fn mark_snapshot(out: &mut Vec<MarketEvent>, start: usize, stamp: MarketEvent) {
    if out.len() == start {
        out.push(MarketEvent { kind: EventKind::LEVEL, ..stamp });
    }
    out[start].flags |= flags::SNAPSHOT;
    mark_event(out, start);
}

/// Flags the last of `out[start..]` as the end of its exchange event.
pub(super) fn mark_event(out: &mut [MarketEvent], start: usize) {
    if let Some(last) = out[start..].last_mut() {
        last.flags |= flags::LAST;
    }
}
