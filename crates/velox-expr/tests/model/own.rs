//! A row of the tests as a record that a script declared: each number in a field of random width, at a random place.

use proptest::prelude::*;
use velox_expr::{Columns, Kind, OwnField};
use velox_record::Words;

use crate::common::{NAMES, Row};

/// Eight fields of at most eight bytes each.
pub const WORDS: usize = 8;
pub type Own = Words<WORDS>;

const NARROW: [Kind; 6] = [Kind::U8, Kind::I8, Kind::U16, Kind::I16, Kind::U32, Kind::I32];

pub fn signed() -> impl Strategy<Value = Kind> {
    prop_oneof![3 => prop::sample::select(NARROW.to_vec()), 1 => Just(Kind::I64)]
}

pub fn unsigned() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![Kind::U64, Kind::Nanos])
}

pub fn float() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![Kind::F32, Kind::F64])
}

/// Fields in random order, each at its natural alignment.
pub fn laid_out(kinds: Vec<(&'static str, Kind)>) -> impl Strategy<Value = Vec<OwnField>> {
    Just(kinds).prop_shuffle().prop_map(|kinds| {
        let mut end = 0usize;
        let place = |(name, kind): (&str, Kind)| {
            let offset = end.next_multiple_of(kind.bytes());
            end = offset + kind.bytes();
            OwnField { name: name.into(), offset, kind }
        };
        kinds.into_iter().map(place).collect()
    })
}

/// The fields of a [`Row`].
pub fn fields() -> impl Strategy<Value = Vec<OwnField>> {
    (signed(), signed(), unsigned(), unsigned(), float(), float()).prop_flat_map(|(a, b, u, v, x, y)| {
        let names = Kind::Names { names: NAMES.iter().map(ToString::to_string).collect::<Vec<_>>().into() };
        let numbers = vec![("a", a), ("b", b), ("u", u), ("v", v), ("x", x), ("y", y)];
        laid_out(numbers.into_iter().chain([("t", Kind::Bool), ("s", names)]).collect())
    })
}

pub fn columns(fields: &[OwnField]) -> Columns<Own> {
    Columns::own("Own", fields).expect("columns")
}

/// The least and the greatest that a field of this kind holds, if it is narrower than i64.
pub fn range(kind: &Kind) -> (i64, i64) {
    match kind {
        Kind::U8 => (0, u8::MAX.into()),
        Kind::I8 => (i8::MIN.into(), i8::MAX.into()),
        Kind::U16 => (0, u16::MAX.into()),
        Kind::I16 => (i16::MIN.into(), i16::MAX.into()),
        Kind::U32 => (0, u32::MAX.into()),
        Kind::I32 => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

/// Which bits of a word a field has, from its lowest.
pub fn mask(field: &OwnField) -> u64 {
    u64::MAX >> (64 - 8 * field.kind.bytes())
}

/// The row as far as its fields hold it, and the record.
pub fn own(fields: &[OwnField], row: &Row) -> (Row, Own) {
    // What is between the fields is anything.
    let (mut row, mut words) = (*row, [0xa5a5_a5a5_a5a5_a5a5; WORDS]);
    for field in fields {
        let (lo, hi) = range(&field.kind);
        let bits = match &field.name[..] {
            name @ ("a" | "b") => {
                let value = if name == "a" { &mut row.a } else { &mut row.b };
                *value = (*value).clamp(lo, hi);
                *value as u64
            }
            "u" => row.u,
            "v" => row.v,
            name @ ("x" | "y") => {
                let value = if name == "x" { &mut row.x } else { &mut row.y };
                if field.kind == Kind::F32 {
                    *value = f64::from(*value as f32);
                    u64::from((*value as f32).to_bits())
                } else {
                    value.to_bits()
                }
            }
            "t" => row.t.into(),
            _ => row.s.into(),
        };
        let (word, shift) = (field.offset / 8, field.offset % 8 * 8);
        words[word] = words[word] & !(mask(field) << shift) | (bits & mask(field)) << shift;
    }
    (row, Words(words))
}
