//! Fixed-point numbers as steps of an instrument.

use velox_record::Step;

use crate::error::Fault;

/// How an integer that counts `10^-decimals` becomes a count of an instrument's steps, exactly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fixed {
    step: Step,
    decimals: u32,
    times: i64,
    per: i64,
}

impl Fixed {
    /// `decimals` is at most 9, which a tick or a lot, of at most 12, can be finer than.
    pub(super) fn new(step: Step, decimals: u32) -> Self {
        let text = step.to_string();
        let own = text.split_once('.').map_or(0, |(_, behind)| behind.len() as u32);
        // At most 32 bits, as a step is read.
        let mantissa =
            text.bytes().filter(u8::is_ascii_digit).fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        let (times, per) = (10i64.pow(own.saturating_sub(decimals)), 10i64.pow(decimals.saturating_sub(own)));
        Self { step, decimals, times, per: mantissa * per }
    }

    /// So many steps; a fault where the number is finer than the step, or beyond 64 bits of them.
    pub(super) fn count(&self, value: i64, field: &str) -> Result<i64, Fault> {
        match value.checked_mul(self.times) {
            Some(scaled) if scaled % self.per == 0 => Ok(scaled / self.per),
            Some(_) => Err(self.fault(value, field, "a multiple of")),
            None => Err(self.fault(value, field, "at most 2^63 - 1 steps of")),
        }
    }

    #[cold]
    fn fault(&self, value: i64, field: &str, expected: &str) -> Fault {
        let got = Step::of_decimals(self.decimals).map_or_else(|_| value.to_string(), |unit| unit.format(value));
        Fault::new(format!("field `{field}`: {expected} {}", self.step), got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_what_the_decimal_text_gives() {
        for step in ["0.25", "0.000000001", "0.000000000025", "1", "25", "0.0001", "4294967295"] {
            let step = Step::parse(step).unwrap();
            for decimals in [0, 9] {
                let (fixed, unit) = (Fixed::new(step, decimals), Step::of_decimals(decimals).unwrap());
                for value in [0, 1, -1, 25, 5_528_750_000_000, -37_630_000_000, 1 << 40, i64::MAX - 1, i64::MIN + 1] {
                    let expected = step.count(unit.format(value).as_bytes()).ok();
                    assert_eq!(fixed.count(value, "price").ok(), expected, "{value} of {decimals} decimals in {step}");
                }
            }
        }
    }

    #[test]
    fn a_finer_price_is_refused_by_its_decimals() {
        let fault = Fixed::new(Step::parse("0.25").unwrap(), 9).count(5_528_100_000_000, "price").unwrap_err();
        assert_eq!(fault, Fault::new("field `price`: a multiple of 0.25", "5528.100000000"));
    }
}
