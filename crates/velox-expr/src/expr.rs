use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// An expression over the columns of a record, as read from JSON (see the [crate's docs](crate)).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Expr {
    /// A column by its name.
    Column {
        /// As in the record's fields.
        name: String,
    },
    /// A whole number, as a JSON number or as text.
    I64 {
        /// The number.
        #[serde(deserialize_with = "integer")]
        value: i64,
    },
    /// A whole number of 64 bits without a sign, as text.
    U64 {
        /// The number.
        #[serde(deserialize_with = "integer")]
        value: u64,
    },
    /// A number; `"NaN"`, `"Infinity"` and `"-Infinity"` as text.
    F64 {
        /// The number.
        #[serde(deserialize_with = "float")]
        value: f64,
    },
    /// Decimal text, such as `61800.30`, which takes the tick or lot of the column it meets.
    Decimal {
        /// The text.
        value: String,
    },
    /// The name of an enumeration's value, such as `ask`.
    Name {
        /// The name.
        value: String,
    },
    /// A truth value.
    Bool {
        /// The value.
        value: bool,
    },
    /// A number given with each batch.
    Param {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// A value that holds until another is given, or none.
    Given {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// a + b
    Add {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// a - b
    Sub {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// a × b
    Mul {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// a / b, truncated toward zero for integers.
    Div {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// -a
    Neg {
        /// a
        of: Box<[Expr; 1]>,
    },
    /// |a|
    Abs {
        /// a
        of: Box<[Expr; 1]>,
    },
    /// The lesser; of equals the first.
    Min {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// The greater; of equals the first.
    Max {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// min(max(x, lo), hi)
    Clamp {
        /// x, lo, hi
        of: Box<[Expr; 3]>,
    },
    /// a × m / d, exact in between.
    MulDiv {
        /// a, m, d
        of: Box<[Expr; 3]>,
    },
    /// The nearest floating-point number.
    ToF64 {
        /// a
        of: Box<[Expr; 1]>,
    },
    /// a = b
    Eq {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// a ≠ b
    Ne {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// a < b
    Lt {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// a ≤ b
    Le {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// a > b
    Gt {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// a ≥ b
    Ge {
        /// a, b
        of: Box<[Expr; 2]>,
    },
    /// x ≥ lo and x ≤ hi
    Between {
        /// x, lo, hi
        of: Box<[Expr; 3]>,
    },
    /// x = a or x = b or …
    In {
        /// x, then at least one candidate
        of: Vec<Expr>,
    },
    /// All of them.
    And {
        /// At least one
        of: Vec<Expr>,
    },
    /// Any of them.
    Or {
        /// At least one
        of: Vec<Expr>,
    },
    /// Not a.
    Not {
        /// a
        of: Box<[Expr; 1]>,
    },
    /// a where c holds, else b.
    When {
        /// c, a, b
        of: Box<[Expr; 3]>,
    },
    /// The last value of x on the rows before.
    Prev {
        /// x
        of: Box<[Expr; 1]>,
    },
    /// The last value of x on the rows before that have the same key.
    Over {
        /// x, key
        of: Box<[Expr; 2]>,
        /// How many keys there may be: 1 ..= 1,048,576.
        max_keys: usize,
    },
}

impl Expr {
    /// The operator's name in JSON.
    pub const fn op(&self) -> &'static str {
        match self {
            Self::Column { .. } => "column",
            Self::I64 { .. } => "i64",
            Self::U64 { .. } => "u64",
            Self::F64 { .. } => "f64",
            Self::Decimal { .. } => "decimal",
            Self::Name { .. } => "name",
            Self::Bool { .. } => "bool",
            Self::Param { .. } => "param",
            Self::Given { .. } => "given",
            Self::Add { .. } => "add",
            Self::Sub { .. } => "sub",
            Self::Mul { .. } => "mul",
            Self::Div { .. } => "div",
            Self::Neg { .. } => "neg",
            Self::Abs { .. } => "abs",
            Self::Min { .. } => "min",
            Self::Max { .. } => "max",
            Self::Clamp { .. } => "clamp",
            Self::MulDiv { .. } => "mulDiv",
            Self::ToF64 { .. } => "toF64",
            Self::Eq { .. } => "eq",
            Self::Ne { .. } => "ne",
            Self::Lt { .. } => "lt",
            Self::Le { .. } => "le",
            Self::Gt { .. } => "gt",
            Self::Ge { .. } => "ge",
            Self::Between { .. } => "between",
            Self::In { .. } => "in",
            Self::And { .. } => "and",
            Self::Or { .. } => "or",
            Self::Not { .. } => "not",
            Self::When { .. } => "when",
            Self::Prev { .. } => "prev",
            Self::Over { .. } => "over",
        }
    }
}

/// JSON numbers are exact to 53 bits only, so text is read too.
fn integer<'de, D: Deserializer<'de>, N: TryFrom<i128>>(from: D) -> Result<N, D::Error> {
    struct Whole;
    impl Visitor<'_> for Whole {
        type Value = i128;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number, as a number or as text")
        }
        fn visit_i64<E: Error>(self, value: i64) -> Result<i128, E> {
            Ok(value.into())
        }
        fn visit_u64<E: Error>(self, value: u64) -> Result<i128, E> {
            Ok(value.into())
        }
        fn visit_str<E: Error>(self, value: &str) -> Result<i128, E> {
            value.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(value), &self))
        }
    }
    let value = from.deserialize_any(Whole)?;
    N::try_from(value).map_err(|_| D::Error::custom(format!("{value} is out of range")))
}

/// JSON has no word for what is not finite.
fn float<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    struct Number;
    impl Visitor<'_> for Number {
        type Value = f64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
        }
        fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
            Ok(value)
        }
        fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
            Ok(value as f64)
        }
        fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
            Ok(value as f64)
        }
        fn visit_str<E: Error>(self, value: &str) -> Result<f64, E> {
            match value {
                "NaN" => Ok(f64::NAN),
                "Infinity" => Ok(f64::INFINITY),
                "-Infinity" => Ok(f64::NEG_INFINITY),
                _ => Err(E::invalid_value(serde::de::Unexpected::Str(value), &self)),
            }
        }
    }
    from.deserialize_any(Number)
}
