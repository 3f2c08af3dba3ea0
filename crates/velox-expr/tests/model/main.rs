//! Plans against the row-by-row model, over random trees, rows and cuts. `PROPTEST_CASES=10000` for a long run.

#[path = "../common/mod.rs"]
mod common;
mod reference;
mod trees;

use proptest::prelude::*;
use velox_expr::{BATCH, Failure, Failures, Plan, Scales, Type};

use common::Row;
use reference::{Cell, Model, Value};
use trees::{PARAMS, row, tree};

/// Two values that no user can tell apart.
fn same(a: Value, b: Value) -> bool {
    match (a, b) {
        (Value::F(a), Value::F(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
        (a, b) => a == b,
    }
}

fn evaluate(plan: &mut Plan<Row>, rows: &[Row]) -> (Vec<Value>, Failures) {
    fn all<V: Copy + Default>(
        rows: &[Row],
        to: fn(V) -> Value,
        run: impl FnOnce(&mut [V]) -> Failures,
    ) -> (Vec<Value>, Failures) {
        let mut out = vec![V::default(); rows.len()];
        let failures = run(&mut out);
        (out.into_iter().map(to).collect(), failures)
    }
    match plan.kind() {
        Type::I64 | Type::Enum(_) => all(rows, Value::I, |out| plan.i64(rows, &PARAMS, out)),
        Type::U64 => all(rows, Value::U, |out| plan.u64(rows, &PARAMS, out)),
        Type::F64 => all(rows, Value::F, |out| plan.f64(rows, &PARAMS, out)),
        Type::Bool => all(rows, Value::B, |out| plan.bool(rows, &PARAMS, out)),
    }
}

fn check(expected: &[Cell], values: &[Value], failures: &Failures) -> Result<(), TestCaseError> {
    for (row, (cell, value)) in expected.iter().zip(values).enumerate() {
        prop_assert_eq!(failures.failed(row), cell.is_err(), "row {}: {:?}", row, cell);
        prop_assert_eq!(failures.absent(row), *cell == Ok(None), "row {}: {:?}", row, cell);
        if let Ok(Some(expected)) = cell {
            prop_assert!(same(*expected, *value), "row {}: expected {:?}, got {:?}", row, expected, value);
        }
    }
    let first: Option<(u16, Failure)> =
        expected.iter().enumerate().find_map(|(row, cell)| cell.err().map(|failure| (row as u16, failure)));
    prop_assert_eq!(failures.first(), first);
    Ok(())
}

proptest! {
    #[test]
    fn a_plan_says_what_the_model_says_however_batches_are_cut(
        expr in tree(),
        rows in prop::collection::vec(row(), 0..300),
        cuts in prop::collection::vec(prop_oneof![1usize..9, 1..=BATCH], 1..20),
    ) {
        let mut model = Model::new(&PARAMS);
        let expected: Vec<Cell> = rows.iter().map(|row| model.row(&expr, row)).collect();
        let plan = match Plan::<Row>::new(&expr, &Scales::default(), PARAMS.len()) {
            Ok(plan) => plan,
            // The largest trees are beyond the most steps of a plan.
            Err(error) => {
                prop_assert!(error.to_string().contains("at most 4096 steps"), "{}", error);
                return Ok(());
            }
        };
        let (mut whole, mut pieces, mut filter) = (plan.clone(), plan.clone(), plan);
        for (rows, expected) in rows.chunks(BATCH).zip(expected.chunks(BATCH)) {
            let (values, failures) = evaluate(&mut whole, rows);
            check(expected, &values, &failures)?;
        }
        let (mut at, mut keep) = (0, Vec::new());
        for cut in cuts.into_iter().cycle() {
            let piece = at..rows.len().min(at + cut);
            let (values, failures) = evaluate(&mut pieces, &rows[piece.clone()]);
            check(&expected[piece.clone()], &values, &failures)?;
            if filter.kind() == Type::Bool {
                let of_filter = filter.filter(&rows[piece.clone()], &PARAMS, &mut keep);
                prop_assert_eq!(of_filter, failures);
                let passed = (0..).zip(&expected[piece.clone()]).filter(|(_, cell)| **cell == Ok(Some(Value::B(true))));
                prop_assert_eq!(&keep, &passed.map(|(row, _)| row).collect::<Vec<u16>>());
            }
            at = piece.end;
            if at == rows.len() {
                break;
            }
        }
    }
}
