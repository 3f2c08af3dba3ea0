//! What the planner refuses, and in which words.

mod common;

use common::Row;
use serde_json::{Value, json};
use velox_expr::{Expr, ExprError, Plan, Scales};
use velox_record::Step;

fn refused(expr: &Value) -> ExprError {
    let expr: Expr = serde_json::from_value(expr.clone()).unwrap();
    let scales = Scales { tick: Step::parse("0.10").ok(), lot: None };
    Plan::<Row>::new(&expr, &scales, 1).expect_err("an expression to refuse")
}

fn op(name: &str, of: &[Value]) -> Value {
    json!({ "op": name, "of": of })
}

fn column(name: &str) -> Value {
    json!({ "op": "column", "name": name })
}

fn literal(op: &str, value: impl Into<Value>) -> Value {
    json!({ "op": op, "value": value.into() })
}

fn says(expr: &Value, code: &str, message: &str) {
    let error = refused(expr);
    assert_eq!((error.code(), &error.to_string()[..]), (code, message));
}

#[test]
fn an_unknown_column_is_named_beside_the_known_ones() {
    says(
        &op("gt", &[column("A"), literal("i64", 1)]),
        "VELOX_UNKNOWN_FIELD",
        r#"Row has no field "A"; did you mean "a"? It has a, b, u, v, x, y, t, s"#,
    );
}

#[test]
fn a_fraction_beside_integers_is_sent_to_mul_div_or_f64() {
    says(
        &op("mul", &[column("a"), literal("f64", 1.01)]),
        "VELOX_TYPE_MISMATCH",
        "mul: expected i64, which stays exact, got the f64 1.01; use mulDiv(101, 100) for a share such as 1.01, or \
         toF64() to leave integers",
    );
}

#[test]
fn a_fraction_beside_a_price_or_a_quantity_is_sent_to_decimal_text() {
    for (name, kind) in [("a", "i64"), ("v", "u64")] {
        says(
            &op("gt", &[column(name), literal("f64", 0.5)]),
            "VELOX_TYPE_MISMATCH",
            &format!(
                "gt: expected {kind}, which stays exact, got the f64 0.5; write a price or a quantity in decimals as \
                 text, '0.5'; toF64() leaves integers"
            ),
        );
    }
    let without_decimals = refused(&op("gt", &[column("b"), literal("f64", 0.5)])).to_string();
    assert!(without_decimals.contains("mulDiv"), "{without_decimals}");
}

#[test]
fn integers_and_f64_do_not_mix() {
    says(
        &op("lt", &[column("a"), column("x")]),
        "VELOX_TYPE_MISMATCH",
        "lt: expected integers only, or f64 only (toF64() makes an integer one), got i64 and f64",
    );
}

#[test]
fn types_that_do_not_belong_are_named() {
    let cases = [
        (op("and", &[column("a")]), "and: expected bool, got i64"),
        (op("not", &[literal("i64", 1)]), "not: expected bool, got i64"),
        (op("add", &[column("a"), column("t")]), "add: expected numbers, got bool"),
        (op("neg", &[column("s")]), "neg: expected a number, got one of zero, one, two"),
        (op("lt", &[column("t"), column("t")]), "lt: expected numbers, as only they have an order, got bool"),
        (op("eq", &[column("s"), literal("i64", 1)]), "eq: expected one of zero, one, two, got the i64 1"),
        (op("eq", &[column("a"), literal("name", "one")]), r#"eq: expected i64, got the name "one""#),
        (op("eq", &[column("t"), json!({"op": "param", "index": 0})]), "eq: expected bool, got param 0, a number"),
        (op("when", &[column("t"), column("a"), column("u")]), "when: expected i64 in both branches, got u64"),
        (
            op("mulDiv", &[column("x"), literal("i64", 1), literal("i64", 2)]),
            "mulDiv: expected i64 or u64 (for f64 use mul and div), got f64",
        ),
        (
            json!({"op": "over", "of": [column("a"), column("x")], "maxKeys": 4}),
            "over: expected a key of integers, names or truth values, got f64",
        ),
        (literal("name", "one"), r#"plan: expected an enumeration beside a name, got the name "one""#),
    ];
    for (expr, message) in cases {
        says(&expr, "VELOX_TYPE_MISMATCH", message);
    }
}

#[test]
fn decimal_text_without_a_scale_is_refused() {
    let text = literal("decimal", "1.05");
    says(
        &op("gt", &[column("b"), text.clone()]),
        "VELOX_TYPE_MISMATCH",
        r#"gt: expected a price or a quantity beside decimal text (a share of one is mulDiv), got the decimal text "1.05""#,
    );
    assert_eq!(refused(&op("mul", &[column("a"), text.clone()])).code(), "VELOX_TYPE_MISMATCH");
    assert_eq!(refused(&text).code(), "VELOX_TYPE_MISMATCH");
    says(
        &op("gt", &[column("v"), text.clone()]),
        "VELOX_INVALID_VALUE",
        r#"gt: expected an instrument whose lot gives decimal text its scale, got the decimal text "1.05""#,
    );
    says(
        &op("gt", &[column("a"), text]),
        "VELOX_INVALID_VALUE",
        r#"gt: expected a multiple of 0.10, got the decimal text "1.05""#,
    );
}

#[test]
fn values_out_of_place_are_refused() {
    let cases = [
        (
            op("eq", &[column("s"), literal("name", "three")]),
            r#"eq: expected one of zero, one, two, got the name "three""#,
        ),
        (
            op("lt", &[column("x"), literal("i64", "9007199254740993")]),
            "lt: expected a whole number that is an f64, at most 2^53, got the i64 9007199254740993",
        ),
        (
            op("lt", &[column("x"), json!({"op": "param", "index": 1})]),
            "lt: expected a param below 1, as many as are given, got param 1",
        ),
        (
            json!({"op": "over", "of": [column("a"), column("b")], "maxKeys": 0}),
            "over: expected maxKeys of 1 to 1048576, got 0",
        ),
        (op("and", &[]), "and: expected at least one operand, got none"),
        (op("in", &[column("a")]), "in: expected a value and at least one candidate, got 1 operands"),
    ];
    for (expr, message) in cases {
        says(&expr, "VELOX_INVALID_VALUE", message);
    }
}

#[test]
fn a_tree_too_deep_is_refused_and_overflows_no_stack() {
    let mut expr = Expr::Column { name: "t".into() };
    for _ in 0..1_000 {
        expr = Expr::Not { of: Box::new([expr]) };
    }
    let error = Plan::<Row>::new(&expr, &Scales::default(), 0).expect_err("a tree too deep");
    assert_eq!(error.to_string(), "not: expected a tree of at most 128 levels, got a deeper one");
}

#[test]
fn json_that_is_no_tree_is_refused() {
    for text in [
        r#"{"op":"sum","of":[]}"#,
        r#"{"op":"add","of":[{"op":"i64","value":1}]}"#,
        r#"{"op":"i64","value":1.5}"#,
        r#"{"op":"i64","value":"9223372036854775808"}"#,
        r#"{"op":"u64","value":-1}"#,
        r#"{"op":"f64","value":"ten"}"#,
        r#"{"op":"column","name":"a","of":[]}"#,
        r#"{"op":"column"}"#,
    ] {
        assert!(serde_json::from_str::<Expr>(text).is_err(), "{text}");
    }
}
