//! What a param must be where expressions meet it.

use crate::ExprError;
use crate::literal::whole;
use crate::types::Type;

/// What a param must be for the expressions that it is in: any number, or a whole one that their integers can hold.
///
/// ```
/// use velox_expr::{Expr, Plan, Scales};
/// use velox_record::Trade;
/// let expr: Expr = serde_json::from_str(
///     r#"{"op":"gt","of":[{"op":"column","name":"price"},{"op":"param","index":0}]}"#,
/// ).unwrap();
/// let rule = Plan::<Trade>::new(&expr, &Scales::default(), 1).unwrap().param_rule(0);
/// assert!(rule.check("params.least", 5.0).is_ok());
/// assert!(rule.check("params.least", 5.5).is_err());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ParamRule(u8);

/// A whole number of 64 bits, signed or not: it is only compared.
const WHOLE: u8 = 1;
const SIGNED: u8 = 2;
const UNSIGNED: u8 = 4;

impl ParamRule {
    /// Beside integers of this type, or beside any where it is only compared.
    pub(crate) fn integer(kind: Option<&Type>) -> Self {
        Self(match kind {
            Some(Type::I64) => WHOLE | SIGNED,
            Some(Type::U64) => WHOLE | UNSIGNED,
            _ => WHOLE,
        })
    }

    /// What is right by both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The rule as a number, 0 ..= 7: 0 for any number. What both of two rules ask for is the `|` of theirs.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The rule of such a number; bits beyond mean nothing.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & (WHOLE | SIGNED | UNSIGNED))
    }

    pub(crate) fn holds(self, value: f64) -> bool {
        let asks = |bit| self.0 & bit != 0;
        self.0 == 0
            || whole(value).is_some_and(|value| {
                (!asks(SIGNED) || i64::try_from(value).is_ok()) && (!asks(UNSIGNED) || u64::try_from(value).is_ok())
            })
    }

    /// Checks a value of the param `name`.
    ///
    /// # Errors
    /// [`ExprError::InvalidValue`]: a fraction, or a whole number that the integers beside it can't hold.
    pub fn check(self, name: &str, value: f64) -> Result<(), ExprError> {
        if self.holds(value) {
            return Ok(());
        }
        let range = match self.0 & (SIGNED | UNSIGNED) {
            UNSIGNED => " of 0 to 2^64 - 1",
            0 => " of -2^63 to 2^64 - 1",
            SIGNED => " of -2^63 to 2^63 - 1",
            _ => " of 0 to 2^63 - 1",
        };
        // What is no whole number needs no range to be told wrong.
        let range = if value.fract() == 0.0 { range } else { "" };
        let expected = format!("a whole number{range}, as it meets integers: toF64() makes them floats");
        Err(ExprError::InvalidValue { op: name.to_owned().into(), expected, got: value.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_takes_what_the_integers_of_all_its_expressions_hold() {
        let [any, signed, unsigned] = [None, Some(&Type::I64), Some(&Type::U64)].map(ParamRule::integer);
        let (two, three) = (9_223_372_036_854_775_808.0, 18_446_744_073_709_551_616.0);
        for (rule, fits, refused) in [
            (ParamRule::default(), &[0.5, f64::NAN, -1.0][..], &[][..]),
            (any, &[-two, -1.0, two][..], &[0.5, f64::NAN, f64::INFINITY, three, -three][..]),
            (signed, &[-two, 1e18][..], &[0.5, two][..]),
            (unsigned, &[0.0, two][..], &[-1.0, 0.5, three][..]),
            (signed.and(unsigned), &[0.0, 1e18][..], &[-1.0, two][..]),
        ] {
            assert!(fits.iter().all(|value| rule.check("p", *value).is_ok()), "{rule:?}");
            assert!(refused.iter().all(|value| rule.check("p", *value).is_err()), "{rule:?}");
            assert_eq!(ParamRule::from_bits(rule.bits()), rule);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_the_range_where_it_matters() {
        let rule = ParamRule::integer(Some(&Type::U64));
        let told = |value| rule.check("params.least", value).unwrap_err().to_string();
        assert_eq!(
            told(0.5),
            "params.least: expected a whole number, as it meets integers: toF64() makes them floats, got 0.5"
        );
        assert!(told(-5.0).contains("a whole number of 0 to 2^64 - 1"), "{}", told(-5.0));
    }
}
