use std::fmt;

use thiserror::Error;

/// The most decimals a step may have.
const MAX_DECIMALS: u32 = 12;

/// So many digits are below 2^63, whatever they are.
const SHORT: usize = 18;

/// The smallest step of a price or a quantity: a tick or a lot, as an exact decimal (`0.10`, `0.001`, `25`).
///
/// Text becomes a whole number of steps and back, exactly; nothing is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Step {
    /// The step is `mantissa × 10^-decimals`. Range: 1 ..= `u32::MAX`.
    mantissa: u64,
    /// Range: 0 ..= 12.
    decimals: u32,
}

/// Why a text is not a whole number of steps.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// Not digits with at most one point.
    #[error("expected a decimal like 61800.30, got {0:?}")]
    NotDecimal(String),
    /// Finer than the step.
    #[error("expected a multiple of {step}, got {got:?}")]
    TooFine {
        /// The step, as a decimal.
        step: String,
        /// The text.
        got: String,
    },
    /// Beyond 64 bits of steps.
    #[error("expected at most 2^63 - 1 steps of {step}, got {got:?}")]
    TooLarge {
        /// The step, as a decimal.
        step: String,
        /// The text.
        got: String,
    },
    /// A step that is not a positive decimal with at most 12 decimals.
    #[error("expected a positive step with at most 12 decimals, like 0.01, got {0:?}")]
    NotStep(String),
}

/// The digits of a decimal text as one integer, its sign, and how many of the digits stand behind the point.
fn digits(text: &[u8]) -> Option<(u128, bool, u32)> {
    let (negative, body) = match text {
        [b'-', body @ ..] => (true, body),
        body => (false, body),
    };
    // 38 digits always fit 128 bits.
    if body.is_empty() || body.len() > 38 {
        return None;
    }
    let mut value = 0u128;
    let mut decimals = None;
    let mut seen = false;
    for &byte in body {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u128::from(byte - b'0');
                seen = true;
                decimals = decimals.map(|n: u32| n + 1);
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    seen.then_some((value, negative, decimals.unwrap_or(0)))
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned()
}

/// Powers of ten.
const POWERS: [u64; 19] = {
    let mut powers = [1; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};

impl Step {
    /// A step of `10^-decimals`.
    ///
    /// # Errors
    /// [`DecimalError::NotStep`] beyond 12 decimals.
    pub fn of_decimals(decimals: u32) -> Result<Self, DecimalError> {
        if decimals > MAX_DECIMALS {
            return Err(DecimalError::NotStep(format!("{decimals} decimals")));
        }
        Ok(Self { mantissa: 1, decimals })
    }

    /// Reads a step such as `0.10`, `0.001` or `25`.
    ///
    /// # Errors
    /// [`DecimalError::NotStep`]: not a positive decimal, more than 12 decimals, a mantissa over 32 bits.
    ///
    /// ```
    /// use velox_record::Step;
    /// let tick = Step::parse("0.10").unwrap();
    /// assert_eq!(tick.count(b"61800.30").unwrap(), 618_003);
    /// assert_eq!(tick.format(618_003), "61800.30");
    /// ```
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let refused = || DecimalError::NotStep(lossy(text.as_bytes()));
        let (value, negative, decimals) = digits(text.as_bytes()).ok_or_else(refused)?;
        if negative || value == 0 || value > u128::from(u32::MAX) || decimals > MAX_DECIMALS {
            return Err(refused());
        }
        Ok(Self { mantissa: value as u64, decimals })
    }

    /// How many steps a decimal text is. Allocates nothing unless it fails.
    ///
    /// # Errors
    /// [`DecimalError`]: not a decimal, finer than the step, beyond 64 bits.
    pub fn count(&self, text: &[u8]) -> Result<i64, DecimalError> {
        match self.count_short(text) {
            Some(steps) => Ok(steps),
            None => self.count_any(text),
        }
    }

    /// Nearly every decimal of a market: positive, at most 18 characters, all of it in 64 bits. Divisions of 128 bits are
    /// what the rest costs. `None` for what has to be looked at again.
    fn count_short(&self, text: &[u8]) -> Option<i64> {
        if text.len() > SHORT {
            return None;
        }
        let (mut value, mut point, mut behind) = (0u64, false, 0u32);
        for &byte in text {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                value = value * 10 + u64::from(digit);
                behind += u32::from(point);
            } else if byte == b'.' && !point {
                point = true;
            } else {
                return None;
            }
        }
        if text.len() == usize::from(point) {
            return None;
        }
        self.scale(value, behind)
    }

    /// How many steps `digits * 10^-decimals` is: what [`count`](Self::count) gives for a text that is in digits already.
    /// `None` where it is no whole number of steps or doesn't fit, and for more than 18 decimals; `count` says which.
    ///
    /// ```
    /// use velox_record::Step;
    /// let tick = Step::parse("0.10").unwrap();
    /// assert_eq!((tick.scale(6_180_030, 2), tick.scale(6_180_031, 2)), (Some(618_003), None));
    /// ```
    #[inline]
    pub fn scale(&self, digits: u64, decimals: u32) -> Option<i64> {
        let value = match decimals.checked_sub(self.decimals) {
            Some(excess) => {
                let power = *POWERS.get(excess as usize)?;
                if power > 1 && !digits.is_multiple_of(power) {
                    return None;
                }
                if power > 1 { digits / power } else { digits }
            }
            None => digits.checked_mul(POWERS[(self.decimals - decimals) as usize])?,
        };
        let steps = match self.mantissa {
            1 => value,
            mantissa if value.is_multiple_of(mantissa) => value / mantissa,
            _ => return None,
        };
        i64::try_from(steps).ok()
    }

    fn count_any(&self, text: &[u8]) -> Result<i64, DecimalError> {
        let (mut value, negative, mut decimals) = digits(text).ok_or_else(|| DecimalError::NotDecimal(lossy(text)))?;
        let too_fine = || DecimalError::TooFine { step: self.to_string(), got: lossy(text) };
        let too_large = || DecimalError::TooLarge { step: self.to_string(), got: lossy(text) };
        while decimals > self.decimals {
            if !value.is_multiple_of(10) {
                return Err(too_fine());
            }
            value /= 10;
            decimals -= 1;
        }
        let value = value.checked_mul(10u128.pow(self.decimals - decimals)).ok_or_else(too_large)?;
        let mantissa = u128::from(self.mantissa);
        if !value.is_multiple_of(mantissa) {
            return Err(too_fine());
        }
        let steps = i64::try_from(value / mantissa).map_err(|_| too_large())?;
        Ok(if negative { -steps } else { steps })
    }

    /// The decimal text of a number of steps, with as many decimals as the step is written with.
    pub fn format(&self, steps: i64) -> String {
        let value = u128::from(steps.unsigned_abs()) * u128::from(self.mantissa);
        let unit = 10u128.pow(self.decimals);
        let sign = if steps < 0 { "-" } else { "" };
        match self.decimals as usize {
            0 => format!("{sign}{value}"),
            width => format!("{sign}{}.{:0width$}", value / unit, value % unit),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_trailing_zero_is_not_a_finer_value() {
        let lot = Step::parse("0.00001").unwrap();
        assert_eq!(lot.count(b"1.54698000").unwrap(), 154_698);
        assert!(matches!(lot.count(b"1.54698001"), Err(DecimalError::TooFine { .. })));
    }

    proptest! {
        #[test]
        fn the_short_way_and_the_long_way_agree(text in "[0-9.]{0,20}|[0-9]{0,12}[.][0-9]{0,10}|-?[0-9.x]{1,6}", mantissa in 1u64..30, decimals in 0u32..13) {
            let step = Step { mantissa, decimals };
            prop_assert_eq!(step.count(text.as_bytes()), step.count_any(text.as_bytes()));
        }
    }

    #[test]
    fn a_tick_of_a_quarter_takes_only_quarters() {
        let tick = Step::parse("0.25").unwrap();
        assert_eq!(tick.count(b"4782.75").unwrap(), 19_131);
        assert!(matches!(tick.count(b"4782.80"), Err(DecimalError::TooFine { .. })));
        assert_eq!(tick.format(19_131), "4782.75");
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        let tick = Step::of_decimals(2).unwrap();
        for text in ["", "-", ".", "1.2.3", "1e5", "+1", " 1", "NaN", "١"] {
            assert!(matches!(tick.count(text.as_bytes()), Err(DecimalError::NotDecimal(_))), "{text}");
        }
        for text in ["0", "-0.01", "0.0000000000001", "x", ""] {
            assert!(Step::parse(text).is_err(), "{text}");
        }
        assert!(matches!(tick.count(b"99999999999999999999"), Err(DecimalError::TooLarge { .. })));
        assert!(matches!(tick.count(b"99999999999999999999999999999999999999"), Err(DecimalError::TooLarge { .. })));
    }

    proptest! {
        #[test]
        fn text_and_steps_are_one_to_one(steps in any::<i64>(), decimals in 0u32..=12, mantissa in 1u32..10_000) {
            let step = Step { mantissa: u64::from(mantissa), decimals };
            if steps != i64::MIN {
                prop_assert_eq!(step.count(step.format(steps).as_bytes()).unwrap(), steps);
            }
        }

        #[test]
        fn no_bytes_panic(text in prop::collection::vec(any::<u8>(), 0..60), decimals in 0u32..=12) {
            let _ = Step::of_decimals(decimals).unwrap().count(&text);
        }
    }
}
