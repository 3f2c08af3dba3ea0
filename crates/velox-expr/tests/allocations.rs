//! Evaluating allocates nothing: a global allocator counts.

mod common;

use common::Row;
use velox_expr::{BATCH, Columns, Expr, Given, Inputs, Mapper, Plan, Scale, Scales};
use velox_record::Transaction;
use velox_sys::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Every kind of step, failures among the rows, keys up to their limit and beyond.
const EXPR: &str = r#"{"op":"and","of":[
    {"op":"gt","of":[{"op":"column","name":"a"},{"op":"i64","value":3}]},
    {"op":"between","of":[{"op":"column","name":"u"},{"op":"param","index":0},{"op":"u64","value":"18446744073709551615"}]},
    {"op":"in","of":[{"op":"column","name":"s"},{"op":"name","value":"one"},{"op":"name","value":"two"}]},
    {"op":"or","of":[
        {"op":"not","of":[{"op":"column","name":"t"}]},
        {"op":"lt","of":[{"op":"toF64","of":[{"op":"column","name":"a"}]},{"op":"add","of":[{"op":"column","name":"x"},{"op":"param","index":1}]}]},
        {"op":"ge","of":[{"op":"mulDiv","of":[{"op":"column","name":"b"},{"op":"i64","value":101},{"op":"column","name":"u"}]},
                         {"op":"div","of":[{"op":"column","name":"a"},{"op":"column","name":"b"}]}]}]},
    {"op":"ne","of":[
        {"op":"when","of":[{"op":"column","name":"t"},{"op":"prev","of":[{"op":"column","name":"a"}]},{"op":"neg","of":[{"op":"column","name":"b"}]}]},
        {"op":"over","of":[{"op":"mul","of":[{"op":"column","name":"a"},{"op":"column","name":"b"}]},{"op":"column","name":"v"}],"maxKeys":50}]}]}"#;

/// Fields of every way to fill one, with numbers that don't fit and values that there aren't.
const FIELDS: &str = r#"[
    ["id", {"op":"column","name":"u"}],
    ["price", {"op":"add","of":[{"op":"given","index":0},{"op":"prev","of":[{"op":"column","name":"b"}]}]}],
    ["size", {"op":"column","name":"b"}],
    ["side", {"op":"when","of":[{"op":"column","name":"t"},{"op":"name","value":"bid"},{"op":"name","value":"ask"}]}],
    ["instrument", {"op":"param","index":0}],
    ["ingressTsNs", {"op":"i64","value":5}]]"#;

fn rows() -> Vec<Row> {
    (0..BATCH as u64)
        .map(|n| Row {
            a: i64::MAX - n as i64,
            b: n as i64 - 128,
            u: n,
            v: n % 60,
            x: n as f64,
            y: f64::NAN,
            t: n % 3 == 0,
            s: (n % 3) as u8,
        })
        .collect()
}

#[test]
fn evaluating_allocates_nothing() {
    let expr: Expr = serde_json::from_str(EXPR).unwrap();
    let mut filter = Plan::<Row>::new(&expr, &Scales::default(), 2).unwrap();
    let fields: Vec<(String, Expr)> = serde_json::from_str(FIELDS).unwrap();
    let inputs = Inputs { params: &[0.0], givens: &[Given::I64(Scale::None)], ..Inputs::default() };
    let mut mapper =
        Mapper::<Row>::new(&Columns::native(), &Columns::<Transaction>::native().layout(), &fields, &inputs).unwrap();
    let (mut map, rows, mut words, mut made) = (filter.clone(), rows(), [0; BATCH * 4], 0);
    let (mut keep, mut out) = (Vec::with_capacity(BATCH), [false; BATCH]);

    let before = Counting::of_thread().allocations;
    let (mut passed, mut failed, mut mapped) = (0, 0, 0);
    for _ in 0..10 {
        failed += filter.filter(&rows, &[1.0, 0.5], &mut keep).count();
        passed += keep.len();
        mapped += map.bool(&rows, &[1.0, 0.5], &mut out).count();
        filter.reset();
        map.reset();
        for value in [None, Some(7), Some(7), Some(8)] {
            mapper.give_i64(0, value);
            let refused = mapper.map(&rows, &[2.0], &mut words, &mut keep).count();
            made += keep.len();
            assert!(refused > 0 && refused + keep.len() == BATCH);
        }
    }
    assert_eq!(Counting::of_thread().allocations - before, 0);
    assert!(made > 0, "no row was mapped");
    assert!(passed > 0 && failed > 0 && failed == mapped, "{passed} rows passed, {failed} and {mapped} failed");
}
