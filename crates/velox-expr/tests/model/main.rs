//! Plans against the row-by-row model, over random trees, rows and cuts. 10,000 of them; `PROPTEST_CASES=100000` for a
//! long run.

#[path = "../common/mod.rs"]
mod common;
mod map;
mod own;
mod reference;
mod segments;
mod trees;

use proptest::prelude::*;
use velox_expr::{BATCH, Columns, Expr, Failure, Failures, Given, Inputs, Plan, Scale, Type};
use velox_record::Record;

use common::Row;
use reference::{Cell, Model, Value};
use segments::{Segment, batches, cuts, segments, values};
use trees::{PARAMS, tree};

const INPUTS: Inputs<'static> = Inputs {
    scales: velox_expr::Scales { tick: None, lot: None },
    params: &[0.0; PARAMS.len()],
    givens: &[Given::I64(Scale::None), Given::F64],
};

/// Two values that no user can tell apart.
fn same(a: Value, b: Value) -> bool {
    match (a, b) {
        (Value::F(a), Value::F(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
        (a, b) => a == b,
    }
}

fn evaluate<T: Record>(plan: &mut Plan<T>, rows: &[T]) -> (Vec<Value>, Failures) {
    fn all<V: Copy + Default>(
        count: usize,
        to: fn(V) -> Value,
        run: impl FnOnce(&mut [V]) -> Failures,
    ) -> (Vec<Value>, Failures) {
        let mut out = vec![V::default(); count];
        let failures = run(&mut out);
        (out.into_iter().map(to).collect(), failures)
    }
    let count = rows.len();
    match plan.kind() {
        Type::I64 | Type::Enum(_) => all(count, Value::I, |out| plan.i64(rows, &PARAMS, out)),
        Type::U64 => all(count, Value::U, |out| plan.u64(rows, &PARAMS, out)),
        Type::F64 => all(count, Value::F, |out| plan.f64(rows, &PARAMS, out)),
        Type::Bool => all(count, Value::B, |out| plan.bool(rows, &PARAMS, out)),
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

fn give<T: Record>(plan: &mut Plan<T>, segment: &Segment) {
    plan.give_i64(0, segment.givens.0);
    plan.give_f64(1, segment.givens.1);
}

/// What the model says of all rows of each segment.
fn expected(expr: &Expr, segments: &[Segment]) -> Vec<Vec<Cell>> {
    let mut model = Model::new(&PARAMS);
    let mut each = |Segment { givens, rows }: &Segment| {
        model.givens = values(*givens);
        rows.iter().map(|row| model.row(expr, row)).collect()
    };
    segments.iter().map(&mut each).collect()
}

/// `segments` are what the model sees, `rows` the records of the same rows.
fn agree<T: Record>(
    expr: &Expr,
    columns: &Columns<T>,
    (segments, rows): (&[Segment], &[Vec<T>]),
    cuts: &[usize],
) -> Result<(), TestCaseError> {
    let expected = expected(expr, segments);
    let plan = match Plan::over(columns, expr, &INPUTS) {
        Ok(plan) => plan,
        // The largest trees are beyond the most steps of a plan.
        Err(error) => {
            prop_assert!(error.to_string().contains("at most 4096 steps"), "{}", error);
            return Ok(());
        }
    };
    let (mut whole, mut pieces, mut filter) = (plan.clone(), plan.clone(), plan);
    for (at, piece) in batches(segments, &[BATCH]) {
        give(&mut whole, &segments[at]);
        let (values, failures) = evaluate(&mut whole, &rows[at][piece.clone()]);
        check(&expected[at][piece], &values, &failures)?;
    }
    let mut keep = Vec::new();
    for (at, piece) in batches(segments, cuts) {
        let (rows, expected) = (&rows[at][piece.clone()], &expected[at][piece]);
        give(&mut pieces, &segments[at]);
        let (values, failures) = evaluate(&mut pieces, rows);
        check(expected, &values, &failures)?;
        if *filter.kind() == Type::Bool {
            give(&mut filter, &segments[at]);
            prop_assert_eq!(filter.filter(rows, &PARAMS, &mut keep), failures);
            let passed = (0..).zip(expected).filter(|(_, cell)| **cell == Ok(Some(Value::B(true))));
            prop_assert_eq!(&keep, &passed.map(|(row, _)| row).collect::<Vec<u16>>());
        }
    }
    Ok(())
}

/// At least so many cases, unless a run asks for a number.
fn cases(least: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    if asked { ProptestConfig::default() } else { ProptestConfig::with_cases(least) }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn a_plan_says_what_the_model_says_however_batches_are_cut(
        expr in tree(), segments in segments(), cuts in cuts(),
    ) {
        let rows: Vec<Vec<Row>> = segments.iter().map(|segment| segment.rows.clone()).collect();
        agree(&expr, &Columns::native(), (&segments, &rows), &cuts)?;
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn a_plan_over_own_records_says_what_the_model_says(
        expr in tree(), mut segments in segments(), cuts in cuts(), fields in own::fields(),
    ) {
        let mut rows = Vec::new();
        for segment in &mut segments {
            let (seen, own): (_, Vec<_>) = segment.rows.iter().map(|row| own::own(&fields, row)).unzip();
            segment.rows = seen;
            rows.push(own);
        }
        agree(&expr, &own::columns(&fields), (&segments, &rows), &cuts)?;
    }
}
