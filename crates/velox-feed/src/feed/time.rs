//! When a venue says that something happened, in epoch ns.

use velox_record::Step;

use crate::error::Fault;
use crate::json::{Value, Written, whole};

const NANOS: u64 = 1_000_000_000;

/// A field of epoch milliseconds, a number or digits in a text.
pub(super) fn millis(object: Value<'_>, key: &str) -> Result<u64, Fault> {
    scaled(object, key, 1_000_000, "epoch milliseconds")
}

/// A field of epoch microseconds, the same.
pub(super) fn micros(object: Value<'_>, key: &str) -> Result<u64, Fault> {
    scaled(object, key, 1_000, "epoch microseconds")
}

fn scaled(object: Value<'_>, key: &str, unit: u64, expected: &str) -> Result<u64, Fault> {
    let number = object.digits(key)?;
    let nanos = number.checked_mul(unit);
    nanos.ok_or_else(|| Fault::new(format!("field `{key}`: {expected}"), number.to_string()))
}

/// Epoch seconds with a fraction, `1618678132.925632`.
pub(crate) fn seconds(time: Written<'_>) -> Option<u64> {
    let nano = Step::of_decimals(9).ok()?;
    let nanos = time.scaled(nano).or_else(|| nano.count(time.text).ok())?;
    u64::try_from(nanos).ok()
}

/// A field of a time like `2023-02-09T20:32:50.714964855Z`.
pub(super) fn iso(object: Value<'_>, key: &str) -> Result<u64, Fault> {
    let text = object.text(key)?;
    utc(text).ok_or_else(|| Fault::new(format!("field `{key}`: a time like 2023-02-09T20:32:50.714964Z"), text))
}

/// A time of RFC 3339 in UTC, between 1970 and 2500.
fn utc(text: &[u8]) -> Option<u64> {
    let (clock, fraction) = text.strip_suffix(b"Z")?.split_at_checked(19)?;
    let at = |range: std::ops::Range<usize>| whole(&clock[range]);
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let (year, month, day) = (at(0..4)?, at(5..7)?, at(8..10)?);
    let (hour, minute, second) = (at(11..13)?, at(14..16)?, at(17..19)?);
    let is_time = (1970..2500).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    // A leap second is written as the 60th.
    if !is_time || hour > 23 || minute > 59 || second > 60 || separators.iter().any(|&(at, byte)| clock[at] != byte) {
        return None;
    }
    let nanos = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => whole(digits)? * 10u64.pow(9 - digits.len() as u32),
        _ => return None,
    };
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * NANOS + nanos)
}

/// Days since 1970-01-01 of the Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// <https://howardhinnant.github.io/date_algorithms.html>.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_nanosecond() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2023-02-09T20:32:50.714964855Z", 1_675_974_770_714_964_855),
            ("2024-02-29T23:59:59.5Z", 1_709_251_199_500_000_000),
            ("2000-03-01T00:00:00.000Z", 951_868_800_000_000_000),
        ] {
            assert_eq!(utc(text.as_bytes()), Some(expected), "{text}");
        }
        for text in ["", "Z", "1969-12-31T23:59:59Z", "2023-13-01T00:00:00Z", "2023-01-01 00:00:00Z"] {
            assert_eq!(utc(text.as_bytes()), None, "{text}");
        }
        for text in ["2023-01-01T00:00:00", "2023-01-01T00:00:00.Z", "2023-01-01T00:00:00.1234567890Z"] {
            assert_eq!(utc(text.as_bytes()), None, "{text}");
        }
        assert_eq!(seconds(Written::of(b"1618678132.925632")), Some(1_618_678_132_925_632_000));
        assert!(
            seconds(Written::of(b"-1")).is_none()
                && seconds(Written::of(b"x")).is_none()
                && seconds(Written::of(b"99999999999999")).is_none()
        );
    }
}
