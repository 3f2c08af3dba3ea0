//! Records of five fields made of trades, against a loop written by hand, by nanoseconds a record: one JSON line.
//!
//! `copies` takes five fields over; `mixed` takes one over, narrows one, and computes two: a change and a value in f64,
//! beside a name that is always the same. `hand` makes the same words row by row.

use std::hint::black_box;
use std::time::Instant;

use velox_expr::{BATCH, Columns, Expr, Inputs, Mapper, OwnField};
use velox_record::{Trade, Words};

/// 3 MB of records.
const ROWS: usize = 65_536;
const ROUNDS: usize = 201;
const WORDS: usize = 4;

fn rows() -> Vec<Trade> {
    let row = |id: u64| {
        let noise = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44;
        let (price, qty) = (618_000 + (noise % 1_000) as i64, 1 + (noise % 777) as i64);
        Trade {
            id,
            instrument: 3,
            side: (noise % 2) as u8,
            price,
            qty,
            exchange_ts: id * 1_000,
            receive_ts: id * 1_001,
        }
    };
    (0..ROWS as u64).map(row).collect()
}

fn mapper(fields: &str, exprs: &str) -> Mapper<Trade> {
    let fields: Vec<OwnField> = serde_json::from_str(fields).expect("fields");
    let exprs: Vec<(String, Expr)> = serde_json::from_str(exprs).expect("expressions");
    let into = Columns::<Words<WORDS>>::own("Own", &fields).expect("columns");
    Mapper::new(&Columns::native(), &into.layout(), &exprs, &Inputs::default()).expect("a mapper")
}

type Out = (Vec<u64>, Vec<u16>);

/// Nanoseconds a record for all rows once, and a sum of what was made.
fn time(rows: &[Trade], out: &mut Out, mut run: impl FnMut(&[Trade], &mut Out)) -> (f64, u64) {
    let (start, mut sum) = (Instant::now(), 0u64);
    for batch in rows.chunks(BATCH) {
        run(black_box(batch), out);
        let (words, made) = black_box(&*out);
        sum = made.iter().fold(sum, |sum, row| sum.wrapping_add(words[usize::from(*row) * WORDS]));
    }
    (start.elapsed().as_nanos() as f64 / ROWS as f64, sum)
}

fn by_hand(rows: &[Trade], (out, made): &mut Out, mut of: impl FnMut(&Trade) -> Option<[u64; WORDS]>) {
    made.clear();
    for (place, row) in rows.iter().enumerate() {
        if let Some(words) = of(row) {
            out[place * WORDS..][..WORDS].copy_from_slice(&words);
            made.push(place as u16);
        }
    }
}

fn measure(
    (name, rows, mut mapper): (&str, &[Trade], Mapper<Trade>),
    mut hand: impl FnMut(&Trade) -> Option<[u64; WORDS]>,
) -> String {
    let mut out = (vec![0; BATCH * WORDS], Vec::with_capacity(BATCH));
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        let round = [
            time(rows, &mut out, |batch, out| by_hand(batch, out, &mut hand)),
            time(rows, &mut out, |batch, (out, made)| {
                black_box(mapper.map(batch, &[], out, made));
            }),
        ];
        assert!(round[0].1 == round[1].1, "both make the same records");
        times.iter_mut().zip(round).for_each(|(times, (nanos, _))| times.push(nanos));
    }
    let [hand, planned] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    let (a_field, by_hand) = (planned / 5.0, planned / hand);
    format!(
        r#""{name}":{{"handNanos":{hand:.2},"mapNanos":{planned:.2},"fieldNanos":{a_field:.2},"mapByHand":{by_hand:.2}}}"#
    )
}

fn main() {
    let rows = rows();
    let copies = mapper(
        r#"[{"name":"id","offset":0,"kind":"u64"},{"name":"price","offset":8,"kind":"i64"},
            {"name":"qty","offset":16,"kind":"i64"},{"name":"at","offset":24,"kind":"u32"},
            {"name":"side","offset":28,"kind":"side"}]"#,
        r#"[["id",{"op":"column","name":"id"}],["price",{"op":"column","name":"price"}],
            ["qty",{"op":"column","name":"qty"}],["at",{"op":"column","name":"instrument"}],
            ["side",{"op":"column","name":"side"}]]"#,
    );
    let mixed = mapper(
        r#"[{"name":"id","offset":0,"kind":"u64"},{"name":"qty","offset":8,"kind":"u32"},
            {"name":"side","offset":12,"kind":"side"},{"name":"value","offset":16,"kind":"f64"},
            {"name":"change","offset":24,"kind":"i64"}]"#,
        r#"[["id",{"op":"column","name":"id"}],["qty",{"op":"column","name":"qty"}],["side",{"op":"name","value":"ask"}],
            ["value",{"op":"mul","of":[{"op":"toF64","of":[{"op":"column","name":"price"}]},{"op":"f64","value":0.1}]}],
            ["change",{"op":"sub","of":[{"op":"column","name":"price"},{"op":"prev","of":[{"op":"column","name":"price"}]}]}]]"#,
    );
    let of_copies = |row: &Trade| {
        let last = u64::from(row.instrument) | u64::from(row.side) << 32;
        (row.side < 2).then_some([row.id, row.price as u64, row.qty as u64, last])
    };
    let mut last = None;
    let of_mixed = |row: &Trade| {
        let before = last.replace(row.price);
        let qty = u32::try_from(row.qty).ok()?;
        let change = row.price.checked_sub(before?)?;
        Some([row.id, u64::from(qty) | 1 << 32, (row.price as f64 * 0.1).to_bits(), change as u64])
    };
    let lines = [measure(("copies", &rows, copies), of_copies), measure(("mixed", &rows, mixed), of_mixed)];
    println!("{{{}}}", lines.join(","));
}
