use std::fmt;

use thiserror::Error;

/// Why an expression can't be planned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExprError {
    /// A column that the record has not.
    #[error("{record} has no field {name:?}; did you mean {nearest:?}? It has {}", known.join(", "))]
    UnknownField {
        /// The record.
        record: &'static str,
        /// The name that was asked for.
        name: String,
        /// The known name that is most like it.
        nearest: &'static str,
        /// All names.
        known: Vec<&'static str>,
    },
    /// An operand of a type that its operator doesn't take.
    #[error("{op}: expected {expected}, got {got}")]
    TypeMismatch {
        /// The operator.
        op: &'static str,
        /// What it takes there.
        expected: String,
        /// What came.
        got: String,
    },
    /// A value that its place doesn't take.
    #[error("{op}: expected {expected}, got {got}")]
    InvalidValue {
        /// The operator.
        op: &'static str,
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

    pub(crate) fn mismatch(op: &'static str, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        Self::TypeMismatch { op, expected: expected.to_string(), got: got.to_string() }
    }

    pub(crate) fn value(op: &'static str, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        Self::InvalidValue { op, expected: expected.to_string(), got: got.to_string() }
    }

    pub(crate) fn unknown(record: &'static str, name: &str, known: Vec<&'static str>) -> Self {
        let lower = name.to_lowercase();
        let nearest = known.iter().copied().min_by_key(|known| distance(&known.to_lowercase(), &lower));
        Self::UnknownField { record, name: name.into(), nearest: nearest.unwrap_or_default(), known }
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
        let error = ExprError::unknown("Trade", "exchangets", vec!["id", "exchangeTs", "receiveTs"]);
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
