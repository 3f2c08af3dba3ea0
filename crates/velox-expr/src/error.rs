use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

/// Why an expression can't be planned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExprError {
    /// A column that the record has not.
    #[error("{record} has no field {name:?}; did you mean {nearest:?}? It has {}", known.join(", "))]
    UnknownField {
        /// The record.
        record: String,
        /// The name that was asked for.
        name: String,
        /// The known name that is most like it.
        nearest: String,
        /// All names.
        known: Vec<String>,
    },
    /// An operand of a type that its operator doesn't take.
    #[error("{op}: expected {expected}, got {got}")]
    TypeMismatch {
        /// The operator.
        op: Cow<'static, str>,
        /// What it takes there.
        expected: String,
        /// What came.
        got: String,
    },
    /// A value that its place doesn't take.
    #[error("{op}: expected {expected}, got {got}")]
    InvalidValue {
        /// The operator.
        op: Cow<'static, str>,
        /// What it takes there.
        expected: String,
        /// What came.
        got: String,
    },
}

impl ExprError {
    /// The code that users see; it never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownField { .. } => "VELOX_UNKNOWN_FIELD",
            Self::TypeMismatch { .. } => "VELOX_TYPE_MISMATCH",
            Self::InvalidValue { .. } => "VELOX_INVALID_VALUE",
        }
    }

    pub(crate) fn mismatch(
        op: impl Into<Cow<'static, str>>,
        expected: impl fmt::Display,
        got: impl fmt::Display,
    ) -> Self {
        Self::TypeMismatch { op: op.into(), expected: expected.to_string(), got: got.to_string() }
    }

    pub(crate) fn value(op: impl Into<Cow<'static, str>>, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        Self::InvalidValue { op: op.into(), expected: expected.to_string(), got: got.to_string() }
    }

    pub(crate) fn unknown<'a>(record: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let (lower, known): (_, Vec<String>) = (name.to_lowercase(), known.map(String::from).collect());
        let nearest = known.iter().min_by_key(|known| distance(&known.to_lowercase(), &lower)).cloned();
        Self::UnknownField { record: record.into(), name: name.into(), nearest: nearest.unwrap_or_default(), known }
    }

    /// The same, told of a field that a record is made of.
    pub(crate) fn in_field(mut self, field: &str) -> Self {
        if let Self::TypeMismatch { op, .. } | Self::InvalidValue { op, .. } = &mut self {
            *op = if op == "map" { field.to_owned() } else { format!("{field}: {op}") }.into();
        }
        self
    }
}

/// How many letters must be added, removed or replaced (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(from != to)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_comes_with_the_nearest_and_all_names() {
        let error = ExprError::unknown("Trade", "exchangets", ["id", "exchangeTs", "receiveTs"].into_iter());
        assert_eq!(error.code(), "VELOX_UNKNOWN_FIELD");
        assert_eq!(
            error.to_string(),
            r#"Trade has no field "exchangets"; did you mean "exchangeTs"? It has id, exchangeTs, receiveTs"#
        );
    }

    #[test]
    fn the_distance_of_words_is_known() {
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", "abc")), (3, 3, 0));
    }
}
