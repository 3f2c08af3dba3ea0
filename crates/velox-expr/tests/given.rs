//! Values that hold until another is given: the same rules as for `prev`, which may have none too.

mod common;

use common::Row;
use serde_json::{Value, json};
use velox_expr::{BATCH, Columns, Expr, ExprError, Failure, Given, Inputs, Plan, Scale, Scales};
use velox_record::Step;

fn op(name: &str, of: &[Value]) -> Value {
    json!({ "op": name, "of": of })
}

fn column(name: &str) -> Value {
    json!({ "op": "column", "name": name })
}

/// 0 is a price, 1 an f64.
fn given(index: usize) -> Value {
    json!({ "op": "given", "index": index })
}

fn try_plan(expr: &Value) -> Result<Plan<Row>, ExprError> {
    let expr: Expr = serde_json::from_value(expr.clone()).unwrap();
    let scales = Scales { tick: Step::parse("0.10").ok(), lot: None };
    let inputs = Inputs { scales, params: &[0.0], givens: &[Given::I64(Scale::Price), Given::F64] };
    Plan::over(&Columns::native(), &expr, &inputs)
}

fn plan(expr: &Value) -> Plan<Row> {
    try_plan(expr).unwrap()
}

fn rows<const N: usize>(of: [i64; N]) -> [Row; N] {
    of.map(|a| Row { a, b: a, u: a as u64, x: a as f64, ..Row::default() })
}

fn kept(plan: &mut Plan<Row>, rows: &[Row]) -> Vec<u16> {
    let mut keep = Vec::new();
    assert_eq!(plan.filter(rows, &[3.0], &mut keep).count(), 0);
    keep
}

const COMPARISONS: [(&str, &[u16]); 6] =
    [("eq", &[1]), ("ne", &[0, 2]), ("lt", &[0]), ("le", &[0, 1]), ("gt", &[2]), ("ge", &[1, 2])];

/// With a gate, without one, unsigned, and floating point, in either order.
#[test]
fn a_column_compares_with_what_is_given_or_with_nothing() {
    for (name, expected) in COMPARISONS {
        for of in ["a", "b", "u"] {
            let mut plan = plan(&op(name, &[column(of), given(0)]));
            assert_eq!(kept(&mut plan, &rows([1, 2, 3])), [0; 0], "{name} {of}");
            plan.give_i64(0, Some(2));
            assert_eq!(kept(&mut plan, &rows([1, 2, 3])), expected, "{name} {of}");
            plan.give_i64(0, Some(-7));
            let all: &[u16] = if ["ne", "gt", "ge"].contains(&name) { &[0, 1, 2] } else { &[] };
            assert_eq!(kept(&mut plan, &rows([1, 2, 3])), all, "{name} {of}");
            plan.give_i64(0, None);
            assert_eq!(kept(&mut plan, &rows([1, 2, 3])), [0; 0], "{name} {of}");
        }
        let mut float = plan(&op(name, &[column("x"), given(1)]));
        assert_eq!(kept(&mut float, &rows([1, 2, 3])), [0; 0], "{name}");
        float.give_f64(1, Some(2.0));
        assert_eq!(kept(&mut float, &rows([1, 2, 3])), expected, "{name}");
    }
    let mut flipped = plan(&op("lt", &[given(0), column("a")]));
    flipped.give_i64(0, Some(2));
    assert_eq!(kept(&mut flipped, &rows([1, 2, 3])), [2]);
    let mut alone = plan(&op("eq", &[given(0), json!({ "op": "param", "index": 0 })]));
    alone.give_i64(0, Some(3));
    assert_eq!(kept(&mut alone, &rows([1, 2])), [0, 1]);
}

#[test]
fn arithmetic_with_none_has_none() {
    let mut moved = plan(&op("sub", &[column("a"), given(0)]));
    let mut out = [7; 2];
    let failures = moved.i64(&rows([1, 2]), &[0.0], &mut out);
    assert_eq!((out, failures.absent_count(), failures.count()), ([0, 0], 2, 0));
    moved.give_i64(0, Some(i64::MIN));
    let failures = moved.i64(&rows([1, -2]), &[0.0], &mut out);
    assert_eq!((out, failures.absent_count(), failures.first()), ([0, i64::MAX - 1], 0, Some((0, Failure::Overflow))));
}

#[test]
fn a_larger_batch_and_a_new_value_reach_every_row() {
    let mut same = plan(&op("add", &[column("a"), given(0)]));
    let all: [Row; BATCH] = rows([0; BATCH]);
    let mut out = [0; BATCH];
    for (value, count) in [(5, 1), (5, 256), (6, 3), (6, 2), (7, 256)] {
        same.give_i64(0, Some(value));
        same.i64(&all[..count], &[0.0], &mut out);
        assert!(out[..count].iter().all(|of_row| *of_row == value), "{value} in {count} rows");
    }
    same.give_i64(0, None);
    assert_eq!(same.i64(&all[..1], &[0.0], &mut out).absent_count(), 1);
    assert_eq!(same.i64(&all, &[0.0], &mut out).absent_count(), BATCH);
    same.give_i64(0, Some(7));
    assert_eq!(same.i64(&all, &[0.0], &mut out).absent_count(), 0);
}

#[test]
fn prev_of_what_is_given_goes_by_rows() {
    let mut before = plan(&op("prev", &[given(0)]));
    let mut values = |value, count: usize| {
        before.give_i64(0, value);
        let mut out = vec![-1; count];
        let failures = before.i64(&rows([0; 3])[..count], &[0.0], &mut out);
        (0..count).map(|row| (!failures.absent(row)).then_some(out[row])).collect::<Vec<_>>()
    };
    assert_eq!(values(Some(5), 2), [None, Some(5)]);
    assert_eq!(values(Some(6), 2), [Some(5), Some(6)]);
    assert_eq!(values(None, 3), [Some(6); 3]);
    assert_eq!(values(Some(8), 2), [Some(6), Some(8)]);
}

#[test]
fn given_values_stay_when_the_memory_is_cleared() {
    let mut plan = plan(&op("add", &[given(0), op("prev", &[column("a")])]));
    plan.give_i64(0, Some(10));
    let mut out = [0; 2];
    assert_eq!(plan.i64(&rows([1, 2]), &[0.0], &mut out).absent_count(), 1);
    plan.reset();
    assert_eq!((plan.i64(&rows([1, 2]), &[0.0], &mut out).absent_count(), out), (1, [0, 11]));
}

#[test]
fn decimal_text_counts_in_the_scale_of_what_is_given() {
    let mut above = plan(&op("gt", &[given(0), json!({ "op": "decimal", "value": "61800.30" })]));
    above.give_i64(0, Some(618_004));
    assert_eq!(kept(&mut above, &rows([0])), [0]);
    above.give_i64(0, Some(618_003));
    assert_eq!(kept(&mut above, &rows([0])), [0; 0]);
}

#[test]
fn given_values_that_do_not_fit_are_refused() {
    let refused = |expr: &Value| try_plan(expr).expect_err("an expression to refuse").to_string();
    assert_eq!(refused(&given(2)), "plan: expected a given value below 2, as many as are declared, got given value 2");
    assert_eq!(
        refused(&op("add", &[column("a"), given(1)])),
        "add: expected integers only, or f64 only (toF64() makes an integer one), got i64 and f64"
    );
}

#[test]
#[should_panic(expected = "expected an f64 as given value 1, got an i64")]
fn a_value_of_another_type_panics() {
    plan(&given(1)).give_i64(1, Some(1));
}
