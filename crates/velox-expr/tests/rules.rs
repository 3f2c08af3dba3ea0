//! One test for each written rule.

mod common;

use common::Row;
use serde_json::{Value, json};
use velox_expr::{Expr, Failure, Failures, Plan, Scales, Type};
use velox_record::Step;

fn op(name: &str, of: &[Value]) -> Value {
    json!({ "op": name, "of": of })
}

fn column(name: &str) -> Value {
    json!({ "op": "column", "name": name })
}

fn int(value: i64) -> Value {
    json!({ "op": "i64", "value": value })
}

fn float(value: f64) -> Value {
    json!({ "op": "f64", "value": value })
}

fn truth(value: bool) -> Value {
    json!({ "op": "bool", "value": value })
}

fn plan(expr: &Value) -> Plan<Row> {
    let expr: Expr = serde_json::from_value(expr.clone()).unwrap();
    let scales = Scales { tick: Step::parse("0.10").ok(), lot: Step::parse("0.001").ok() };
    Plan::new(&expr, &scales, 2).unwrap()
}

/// The i64s of a plan, row by row: a value, none, or a failure (the first has its reason).
fn i64s(plan: &mut Plan<Row>, rows: &[Row]) -> Vec<Result<Option<i64>, Failure>> {
    let each = |row| {
        let mut out = [7];
        let failures = plan.i64(&[row], &[2.0, 0.5], &mut out);
        cell(&failures, out[0])
    };
    rows.iter().copied().map(each).collect()
}

fn cell<V>(failures: &Failures, value: V) -> Result<Option<V>, Failure> {
    match failures.first() {
        Some((0, failure)) => Err(failure),
        _ => Ok((!failures.absent(0)).then_some(value)),
    }
}

fn passes(expr: &Value, row: Row) -> Result<bool, Failure> {
    let mut keep = Vec::new();
    let failures = plan(expr).filter(&[row], &[2.0, 0.5], &mut keep);
    assert_eq!(failures.absent_count(), 0, "{expr}");
    failures.first().map_or(Ok(!keep.is_empty()), |(_, failure)| Err(failure))
}

fn of_ab(a: i64, b: i64) -> Row {
    Row { a, b, ..Row::default() }
}

fn on_ab(name: &str, a: i64, b: i64) -> Result<Option<i64>, Failure> {
    i64s(&mut plan(&op(name, &[column("a"), column("b")])), &[of_ab(a, b)])[0]
}

/// A bool that fails on every row.
fn failed() -> Value {
    op("eq", &[op("div", &[column("a"), int(0)]), int(1)])
}

/// A bool without a value on the first row.
fn absent() -> Value {
    op("prev", &[column("t")])
}

#[test]
fn an_integer_beyond_its_type_fails_its_row_only() {
    assert_eq!(on_ab("add", i64::MAX, 1), Err(Failure::Overflow));
    assert_eq!(on_ab("sub", i64::MIN, 1), Err(Failure::Overflow));
    assert_eq!(on_ab("mul", i64::MIN, -1), Err(Failure::Overflow));
    assert_eq!(on_ab("div", i64::MIN, -1), Err(Failure::Overflow));
    let rows = [of_ab(1, 1), of_ab(i64::MAX, 1), of_ab(2, 0), of_ab(i64::MIN, -1)];
    let mut out = [7; 4];
    let failures = plan(&op("add", &[column("a"), column("b")])).i64(&rows, &[0.0; 2], &mut out);
    assert_eq!((out, failures.count(), failures.first()), ([2, 0, 2, 0], 2, Some((1, Failure::Overflow))));
    assert!(failures.failed(3) && !failures.failed(2) && !failures.failed(999));
}

#[test]
fn division_by_zero_fails_and_division_truncates_toward_zero() {
    assert_eq!(on_ab("div", 1, 0), Err(Failure::DivisionByZero));
    let cases = [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3)];
    for (a, b, expected) in cases {
        assert_eq!(on_ab("div", a, b), Ok(Some(expected)));
        assert_eq!(
            i64s(&mut plan(&op("mulDiv", &[column("a"), int(1), column("b")])), &[of_ab(a, b)]),
            [Ok(Some(expected))]
        );
    }
}

#[test]
fn mul_div_is_exact_beyond_64_bits() {
    let mut of = plan(&op("mulDiv", &[column("a"), column("b"), column("b")]));
    assert_eq!(i64s(&mut of, &[of_ab(i64::MIN, i64::MAX)]), [Ok(Some(i64::MIN))]);
    assert_eq!(i64s(&mut of, &[of_ab(1, 0)]), [Err(Failure::DivisionByZero)]);
    let mut share = plan(&op("mulDiv", &[column("a"), int(101), int(100)]));
    assert_eq!(i64s(&mut share, &[of_ab(-199, 0), of_ab(i64::MAX, 0)]), [Ok(Some(-200)), Err(Failure::Overflow)]);
    let (mut unsigned, mut out) = (plan(&op("mulDiv", &[column("u"), column("u"), column("u")])), [0]);
    unsigned.u64(&[Row { u: u64::MAX, ..Row::default() }], &[0.0; 2], &mut out);
    assert_eq!((unsigned.kind(), out), (&Type::U64, [u64::MAX]));
}

#[test]
fn mixed_integers_compare_exactly_and_compute_in_i64() {
    let row = Row { a: -1, u: u64::MAX, ..Row::default() };
    assert_eq!(passes(&op("lt", &[column("a"), column("u")]), row), Ok(true));
    assert_eq!(passes(&op("eq", &[column("a"), column("u")]), row), Ok(false));
    assert_eq!(passes(&op("gt", &[column("u"), int(-1)]), row), Ok(true));
    assert_eq!(passes(&op("eq", &[column("u"), int(-1)]), row), Ok(false));
    let text = json!({ "op": "u64", "value": "18446744073709551615" });
    assert_eq!(passes(&op("lt", &[column("a"), text.clone()]), row), Ok(true));
    assert_eq!(passes(&op("ge", &[column("u"), text]), row), Ok(true));
    let mut sum = plan(&op("add", &[column("u"), column("a")]));
    assert_eq!(i64s(&mut sum, &[row, Row { a: -3, u: 2, ..row }]), [Err(Failure::OutOfRange), Ok(Some(-1))]);
    let mut neg = plan(&op("neg", &[column("u")]));
    assert_eq!(i64s(&mut neg, &[Row { u: 1 << 63, ..row }, row]), [Ok(Some(i64::MIN)), Err(Failure::OutOfRange)]);
}

#[test]
fn u64_below_zero_fails() {
    let mut out = [0; 2];
    let rows = [Row { u: 5, v: 3, ..Row::default() }, Row { u: 3, v: 5, ..Row::default() }];
    let failures = plan(&op("sub", &[column("u"), column("v")])).u64(&rows, &[0.0; 2], &mut out);
    assert_eq!((out, failures.first()), ([2, 0], Some((1, Failure::Overflow))));
}

#[test]
fn a_comparison_with_nan_is_false_but_ne_is_true() {
    let row = Row { x: f64::NAN, ..Row::default() };
    for name in ["eq", "lt", "le", "gt", "ge"] {
        assert_eq!(passes(&op(name, &[column("x"), column("x")]), row), Ok(false), "{name}");
        assert_eq!(passes(&op(name, &[column("y"), json!({ "op": "f64", "value": "NaN" })]), row), Ok(false), "{name}");
    }
    assert_eq!(passes(&op("ne", &[column("x"), column("x")]), row), Ok(true));
    assert_eq!(passes(&op("between", &[column("x"), float(-1.5), int(1)]), row), Ok(false));
}

fn f64_of(expr: &Value, row: Row) -> f64 {
    let mut out = [0.0];
    assert_eq!(plan(expr).f64(&[row], &[2.0, 0.5], &mut out), Failures::default());
    out[0]
}

#[test]
fn the_least_and_greatest_with_nan_are_nan() {
    for name in ["min", "max"] {
        for (x, y) in [(f64::NAN, 1.0), (1.0, f64::NAN)] {
            assert!(f64_of(&op(name, &[column("x"), column("y")]), Row { x, y, ..Row::default() }).is_nan());
        }
        let zero = f64_of(&op(name, &[column("x"), column("y")]), Row { x: -0.0, y: 0.0, ..Row::default() });
        assert!(zero.is_sign_negative());
    }
}

#[test]
fn f64_divides_by_zero_as_ieee_does() {
    assert_eq!(f64_of(&op("div", &[float(1.0), column("x")]), Row::default()).to_bits(), f64::INFINITY.to_bits());
}

#[test]
fn an_integer_becomes_the_nearest_f64() {
    let (i, u) = (op("toF64", &[column("a")]), op("toF64", &[column("u")]));
    let row = Row { a: (1 << 53) + 1, u: u64::MAX, ..Row::default() };
    assert_eq!(f64_of(&i, row).to_bits(), 2f64.powi(53).to_bits());
    assert_eq!(f64_of(&i, Row { a: row.a + 2, ..row }).to_bits(), (2f64.powi(53) + 4.0).to_bits());
    assert_eq!(f64_of(&u, row).to_bits(), 2f64.powi(64).to_bits());
}

#[test]
fn a_failed_operand_that_is_not_selected_does_not_fail() {
    let row = Row::default();
    for (first, second) in [(truth(false), failed()), (failed(), truth(false))] {
        assert_eq!(passes(&op("and", &[first.clone(), second.clone()]), row), Ok(false));
        assert_eq!(passes(&op("or", &[first, second]), row), Err(Failure::DivisionByZero));
    }
    for (first, second) in [(truth(true), failed()), (failed(), truth(true))] {
        assert_eq!(passes(&op("or", &[first.clone(), second.clone()]), row), Ok(true));
        assert_eq!(passes(&op("and", &[first, second]), row), Err(Failure::DivisionByZero));
    }
    assert_eq!(passes(&op("and", &[op("gt", &[column("a"), int(0)]), failed()]), row), Ok(false));
    assert_eq!(passes(&op("not", &[failed()]), row), Err(Failure::DivisionByZero));
    assert_eq!(passes(&op("when", &[truth(true), truth(true), failed()]), row), Ok(true));
    assert_eq!(passes(&op("when", &[truth(false), truth(true), failed()]), row), Err(Failure::DivisionByZero));
    assert_eq!(passes(&op("when", &[failed(), truth(true), truth(true)]), row), Err(Failure::DivisionByZero));
}

#[test]
fn prev_has_no_value_at_first_and_goes_over_batches() {
    let mut prev = plan(&op("sub", &[column("a"), op("prev", &[column("a")])]));
    let rows = [5, 8, 2].map(|a| of_ab(a, 0));
    assert_eq!(i64s(&mut prev, &rows), [Ok(None), Ok(Some(3)), Ok(Some(-6))]);
    assert_eq!(i64s(&mut prev, &rows[..1]), [Ok(Some(3))]);
    prev.reset();
    assert_eq!(i64s(&mut prev, &rows[..1]), [Ok(None)]);
}

#[test]
fn a_comparison_without_a_value_is_false() {
    for name in ["eq", "ne", "lt", "le", "gt", "ge"] {
        let of_prev = op(name, &[op("prev", &[column("a")]), column("b")]);
        assert_eq!(passes(&of_prev, Row::default()), Ok(false), "{name}");
        assert_eq!(passes(&op(name, &[op("prev", &[column("a")]), int(0)]), Row::default()), Ok(false), "{name}");
    }
    let with_failure = op("eq", &[op("prev", &[column("a")]), op("div", &[column("a"), int(0)])]);
    assert_eq!(passes(&with_failure, Row::default()), Err(Failure::DivisionByZero));
}

#[test]
fn a_truth_without_a_value_passes_nothing() {
    let out = |expr: &Value| {
        let mut keep = Vec::new();
        let failures = plan(expr).filter(&[Row::default()], &[0.0; 2], &mut keep);
        (keep.len(), failures.absent(0))
    };
    assert_eq!(out(&absent()), (0, true));
    assert_eq!(out(&op("not", &[absent()])), (0, true));
    assert_eq!(out(&op("and", &[absent(), truth(true)])), (0, true));
    assert_eq!(out(&op("and", &[absent(), truth(false)])), (0, false));
    assert_eq!(out(&op("or", &[absent(), truth(true)])), (1, false));
    assert_eq!(out(&op("when", &[absent(), truth(true), truth(true)])), (0, true));
}

#[test]
fn prev_passes_over_rows_without_a_value() {
    let mut prev = plan(&op("prev", &[op("div", &[int(12), column("a")])]));
    let rows = [4, 0, 6, 1].map(|a| of_ab(a, 0));
    assert_eq!(i64s(&mut prev, &rows), [Ok(None), Ok(Some(3)), Ok(Some(3)), Ok(Some(2))]);
}

#[test]
fn each_key_has_its_own_prev_up_to_so_many_keys() {
    let mut over = plan(&json!({ "op": "over", "of": [column("a"), column("b")], "maxKeys": 2 }));
    let rows = [(1, 10), (2, 20), (3, 10), (4, 30), (5, 20)].map(|(a, b)| of_ab(a, b));
    assert_eq!(i64s(&mut over, &rows), [Ok(None), Ok(None), Ok(Some(1)), Err(Failure::TooManyKeys), Ok(Some(2))]);
    over.reset();
    assert_eq!(i64s(&mut over, &rows[3..]), [Ok(None), Ok(None)]);
}

#[test]
fn decimal_text_counts_in_the_steps_of_the_column_beside_it() {
    let decimal = |text: &str| json!({ "op": "decimal", "value": text });
    assert_eq!(passes(&op("eq", &[column("a"), decimal("61800.30")]), of_ab(618_003, 0)), Ok(true));
    let row = Row { v: 1_500, ..Row::default() };
    assert_eq!(passes(&op("eq", &[decimal("1.5"), column("v")]), row), Ok(true));
    assert_eq!(passes(&op("gt", &[column("v"), decimal("-1.5")]), row), Ok(true));
    let moved = op("sub", &[column("a"), op("prev", &[column("a")])]);
    assert_eq!(passes(&op("lt", &[op("abs", &[moved]), decimal("0.50")]), of_ab(1, 0)), Ok(false));
}

#[test]
fn a_param_beside_integers_is_one_or_fails_every_row() {
    let param = |index: usize| json!({ "op": "param", "index": index });
    assert_eq!(passes(&op("eq", &[column("a"), param(0)]), of_ab(2, 0)), Ok(true));
    assert_eq!(passes(&op("eq", &[column("a"), param(1)]), of_ab(2, 0)), Err(Failure::Param));
    assert_eq!(passes(&op("lt", &[column("x"), param(1)]), Row::default()), Ok(true));
    let mut keep = Vec::new();
    let failures = plan(&op("eq", &[column("a"), param(0)])).filter(&[Row::default(); 3], &[], &mut keep);
    assert_eq!((failures.count(), keep.len()), (3, 0));
}

#[test]
fn names_say_which_value_of_an_enumeration() {
    let name = |name: &str| json!({ "op": "name", "value": name });
    let row = Row { s: 1, ..Row::default() };
    assert_eq!(passes(&op("eq", &[column("s"), name("one")]), row), Ok(true));
    assert_eq!(passes(&op("in", &[column("s"), name("zero"), name("two")]), row), Ok(false));
    let chosen = op("when", &[column("t"), name("zero"), name("one")]);
    assert_eq!(passes(&op("eq", &[chosen, column("s")]), row), Ok(true));
}

#[test]
fn a_full_batch_is_filtered_in_order() {
    let rows: Vec<Row> = (0..256).map(|a| of_ab(a, 0)).collect();
    let mut keep = Vec::new();
    let all = op("and", &[op("ge", &[column("a"), int(0)]), op("ne", &[column("a"), int(7)])]);
    plan(&all).filter(&rows, &[0.0; 2], &mut keep);
    assert_eq!(keep, (0..256).filter(|&row| row != 7).collect::<Vec<u16>>());
}

#[test]
#[should_panic(expected = "expected at most 256 rows, got 257")]
fn a_larger_batch_panics() {
    plan(&column("t")).filter(&[Row::default(); 257], &[0.0; 2], &mut Vec::new());
}

#[test]
#[should_panic(expected = "expected a plan of bool, got one of i64")]
fn a_filter_of_numbers_panics() {
    plan(&column("a")).filter(&[], &[0.0; 2], &mut Vec::new());
}
