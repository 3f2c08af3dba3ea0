//! Records made of expressions: what each field takes, and what becomes of rows that don't fit.

use serde_json::{Value, json};
use velox_expr::{
    BATCH, Columns, Expr, ExprError, Failure, Failures, Given, Holds, Inputs, Mapper, OwnField, Scale, Scales, Table,
};
use velox_record::{EventKind, MarketEvent, Record, Step, Trade, Transaction, Words};

fn op(name: &str, of: &[Value]) -> Value {
    json!({ "op": name, "of": of })
}

fn column(name: &str) -> Value {
    json!({ "op": "column", "name": name })
}

fn int(value: i64) -> Value {
    json!({ "op": "i64", "value": value })
}

fn literal(op: &str, value: impl Into<Value>) -> Value {
    json!({ "op": op, "value": value.into() })
}

fn param(index: usize) -> Value {
    json!({ "op": "param", "index": index })
}

/// 0 is an i64, 1 an f64.
const GIVENS: &[Given] = &[Given::I64(Scale::None), Given::F64];

fn try_map<T: Table, R: Record>(into: &Columns<R>, fields: &[(&str, Value)]) -> Result<Mapper<T>, ExprError> {
    let fields: Vec<(String, Expr)> =
        fields.iter().map(|(name, expr)| ((*name).to_owned(), serde_json::from_value(expr.clone()).unwrap())).collect();
    let scales = Scales { tick: Step::parse("0.10").ok(), lot: Step::parse("0.001").ok() };
    Mapper::new(&Columns::native(), &into.layout(), &fields, &Inputs { scales, params: &[0.0], givens: GIVENS })
}

/// A record of one field at the beginning of two words.
fn one(kind: &str) -> Columns<Words<2>> {
    let names = (kind == "names").then(|| json!(["bid", "ask", "none"]));
    let field: OwnField =
        serde_json::from_value(json!({ "name": "it", "offset": 0, "kind": kind, "names": names.unwrap_or_default() }))
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
    Columns::own("One", &[field]).unwrap()
}

fn of_one(kind: &str, expr: &Value) -> Result<Mapper<Trade>, ExprError> {
    try_map(&one(kind), &[("it", expr.clone())])
}

/// The first word of each row: the record, or why there is none.
fn words(mapper: &mut Mapper<Trade>, rows: &[Trade], params: &[f64]) -> (Vec<Option<u64>>, Failures) {
    let (mut out, mut made) = (vec![u64::MAX; rows.len() * 2], vec![99]);
    let failures = mapper.map(rows, params, &mut out, &mut made);
    let word = |row: usize| made.contains(&(row as u16)).then_some(out[row * 2]);
    ((0..rows.len()).map(word).collect(), failures)
}

fn trades<const N: usize>(of: [i64; N]) -> [Trade; N] {
    of.map(|price| Trade { price, id: price as u64, ..Trade::default() })
}

fn copies<T: Table + PartialEq + std::fmt::Debug>(rows: &[T]) {
    let names: Vec<&str> = T::COLUMNS.iter().map(|column| &column.name[..]).collect();
    let fields: Vec<(&str, Value)> = names.iter().map(|name| (*name, column(name))).collect();
    let mut mapper = try_map::<T, T>(&Columns::native(), &fields).unwrap();
    let (mut out, mut made) = (vec![u64::MAX; rows.len() * T::WORDS], Vec::new());
    assert_eq!(mapper.words(), T::WORDS);
    assert_eq!(mapper.map(rows, &[0.0], &mut out, &mut made), Failures::default());
    assert_eq!(made, (0..rows.len() as u16).collect::<Vec<_>>());
    for (row, words) in rows.iter().zip(out.chunks(T::WORDS)) {
        let mut expected = vec![0; T::WORDS];
        row.to_words(&mut expected);
        assert_eq!((words, &T::from_words(words).unwrap()), (&expected[..], row));
    }
}

#[test]
fn a_record_of_its_own_columns_is_the_same_record() {
    let extremes = [0, 1, u64::MAX, 1 << 63, (1 << 63) - 1, 0x0123_4567_89ab_cdef];
    copies(&extremes.map(|bits| Transaction::new(bits, bits as i64, bits as u32, (bits % 2) as u8, !bits)));
    copies(&extremes.map(|bits| Trade {
        id: bits,
        instrument: bits as u16,
        side: (bits % 2) as u8,
        price: bits as i64,
        qty: !bits as i64,
        exchange_ts: bits,
        receive_ts: !bits,
    }));
    copies(&extremes.map(|bits| MarketEvent {
        kind: EventKind((bits % 4) as u8),
        instrument: bits as u16,
        side: (bits % 2) as u8,
        flags: bits as u8,
        price: bits as i64,
        qty: !bits as i64,
        sequence: bits,
        exchange_ts: bits,
        receive_ts: !bits,
    }));
    copies(&[Trade { price: 7, ..Trade::default() }; BATCH]);
}

#[test]
fn a_number_beyond_its_field_fails_its_row_with_what_the_field_holds() {
    let cases = [
        ("u8", 0xff, Holds::U8, 0, 255, "0 to 255"),
        ("i8", 0xff, Holds::I8, -128, 127, "-128 to 127"),
        ("u16", 0xffff, Holds::U16, 0, 65_535, "0 to 65535"),
        ("i16", 0xffff, Holds::I16, -32_768, 32_767, "-32768 to 32767"),
        ("u32", 0xffff_ffff, Holds::U32, 0, 4_294_967_295, "0 to 4294967295"),
        ("i32", 0xffff_ffff, Holds::I32, -2_147_483_648, 2_147_483_647, "-2147483648 to 2147483647"),
        ("u64", u64::MAX, Holds::U64, 0, i64::MAX, "0 to 2^64 - 1"),
    ];
    for (kind, mask, holds, least, most, text) in cases {
        let mut mapper = of_one(kind, &column("price")).unwrap();
        let rows = trades([least, most, least - 1, most.wrapping_add(1), i64::MIN]);
        let (words, failures) = words(&mut mapper, &rows, &[0.0]);
        assert_eq!(words, [Some(least as u64 & mask), Some(most as u64 & mask), None, None, None], "{kind}");
        assert_eq!((failures.count(), failures.first()), (3, Some((2, Failure::Field(holds)))), "{kind}");
        assert_eq!(Failure::Field(holds).to_string(), format!("beyond the field, which holds {text}"));
        assert_eq!(mapper.field_of((2, Failure::Field(holds))), Some("it"));
    }
}

#[test]
fn integers_of_64_bits_fit_each_other_row_by_row() {
    let (words_of, failures) =
        words(&mut of_one("i64", &column("id")).unwrap(), &trades([1, -1, i64::MIN, i64::MAX]), &[0.0]);
    assert_eq!(words_of, [Some(1), None, None, Some(i64::MAX as u64)]);
    assert_eq!(failures.first(), Some((1, Failure::Field(Holds::I64))));
    let nanos = words(&mut of_one("nanos", &column("id")).unwrap(), &trades([-1]), &[0.0]);
    assert_eq!(nanos.0, [Some(u64::MAX)]);
}

#[test]
fn a_number_without_a_name_fails() {
    let rows = [0, 1, 2, 255].map(|side| Trade { side, ..Trade::default() });
    let (words, failures) = words(&mut of_one("side", &column("side")).unwrap(), &rows, &[0.0]);
    assert_eq!((words, failures.count()), (vec![Some(0), Some(1), None, None], 2));
    assert_eq!(failures.first(), Some((2, Failure::Field(Holds::Name))));
}

#[test]
fn no_value_is_a_failure() {
    let mut mapper = of_one("i64", &op("prev", &[column("price")])).unwrap();
    let (words_of, failures) = words(&mut mapper, &trades([4, 5]), &[0.0]);
    assert_eq!((words_of, failures.absent_count(), failures.count()), (vec![None, Some(4)], 0, 1));
    assert_eq!(failures.first(), Some((0, Failure::NoValue)));
    assert_eq!(mapper.field_of((0, Failure::NoValue)), Some("it"));
    assert_eq!(words(&mut mapper, &trades([6]), &[0.0]).0, [Some(5)]);
    mapper.reset();
    assert_eq!(words(&mut mapper, &trades([6]), &[0.0]).0, [None]);
}

fn two(a: &Value, b: &Value) -> Mapper<Trade> {
    let field = |name: &str, offset, kind| json!({ "name": name, "offset": offset, "kind": kind });
    let fields: Vec<OwnField> = serde_json::from_value(json!([field("a", 4, "u8"), field("b", 0, "i32")])).unwrap();
    let into = Columns::<Words<2>>::own("Two", &fields).unwrap();
    try_map(&into, &[("a", a.clone()), ("b", b.clone())]).unwrap()
}

#[test]
fn a_row_fails_in_any_field_and_the_last_reason_stands() {
    let mut mapper = two(&column("price"), &op("div", &[int(8), column("price")]));
    let (words_of, failures) = words(&mut mapper, &trades([2, 0, 300, -1, 8]), &[0.0]);
    assert_eq!(words_of, [Some(2 << 32 | 4), None, None, None, Some(8 << 32 | 1)]);
    assert_eq!(failures.first(), Some((1, Failure::DivisionByZero)));
    assert_eq!(mapper.field_of((1, Failure::DivisionByZero)), Some("b"));
    assert_eq!(mapper.field_of((2, Failure::Field(Holds::U8))), Some("a"));
    let mut both = two(
        &column("price"),
        &op("div", &[op("prev", &[column("price")]), op("sub", &[column("price"), column("price")])]),
    );
    let (_, failures) = words(&mut both, &trades([300]), &[0.0]);
    assert_eq!(failures.first(), Some((0, Failure::Field(Holds::U8))));
}

#[test]
fn a_literal_takes_the_type_of_its_field() {
    let cases = [
        ("u8", int(255), 255),
        ("i16", int(-2), 0xfffe),
        ("u64", literal("u64", "18446744073709551615"), u64::MAX),
        ("i64", literal("f64", 7.0), 7),
        ("f64", int(2), 2f64.to_bits()),
        ("f32", literal("f64", 0.1), 0.1f32.to_bits().into()),
        ("f32", literal("f64", 1e300), f32::INFINITY.to_bits().into()),
        ("bool", literal("bool", true), 1),
        ("side", literal("name", "ask"), 1),
        ("names", literal("name", "none"), 2),
        ("u16", op("when", &[op("gt", &[column("price"), int(0)]), int(7), int(8)]), 7),
        ("f64", op("when", &[op("gt", &[column("price"), int(0)]), int(7), int(8)]), 7f64.to_bits()),
        ("u16", param(0), 3),
        ("f64", param(0), 3f64.to_bits()),
        ("bool", op("lt", &[column("price"), int(9)]), 1),
        ("f64", op("toF64", &[column("price")]), 1f64.to_bits()),
    ];
    for (kind, expr, bits) in cases {
        let mut mapper = of_one(kind, &expr).unwrap_or_else(|error| panic!("{kind} {expr}: {error}"));
        assert_eq!(words(&mut mapper, &trades([1]), &[3.0]).0, [Some(bits)], "{kind} {expr}");
    }
}

#[test]
fn what_a_field_does_not_take_is_refused() {
    let cases = [
        (
            "i32",
            op("toF64", &[column("price")]),
            "VELOX_TYPE_MISMATCH",
            "it: expected integers, as f64 would have to be rounded, got f64",
        ),
        ("f64", column("price"), "VELOX_TYPE_MISMATCH", "it: expected f64 (toF64() makes an integer one), got i64"),
        ("f32", column("id"), "VELOX_TYPE_MISMATCH", "it: expected f64 (toF64() makes an integer one), got u64"),
        ("bool", column("price"), "VELOX_TYPE_MISMATCH", "it: expected bool, got i64"),
        ("bool", int(1), "VELOX_TYPE_MISMATCH", "it: expected bool, got the i64 1"),
        ("u8", column("side"), "VELOX_TYPE_MISMATCH", "it: expected integers, got one of bid, ask"),
        ("names", column("side"), "VELOX_TYPE_MISMATCH", "it: expected one of bid, ask, none, got one of bid, ask"),
        ("side", int(1), "VELOX_TYPE_MISMATCH", "it: expected one of bid, ask, got the i64 1"),
        ("side", literal("name", "buy"), "VELOX_INVALID_VALUE", r#"it: expected one of bid, ask, got the name "buy""#),
        ("u8", int(256), "VELOX_INVALID_VALUE", "it: expected 0 to 255, got 256"),
        ("u64", int(-1), "VELOX_INVALID_VALUE", "it: expected 0 to 2^64 - 1, got -1"),
        (
            "i64",
            literal("u64", "9223372036854775808"),
            "VELOX_INVALID_VALUE",
            "it: expected -2^63 to 2^63 - 1, got 9223372036854775808",
        ),
        (
            "i64",
            literal("decimal", "1.5"),
            "VELOX_TYPE_MISMATCH",
            r#"it: expected a price or a quantity beside decimal text (a share of one is mulDiv), got the decimal text "1.5""#,
        ),
        (
            "i64",
            op("add", &[column("price"), column("side")]),
            "VELOX_TYPE_MISMATCH",
            "it: add: expected numbers, got one of bid, ask",
        ),
    ];
    for (kind, expr, code, message) in cases {
        let error = of_one(kind, &expr).expect_err("an expression to refuse");
        assert_eq!((error.code(), &error.to_string()[..]), (code, message), "{kind} {expr}");
    }
}

fn transaction() -> Vec<(&'static str, Value)> {
    vec![
        ("id", column("id")),
        ("price", literal("decimal", "61800.30")),
        ("size", literal("decimal", "1.5")),
        ("side", literal("name", "ask")),
        ("instrument", column("instrument")),
        ("ingressTsNs", column("receiveTs")),
    ]
}

#[test]
fn decimal_text_counts_in_the_scale_of_a_native_field() {
    let mut mapper = try_map::<Trade, Transaction>(&Columns::native(), &transaction()).unwrap();
    let (mut out, mut made) = ([u64::MAX; 4], Vec::new());
    let trade = Trade { id: 9, instrument: 3, receive_ts: 77, ..Trade::default() };
    assert_eq!(mapper.map(&[trade], &[0.0], &mut out, &mut made), Failures::default());
    assert_eq!(Transaction::from_words(&out), Ok(Transaction::new(9, 618_003, 1_500, 1, 77).with_instrument(3)));
}

#[test]
fn a_record_has_each_of_its_fields_once() {
    let refused = |fields: &[(&str, Value)]| {
        try_map::<Trade, Transaction>(&Columns::native(), fields).expect_err("fields to refuse").to_string()
    };
    let mut fields = transaction();
    fields[2] = ("sise", int(1));
    assert_eq!(
        refused(&fields),
        r#"Transaction has no field "sise"; did you mean "size"? It has id, price, size, side, instrument, ingressTsNs"#
    );
    assert_eq!(
        refused(&transaction()[..4]),
        "map: expected every field of Transaction, got none of instrument, ingressTsNs"
    );
    fields[2] = ("id", int(1));
    assert_eq!(refused(&fields), "id: expected each field once, got it twice");
}

#[test]
fn params_that_can_not_be_used_fail_every_row_and_leave_no_trace() {
    let mut mapper = two(&param(0), &op("prev", &[column("price")]));
    let (words_of, failures) = words(&mut mapper, &trades([1, 2]), &[0.5]);
    assert_eq!((words_of, failures.count()), (vec![None, None], 2));
    assert_eq!(failures.first(), Some((0, Failure::Param)));
    assert_eq!(mapper.field_of((0, Failure::Param)), None);
    let (words_of, failures) = words(&mut mapper, &trades([3, 4]), &[256.0]);
    assert_eq!((words_of, failures.first()), (vec![None, None], Some((0, Failure::Field(Holds::U8)))));
    assert_eq!(words(&mut mapper, &trades([5]), &[7.0]).0, [Some(7 << 32 | 4)]);
}

#[test]
fn given_values_are_fields_too() {
    let mut mapper = of_one("i16", &op("sub", &[column("price"), json!({ "op": "given", "index": 0 })])).unwrap();
    assert_eq!(words(&mut mapper, &trades([7]), &[0.0]).1.first(), Some((0, Failure::NoValue)));
    mapper.give_i64(0, Some(5));
    assert_eq!(words(&mut mapper, &trades([7]), &[0.0]).0, [Some(2)]);
    let mut mapper = of_one("f64", &json!({ "op": "given", "index": 1 })).unwrap();
    mapper.give_f64(1, Some(0.5));
    assert_eq!(words(&mut mapper, &trades([7, 8]), &[0.0]).0, [Some(0.5f64.to_bits()); 2]);
}

#[test]
fn no_rows_make_no_records() {
    let mut mapper = of_one("i64", &column("price")).unwrap();
    let mut made = vec![1];
    assert_eq!(mapper.map(&[], &[0.0], &mut [], &mut made), Failures::default());
    assert!(made.is_empty());
}

#[test]
#[should_panic(expected = "out of range")]
fn too_little_room_panics() {
    let mut mapper = of_one("i64", &column("price")).unwrap();
    mapper.map(&trades([1, 2]), &[0.0], &mut [0; 3], &mut Vec::new());
}
