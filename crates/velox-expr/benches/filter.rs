//! The plan of a filter against two loops written by hand, by nanoseconds a record: one JSON line.
//!
//! `hand` is the loop that one writes: `if a && b && c { keep.push(..) }`. `flat` is the same without branches. All
//! take the same batches in turn, so that a change of the processor's speed meets all. `few` passes 1 row in 400. `own3`
//! has the records as words whose fields are known at run time only, `given3` compares with a value given at run time.

#![expect(clippy::needless_bitwise_bool, reason = "the flat loop must not branch")]

use std::hint::black_box;
use std::time::Instant;

use velox_expr::{BATCH, Columns, Expr, Given, Inputs, OwnField, Plan, Scale};
use velox_record::{ASK, Record, Transaction, Words};

/// 2 MB of records. With a tenth of them the processor learns their branches by heart, as it never will from a market.
const ROWS: usize = 65_536;
const ROUNDS: usize = 201;

fn rows() -> Vec<Transaction> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut row = |id| {
        let (price, size, side, late) = (next(1_000) as i64, next(1_000) as u32, next(2) as u8, next(1_000));
        Transaction::new(id, price, size, side, id * 1_000 + late).with_instrument(next(4) as u16)
    };
    (0..ROWS as u64).map(&mut row).collect()
}

fn term(op: &str, column: &str, value: &str) -> String {
    let value = match value.parse::<i64>() {
        Ok(value) => format!(r#"{{"op":"i64","value":{value}}}"#),
        Err(_) if value == "given" => r#"{"op":"given","index":0}"#.into(),
        Err(_) => format!(r#"{{"op":"name","value":"{value}"}}"#),
    };
    format!(r#"{{"op":"{op}","of":[{{"op":"column","name":"{column}"}},{value}]}}"#)
}

fn plan<T: Record>(columns: &Columns<T>, terms: &[String]) -> Plan<T> {
    let text = format!(r#"{{"op":"and","of":[{}]}}"#, terms.join(","));
    let expr: Expr = serde_json::from_str(&text).expect("an expression");
    let inputs = Inputs { givens: &[Given::I64(Scale::None)], ..Inputs::default() };
    Plan::over(columns, &expr, &inputs).expect("a plan")
}

/// A transaction as a script would declare it.
type Own = Words<4>;

fn own(rows: &[Transaction]) -> (Vec<Own>, Columns<Own>) {
    let fields: Vec<OwnField> = serde_json::from_str(
        r#"[{"name":"price","offset":8,"kind":"i64"},{"name":"size","offset":16,"kind":"u32"},
            {"name":"side","offset":20,"kind":"side"}]"#,
    )
    .expect("fields");
    let words = |row: &Transaction| {
        let mut words = [0; 4];
        row.to_words(&mut words);
        Words(words)
    };
    (rows.iter().map(words).collect(), Columns::own("Own", &fields).expect("columns"))
}

fn by_hand<T>(rows: &[T], keep: &mut Vec<u16>, test: impl Fn(&T) -> bool) {
    keep.clear();
    for (place, row) in rows.iter().enumerate() {
        if test(row) {
            keep.push(place as u16);
        }
    }
}

fn flat<T>(rows: &[T], keep: &mut Vec<u16>, test: impl Fn(&T) -> bool) {
    keep.clear();
    let (mut places, mut count) = ([0; BATCH], 0);
    for (place, row) in rows.iter().take(BATCH).enumerate() {
        places[count % BATCH] = place as u16;
        count += usize::from(test(row));
    }
    keep.extend_from_slice(&places[..count]);
}

/// Nanoseconds a record for all rows once, and how many passed.
fn time<T>(rows: &[T], keep: &mut Vec<u16>, mut run: impl FnMut(&[T], &mut Vec<u16>)) -> (f64, usize) {
    let (start, mut passed) = (Instant::now(), 0);
    for batch in rows.chunks(BATCH) {
        run(black_box(batch), keep);
        passed += black_box(&keep).len();
    }
    (start.elapsed().as_nanos() as f64 / ROWS as f64, passed)
}

fn measure<T: Record>(
    (name, rows, mut plan): (&str, &[T], Plan<T>),
    test: impl Fn(&T) -> bool,
    test_flat: impl Fn(&T) -> bool,
) -> String {
    let mut keep = Vec::with_capacity(BATCH);
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let round = [
            time(rows, &mut keep, |batch, keep| by_hand(batch, keep, &test)),
            time(rows, &mut keep, |batch, keep| flat(batch, keep, &test_flat)),
            time(rows, &mut keep, |batch, keep| assert_eq!(plan.filter(batch, &[], keep).count(), 0)),
        ];
        assert!(round.iter().all(|(_, passed)| *passed == round[0].1), "all pass the same rows");
        times.iter_mut().zip(round).for_each(|(times, (nanos, _))| times.push(nanos));
    }
    let [hand, flat, planned] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    let (by_hand, by_flat) = (planned / hand, planned / flat);
    format!(
        r#""{name}":{{"handNanos":{hand:.2},"flatNanos":{flat:.2},"planNanos":{planned:.2},"planByHand":{by_hand:.2},"planByFlat":{by_flat:.2}}}"#
    )
}

fn main() {
    let rows = rows();
    let [half, most, size] = black_box([500i64, 990, 500]);
    let [low, high, since] = black_box([100u64, 64_000, 50_000]);
    let other = black_box(3u16);
    let three = |price| [term("gt", "price", price), term("lt", "size", "500"), term("eq", "side", "ask")];
    let more = [
        term("ge", "id", "100"),
        term("lt", "id", "64000"),
        term("ne", "instrument", "3"),
        term("gt", "ingressTsNs", "50000"),
    ];
    let seven: Vec<String> = three("500").into_iter().chain(more).collect();

    let hand3 = |row: &Transaction, price| row.price > price && i64::from(row.size) < size && row.side == ASK;
    let flat3 = |row: &Transaction, price| (row.price > price) & (i64::from(row.size) < size) & (row.side == ASK);
    let hand4 =
        |row: &Transaction| row.id >= low && row.id < high && row.instrument != other && row.ingress_ts_ns > since;
    let flat4 =
        |row: &Transaction| (row.id >= low) & (row.id < high) & (row.instrument != other) & (row.ingress_ts_ns > since);
    let (native, (words, own)) = (Columns::native(), own(&rows));
    let of = |terms: &[String]| plan(&native, terms);
    let mut given = of(&three("given"));
    given.give_i64(0, Some(half));
    let size_of = |row: &Own| i64::from(row.0[2] as u32);
    let side_of = |row: &Own| (row.0[2] >> 32) as u8;
    let hand_own = |row: &Own| row.0[1] as i64 > half && size_of(row) < size && side_of(row) == ASK;
    let flat_own = |row: &Own| (row.0[1] as i64 > half) & (size_of(row) < size) & (side_of(row) == ASK);
    let lines = [
        measure(("terms3", &rows, of(&three("500"))), |row| hand3(row, half), |row| flat3(row, half)),
        measure(("terms3Few", &rows, of(&three("990"))), |row| hand3(row, most), |row| flat3(row, most)),
        measure(
            ("terms7", &rows, of(&seven)),
            |row| hand3(row, half) && hand4(row),
            |row| flat3(row, half) & flat4(row),
        ),
        measure(("own3", &words, plan(&own, &three("500"))), hand_own, flat_own),
        measure(("given3", &rows, given), |row| hand3(row, half), |row| flat3(row, half)),
    ];
    println!("{{{}}}", lines.join(","));
}
