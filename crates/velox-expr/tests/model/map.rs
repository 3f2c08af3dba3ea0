//! Whole records against the values that the model says.

use proptest::prelude::*;
use velox_expr::{Columns, Expr, Failure, Holds, Kind, Mapper, OwnField};

use crate::common::Row;
use crate::own::{WORDS, columns, float, laid_out, mask, range, signed, unsigned};
use crate::reference::{Cell, Value};
use crate::segments::{Segment, batches, cuts, segments};
use crate::trees::{PARAMS, tree_of_each_type};
use crate::{INPUTS, cases, expected};

/// The fields that hold the four types.
fn fields() -> impl Strategy<Value = Vec<OwnField>> {
    (signed(), unsigned(), float()).prop_flat_map(|(i, u, f)| {
        let kinds = [("i", i), ("u", u), ("f", f), ("b", Kind::Bool)];
        laid_out(kinds.into_iter().collect())
    })
}

fn holds(kind: &Kind) -> Holds {
    match kind {
        Kind::U8 => Holds::U8,
        Kind::I8 => Holds::I8,
        Kind::U16 => Holds::U16,
        Kind::I16 => Holds::I16,
        Kind::U32 => Holds::U32,
        Kind::I32 => Holds::I32,
        _ => Holds::I64,
    }
}

/// The value of a field as it is stored, or why there is none.
fn stored(field: &OwnField, cell: Cell) -> Result<Value, Failure> {
    let (lo, hi) = range(&field.kind);
    match cell?.ok_or(Failure::NoValue)? {
        Value::I(value) if !(lo..=hi).contains(&value) => Err(Failure::Field(holds(&field.kind))),
        Value::F(value) if field.kind == Kind::F32 => Ok(Value::F(f64::from(value as f32))),
        value => Ok(value),
    }
}

/// The value that a record has in a field; the least that tells values of one field apart.
fn read(field: &OwnField, words: &[u64]) -> Value {
    let bits = words[field.offset / 8] >> (field.offset % 8 * 8) & mask(field);
    let unused = 64 - 8 * field.kind.bytes();
    match field.kind {
        Kind::U64 | Kind::Nanos => Value::U(bits),
        Kind::F32 => Value::F(f32::from_bits(bits as u32).into()),
        Kind::F64 => Value::F(f64::from_bits(bits)),
        Kind::Bool => Value::B(bits == 1),
        Kind::I8 | Kind::I16 | Kind::I32 => Value::I((bits << unused) as i64 >> unused),
        _ => Value::I(bits as i64),
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn a_record_has_what_the_model_says_of_each_field(
        exprs in tree_of_each_type(), segments in segments(), cuts in cuts(), fields in fields(),
    ) {
        let by_name = |name: &str| &exprs[["i", "u", "f", "b"].iter().position(|known| *known == name).unwrap_or(0)];
        let of: Vec<(String, Expr)> =
            fields.iter().rev().map(|field| (field.name.clone(), by_name(&field.name).clone())).collect();
        let mut mapper = match Mapper::<Row>::new(&Columns::native(), &columns(&fields).layout(), &of, &INPUTS) {
            Ok(mapper) => mapper,
            Err(error) => {
                // A literal that its field doesn't hold is refused at once.
                let text = error.to_string();
                prop_assert!(text.starts_with("i: expected ") || text.contains("at most 4096 steps"), "{}", text);
                return Ok(());
            }
        };
        let cells: Vec<_> =
            fields.iter().map(|field| (field, expected(by_name(&field.name), &segments))).collect();
        let (mut out, mut made) = (vec![u64::MAX; 256 * WORDS], Vec::new());
        for (at, piece) in batches(&segments, &cuts) {
            let Segment { givens, rows } = &segments[at];
            mapper.give_i64(0, givens.0);
            mapper.give_f64(1, givens.1);
            let failures = mapper.map(&rows[piece.clone()], &PARAMS, &mut out, &mut made);
            let (mut expected_made, mut first) = (Vec::new(), None);
            for row in 0..piece.len() {
                let of_row = || cells.iter().map(|(field, cells)| (*field, stored(field, cells[at][piece.start + row])));
                let worst = of_row().filter_map(|(_, value)| value.err()).max();
                prop_assert_eq!((failures.failed(row), failures.absent(row)), (worst.is_some(), false));
                if let Some(worst) = worst {
                    first = first.or(Some((row as u16, worst)));
                    continue;
                }
                expected_made.push(row as u16);
                let words = &out[row * WORDS..(row + 1) * WORDS];
                for (field, value) in of_row() {
                    prop_assert!(crate::same(read(field, words), value.unwrap()), "row {}, {:?}: {:?}", row, field, value);
                }
                let used = fields.iter().fold([0; WORDS], |mut used, field| {
                    used[field.offset / 8] |= mask(field) << (field.offset % 8 * 8);
                    used
                });
                prop_assert!(words.iter().zip(used).all(|(word, used)| word & !used == 0), "bits of no field are 0");
            }
            prop_assert_eq!(failures.first(), first);
            prop_assert_eq!(&made, &expected_made);
            if let Some((row, failure)) = first {
                let field = mapper.field_of((row, failure)).unwrap();
                let (field, cells) = cells.iter().find(|(known, _)| known.name == field).unwrap();
                prop_assert_eq!(stored(field, cells[at][piece.start + usize::from(row)]).err(), Some(failure));
            }
        }
    }
}
