//! Records that a script declared: what their fields are in expressions, and which are refused.

use serde_json::{Value, json};
use velox_expr::{Columns, Expr, ExprError, Inputs, OwnField, Plan, Scales, Type};
use velox_record::{Step, Words};

type Two = Words<2>;

fn fields(of: Value) -> Vec<OwnField> {
    serde_json::from_value(of).unwrap()
}

fn columns(of: Value) -> Columns<Two> {
    Columns::own("Own", &fields(of)).unwrap()
}

fn column(name: &str) -> Value {
    json!({ "op": "column", "name": name })
}

fn plan(columns: &Columns<Two>, expr: Value) -> Result<Plan<Two>, ExprError> {
    let expr: Expr = serde_json::from_value(expr).unwrap();
    let scales = Scales { tick: Step::parse("0.10").ok(), lot: Step::parse("0.10").ok() };
    Plan::over(columns, &expr, &Inputs { scales, ..Inputs::default() })
}

fn passing(columns: &Columns<Two>, expr: Value, rows: &[Two]) -> Vec<u16> {
    let mut keep = Vec::new();
    assert_eq!(plan(columns, expr).unwrap().filter(rows, &[], &mut keep).count(), 0);
    keep
}

/// The kinds of 8 bytes or fewer at every place that they may have, among bytes that are all ones or all zeros.
#[test]
fn every_kind_is_read_at_every_place() {
    // What the column is, and the extremes of what it holds.
    let kinds = [
        ("u8", 1, 0, 255),
        ("i8", 1, -128, 127),
        ("u16", 2, 0, 65_535),
        ("i16", 2, -32_768, 32_767),
        ("u32", 4, 0, 4_294_967_295),
        ("i32", 4, -2_147_483_648, 2_147_483_647),
        ("i64", 8, i64::MIN, i64::MAX),
        ("side", 1, 0, 1),
    ];
    for (kind, bytes, least, most) in kinds {
        for offset in (0..16).step_by(bytes) {
            let columns = columns(json!([{ "name": "it", "offset": offset, "kind": kind }]));
            for around in [0, u128::MAX] {
                let mask = (u128::MAX >> (128 - 8 * bytes)) << (8 * offset);
                let values = [least, most, 1];
                let rows = values.map(|value| {
                    let bits = around & !mask | ((value as u128) << (8 * offset)) & mask;
                    Words([bits as u64, (bits >> 64) as u64])
                });
                let mut out = [0; 3];
                plan(&columns, column("it")).unwrap().i64(&rows, &[], &mut out);
                assert_eq!(out, values, "{kind} at {offset}");
                if kind != "side" {
                    let more = json!({ "op": "ge", "of": [column("it"), { "op": "i64", "value": most }] });
                    assert_eq!(passing(&columns, more, &rows), [1], "{kind} at {offset}");
                }
            }
        }
    }
}

#[test]
fn each_kind_has_its_type() {
    let columns = columns(json!([
        { "name": "half", "offset": 0, "kind": "f32" },
        { "name": "flag", "offset": 4, "kind": "bool" },
        { "name": "state", "offset": 5, "kind": "names", "names": ["open", "closed"] },
        { "name": "at", "offset": 8, "kind": "nanos" },
    ]));
    let kind = |name: &str| plan(&columns, column(name)).unwrap().kind().clone();
    assert_eq!([kind("half"), kind("flag"), kind("at")], [Type::F64, Type::Bool, Type::U64]);
    assert_eq!(kind("state").to_string(), "one of open, closed");

    let row =
        |half: f32, flag: u64, state: u64| Words([u64::from(half.to_bits()) | flag << 32 | state << 40, u64::MAX]);
    let rows = [row(0.1, 0, 0), row(-0.5, 1, 1), row(f32::NAN, 255, 7)];
    let (mut halves, mut ats) = ([0.0; 3], [0; 3]);
    plan(&columns, column("half")).unwrap().f64(&rows, &[], &mut halves);
    assert_eq!((halves[0].to_bits(), halves[1].to_bits()), (f64::from(0.1f32).to_bits(), (-0.5f64).to_bits()));
    assert!(halves[2].is_nan());
    plan(&columns, column("at")).unwrap().u64(&rows, &[], &mut ats);
    assert_eq!(ats, [u64::MAX; 3]);
    assert_eq!(passing(&columns, column("flag"), &rows), [1, 2]);
    let closed = |op: &str| json!({ "op": op, "of": [column("state"), { "op": "name", "value": "closed" }] });
    assert_eq!(passing(&columns, closed("eq"), &rows), [1]);
    assert_eq!(passing(&columns, closed("ne"), &rows), [0, 2]);
}

#[test]
fn the_record_is_named_where_it_has_no_such_field() {
    let columns = columns(json!([{ "name": "mid", "offset": 0, "kind": "f64" }]));
    let error = plan(&columns, column("mit")).unwrap_err();
    assert_eq!(error.to_string(), r#"Own has no field "mit"; did you mean "mid"? It has mid"#);
}

#[test]
fn own_numbers_have_no_scale() {
    let columns = columns(json!([{ "name": "price", "offset": 0, "kind": "i64" }]));
    let text = json!({ "op": "gt", "of": [column("price"), { "op": "decimal", "value": "0.10" }] });
    assert_eq!(plan(&columns, text).unwrap_err().code(), "VELOX_TYPE_MISMATCH");
}

#[test]
fn fields_that_no_record_of_words_has_are_refused() {
    let many: Vec<String> = (0..257).map(|n| n.to_string()).collect();
    let cases = [
        (
            json!([{ "name": "a", "offset": 16, "kind": "u8" }]),
            "a: expected 1 bytes within one of the record's 2 words of 8 bytes, got offset 16",
        ),
        (
            json!([{ "name": "a", "offset": 6, "kind": "f32" }]),
            "a: expected 4 bytes within one of the record's 2 words of 8 bytes, got offset 6",
        ),
        (
            json!([{ "name": "a", "offset": u64::MAX, "kind": "i64" }]),
            "a: expected 8 bytes within one of the record's 2 words of 8 bytes, got offset 18446744073709551615",
        ),
        (
            json!([{ "name": "a", "offset": 0, "kind": "u8" }, { "name": "a", "offset": 1, "kind": "u8" }]),
            "a: expected each field once, got it twice",
        ),
        (
            json!([{ "name": "a", "offset": 0, "kind": "i64" }, { "name": "b", "offset": 7, "kind": "bool" }]),
            "b: expected bytes of its own, got offset 7, where a lies",
        ),
        (json!([{ "name": "a", "offset": 0, "kind": "names", "names": [] }]), "a: expected 1 to 256 names, got 0"),
        (json!([{ "name": "a", "offset": 0, "kind": "names", "names": many }]), "a: expected 1 to 256 names, got 257"),
    ];
    for (of, message) in cases {
        let error = Columns::<Two>::own("Own", &fields(of)).expect_err("fields to refuse");
        assert_eq!((error.code(), &error.to_string()[..]), ("VELOX_INVALID_VALUE", message));
    }
    let text = json!({ "name": "a", "offset": 0, "kind": "text", "maxBytes": 4 });
    assert!(serde_json::from_value::<OwnField>(text).is_err());
}
