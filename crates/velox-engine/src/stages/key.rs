use thiserror::Error;
use velox_expr::{BATCH, ExprError, Failure, Failures, Plan, Type};
use velox_record::Record;

/// The most keys that a stage remembers by default.
pub const DEFAULT_MAX_KEYS: usize = 65_536;

/// The most that it can be asked to remember, as for `over` in an expression.
const MAX_KEYS: usize = 1 << 20;

/// The keys of the records that wait for a stage, as bits: each record is evaluated once, however late it is taken.
pub(crate) struct Key<T: 'static> {
    plan: Plan<T>,
    values: Values,
    failures: Failures,
    /// The first row that was not taken. Range: 0 ..= rows.
    at: usize,
    /// How many rows were evaluated last.
    rows: usize,
}

enum Values {
    I64(Box<[i64; BATCH]>),
    U64(Box<[u64; BATCH]>),
    Bool(Box<[bool; BATCH]>),
}

/// Why a record has no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum NoKey {
    #[error("VELOX_INVALID_VALUE: expected a record with a key, got {0}")]
    Failed(Failure),
    #[error("VELOX_INVALID_VALUE: expected a record with a key, got one for which the key has no value yet")]
    Absent,
}

impl<T: Record> Key<T> {
    /// Keys by this plan for the stage `op`, which remembers up to `max_keys` of them.
    pub(crate) fn new(op: &'static str, plan: Plan<T>, max_keys: usize) -> Result<Self, ExprError> {
        if !(1..=MAX_KEYS).contains(&max_keys) {
            let expected = format!("maxKeys of 1 to {MAX_KEYS}");
            return Err(ExprError::InvalidValue { op: op.into(), expected, got: max_keys.to_string() });
        }
        let values = match plan.kind() {
            Type::I64 | Type::Enum(_) => Values::I64(Box::new([0; BATCH])),
            Type::U64 => Values::U64(Box::new([0; BATCH])),
            Type::Bool => Values::Bool(Box::new([false; BATCH])),
            Type::F64 => {
                let (expected, got) = ("a key of integers, names or truth values".into(), Type::F64.to_string());
                return Err(ExprError::TypeMismatch { op: op.into(), expected, got });
            }
        };
        Ok(Self { plan, values, failures: Failures::default(), at: 0, rows: 0 })
    }

    /// The key of the first of those that wait; none where nothing waits. [`Self::take`] goes with taking the record.
    pub(crate) fn peek(&mut self, waiting: &[T]) -> Option<Result<u64, NoKey>> {
        if self.at == self.rows {
            self.evaluate(waiting);
        }
        let row = self.at;
        if row == self.rows {
            return None;
        }
        if self.failures.failed(row) {
            // Of several failures in a batch only the first is ever told.
            let (_, failure) = self.failures.first()?;
            return Some(Err(NoKey::Failed(failure)));
        }
        if self.failures.absent(row) {
            return Some(Err(NoKey::Absent));
        }
        Some(Ok(match &self.values {
            Values::I64(values) => values[row] as u64,
            Values::U64(values) => values[row],
            Values::Bool(values) => u64::from(values[row]),
        }))
    }

    /// The record that was looked at is taken.
    pub(crate) fn take(&mut self) {
        self.at += 1;
    }

    fn evaluate(&mut self, waiting: &[T]) {
        let rows = &waiting[..waiting.len().min(BATCH)];
        (self.at, self.rows) = (0, rows.len());
        self.failures = match &mut self.values {
            Values::I64(values) => self.plan.i64(rows, &[], &mut values[..]),
            Values::U64(values) => self.plan.u64(rows, &[], &mut values[..]),
            Values::Bool(values) => self.plan.bool(rows, &[], &mut values[..]),
        };
    }
}

#[cfg(test)]
mod tests {
    use velox_record::Trade;

    use super::*;
    use crate::stages::harness::{ID, plan, trades};

    #[test]
    fn a_key_of_floats_and_a_memory_of_no_size_are_refused() {
        let float = plan(&format!(r#"{{"op":"toF64","of":[{ID}]}}"#));
        let error = Key::new("dedupe", float, 1).err().unwrap();
        assert_eq!(error.to_string(), "dedupe: expected a key of integers, names or truth values, got f64");
        for max_keys in [0, MAX_KEYS + 1] {
            let error = Key::new("conflate", plan(ID), max_keys).err().unwrap();
            assert_eq!(error.to_string(), format!("conflate: expected maxKeys of 1 to 1048576, got {max_keys}"));
        }
    }

    #[test]
    fn each_kind_of_key_is_its_bits() {
        let row = |(id, price, side)| Trade { id, price, side, ..Trade::default() };
        let rows = [(0, -1, 0), (7, i64::MIN, 1), (u64::MAX, 5, 0)].map(row);
        for (json, expected) in [
            (ID.to_string(), [0, 7, u64::MAX]),
            (format!(r#"{{"op":"gt","of":[{ID},{{"op":"i64","value":5}}]}}"#), [0, 1, 1]),
            (r#"{"op":"column","name":"price"}"#.into(), [u64::MAX, 1 << 63, 5]),
            (r#"{"op":"column","name":"side"}"#.into(), [0, 1, 0]),
        ] {
            let mut key = Key::new("test", plan(&json), 1).unwrap();
            let mut keys = vec![];
            while let Some(bits) = key.peek(&rows[keys.len()..]) {
                keys.push(bits.unwrap());
                key.take();
            }
            assert_eq!(keys, expected, "{json}");
        }
    }

    #[test]
    fn a_record_that_waits_is_evaluated_once() {
        // The key is the id before: it would change if a row were seen twice.
        let mut key = Key::new("test", plan(&format!(r#"{{"op":"prev","of":[{ID}]}}"#)), 1).unwrap();
        let rows: Vec<_> = trades((10..20).map(|id| (id, 0))).into_iter().map(|(trade, _)| trade).collect();
        assert_eq!(key.peek(&rows), Some(Err(NoKey::Absent)));
        key.take();
        for at in 1..10 {
            assert_eq!(key.peek(&rows[at..]), Some(Ok(9 + at as u64)));
            assert_eq!(key.peek(&rows[at..]), Some(Ok(9 + at as u64)));
            key.take();
        }
        assert_eq!(key.peek(&[]), None);
    }

    #[test]
    fn a_failed_row_says_why() {
        let one = r#"{"op":"u64","value":"1"}"#;
        let mut key = Key::new("test", plan(&format!(r#"{{"op":"div","of":[{one},{ID}]}}"#)), 1).unwrap();
        let (zero, _) = trades([(0, 0)])[0];
        let reason = key.peek(&[zero]).unwrap().unwrap_err().to_string();
        assert_eq!(reason, "VELOX_INVALID_VALUE: expected a record with a key, got division by 0");
    }
}
