//! Rows in stretches over which given values hold, and the cuts of such stretches into batches.

use proptest::prelude::*;
use velox_expr::BATCH;

use crate::common::Row;
use crate::reference::Value;
use crate::trees::{f64s, i64s, row};

/// The given values: an i64 and an f64, or none.
pub type Givens = (Option<i64>, Option<f64>);

#[derive(Debug, Clone)]
pub struct Segment {
    pub givens: Givens,
    pub rows: Vec<Row>,
}

/// As the model has them.
pub fn values((i, f): Givens) -> [Option<Value>; 2] {
    [i.map(Value::I), f.map(Value::F)]
}

pub fn segments() -> impl Strategy<Value = Vec<Segment>> {
    let givens = (prop::option::weighted(0.8, i64s()), prop::option::weighted(0.8, f64s()));
    let rows = prop_oneof![4 => prop::collection::vec(row(), 0..60), 1 => prop::collection::vec(row(), 200..=BATCH)];
    prop::collection::vec((givens, rows).prop_map(|(givens, rows)| Segment { givens, rows }), 1..5)
}

pub fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1usize..9, 1..=BATCH], 1..20)
}

/// The batches of all segments: which segment, and which of its rows.
pub fn batches(segments: &[Segment], cuts: &[usize]) -> Vec<(usize, std::ops::Range<usize>)> {
    let (mut cuts, mut batches) = (cuts.iter().cycle(), Vec::new());
    for (segment, Segment { rows, .. }) in segments.iter().enumerate() {
        let mut at = 0;
        while let (true, Some(cut)) = (at < rows.len(), cuts.next()) {
            let end = rows.len().min(at + cut);
            batches.push((segment, at..end));
            at = end;
        }
    }
    batches
}
