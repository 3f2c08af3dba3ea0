//! One step of a plan: what a register is filled with.

use crate::BATCH;
use crate::arith::{self, Arith, Unary};
use crate::bounds::Bounds;
use crate::column::{Column, Gate, Load, Places, Window};
use crate::compare::{self, Cmp};
use crate::field::Bits;
use crate::register::{Lanes, Register};
use crate::types::Type;
use crate::{history, logic, mul_div};

/// What an integer is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Against {
    /// Known when planned.
    Window(Option<Window>),
    /// A param, known with each batch.
    Param { cmp: Cmp, index: usize, kind: Type },
    /// A given value, which may be none: nothing compares with that.
    Given { cmp: Cmp, index: usize, kind: Type },
}

impl Against {
    #[inline]
    fn window<T>(&self, batch: &Batch<'_, T>) -> Option<Window> {
        if let Self::Window(window) = self { *window } else { self.of_batch(batch) }
    }

    fn of_batch<T>(&self, batch: &Batch<'_, T>) -> Option<Window> {
        match self {
            Self::Window(window) => *window,
            Self::Param { cmp, index, kind } => Bounds::of(*cmp, batch.params[*index] as i128).window(kind),
            Self::Given { cmp, index, kind } => {
                let value = batch.givens[*index]? as i64;
                Bounds::of(*cmp, value.into()).window(kind)
            }
        }
    }
}

/// What steps read beside registers.
pub(crate) struct Batch<'a, T: 'static> {
    pub(crate) rows: &'a [T],
    pub(crate) params: &'a [f64],
    pub(crate) columns: &'a [Column<T>],
    /// As bits.
    pub(crate) givens: &'a [Option<u64>],
}

/// Step number n fills register number n from registers before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// A column by its place.
    Load(usize),
    /// The same bits in every row, filled in once.
    Fixed(u64),
    /// A param in every row.
    Param(usize, Type),
    /// A given value in every row.
    Given(usize),
    Arith(Arith, [usize; 2]),
    Unary(Unary, usize),
    MulDiv([usize; 3]),
    Compare(Cmp, [usize; 2]),
    Within(usize, Against),
    /// Columns each within a window, and truth values.
    All(Box<[(usize, Against)]>, Box<[usize]>),
    Or(Box<[usize]>),
    Not(usize),
    When([usize; 3]),
    Prev(usize),
    /// The number of keys is here so that two steps with the same memory are the same step.
    Over([usize; 2], usize),
}

impl Step {
    /// Fills register `at`. Allocates nothing.
    pub(crate) fn run<T>(&self, at: usize, batch: &Batch<'_, T>, registers: &mut [Register]) {
        let (before, rest) = registers.split_at_mut(at);
        let (out, count) = (&mut rest[0], batch.rows.len());
        match self {
            Self::Load(column) => load(&batch.columns[*column], batch.rows, out),
            Self::Fixed(_) => {}
            Self::Param(index, kind) => out.lanes.fill_bits(0..count, param_bits(batch.params[*index], kind)),
            Self::Given(index) => history::given(batch.givens[*index], out, count),
            Self::Arith(op, [a, b]) => arith::binary(*op, &before[*a], &before[*b], out, count),
            Self::Unary(op, a) => arith::unary(*op, &before[*a], out, count),
            Self::MulDiv([a, m, d]) => mul_div::mul_div(&before[*a], &before[*m], &before[*d], out, count),
            Self::Compare(cmp, [a, b]) => compare::compare(*cmp, &before[*a], &before[*b], out, count),
            Self::Within(a, against) => compare::within(&before[*a], against.window(batch), out, count),
            Self::All(gates, operands) => {
                pass(gates, batch, out);
                logic::and(operands, before, out, count);
            }
            Self::Or(operands) => logic::or(operands, before, out, count),
            Self::Not(a) => logic::not(&before[*a], out, count),
            Self::When([c, a, b]) => logic::when(&before[*c], (&before[*a], &before[*b]), out, count),
            Self::Prev(x) => history::prev(&before[*x], out, count),
            Self::Over([x, key], _) => history::over(&before[*x], &before[*key], out, count),
        }
    }
}

fn param_bits(value: f64, kind: &Type) -> u64 {
    match kind {
        Type::I64 => value as i64 as u64,
        Type::U64 => value as u64,
        _ => value.to_bits(),
    }
}

fn load<T>(column: &Column<T>, rows: &[T], out: &mut Register) {
    let (count, bits) = (rows.len(), column.bits);
    match (&column.load, &mut out.lanes) {
        (Load::I64(load), Lanes::I64(values)) => load(rows, bits, &mut values[..count]),
        (Load::U64(load), Lanes::U64(values)) => load(rows, bits, &mut values[..count]),
        (Load::F64(load), Lanes::F64(values)) => load(rows, bits, &mut values[..count]),
        (Load::Bool(load), Lanes::Bool(values)) => load(rows, bits, &mut values[..count]),
        (_, other) => unreachable!("a plan that loads {} into {other:?}", column.name),
    }
}

/// Lists the rows that pass every gate and every truth value, where none of those has failures; says how many they are.
///
/// Each gate looks only at what the one before left over, so the first costs most.
pub(crate) fn list<T>(
    (gates, operands): (&[(usize, Against)], &[usize]),
    batch: &Batch<'_, T>,
    before: &[Register],
    places: &mut Places,
) -> Option<usize> {
    if gates.is_empty() || operands.iter().any(|&at| before[at].status.is_marked()) {
        return None;
    }
    let mut count = batch.rows.len();
    for (place, (column, against)) in gates.iter().enumerate() {
        let Some(window) = against.window(batch) else { return Some(0) };
        let (gate, bits) = gate(&batch.columns[*column]);
        count = match place {
            0 => (gate.list)(batch.rows, bits, window, places),
            _ => (gate.pick)(batch.rows, bits, window, places, count),
        };
    }
    for &at in operands {
        let (flags, from) = (before[at].bools(), count);
        count = 0;
        for at in 0..from {
            let place = places[at];
            places[count] = place;
            count += usize::from(flags[usize::from(place) % BATCH]);
        }
    }
    Some(count)
}

fn gate<T>(column: &Column<T>) -> (&Gate<T>, Bits) {
    let Some(gate) = &column.gate else { unreachable!("a plan with a gate that its column has not") };
    (gate, column.bits)
}

/// The rows that pass every gate.
fn pass<T>(gates: &[(usize, Against)], batch: &Batch<'_, T>, out: &mut Register) {
    let (flags, _) = out.bools_mut();
    let flags = &mut flags[..batch.rows.len()];
    if gates.is_empty() {
        flags.fill(true);
    }
    for (place, (column, against)) in gates.iter().enumerate() {
        let Some(window) = against.window(batch) else { return flags.fill(false) };
        let (gate, bits) = gate(&batch.columns[*column]);
        (if place == 0 { gate.set } else { gate.keep })(batch.rows, bits, window, flags);
    }
}
