use crate::BATCH;
use crate::column::Window;
use crate::failure::{ABSENT, VALUE};
use crate::register::{Lanes, Register};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cmp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Cmp {
    /// The same comparison with its operands the other way round.
    pub(crate) const fn flipped(self) -> Self {
        match self {
            Self::Eq => Self::Eq,
            Self::Ne => Self::Ne,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
        }
    }
}

type Inputs<'a, A, B> = (&'a [A; BATCH], &'a [B; BATCH]);

fn zip<A: Copy, B: Copy>((a, b): Inputs<A, B>, out: &mut [bool; BATCH], rows: usize, f: impl Fn(A, B) -> bool) {
    for ((out, &a), &b) in out[..rows].iter_mut().zip(&a[..rows]).zip(&b[..rows]) {
        *out = f(a, b);
    }
}

/// `wide_*` bring both sides to one type that holds every value of either.
fn ordered<A: Copy, B: Copy, W: PartialOrd>(
    cmp: Cmp,
    from: Inputs<A, B>,
    out: &mut [bool; BATCH],
    rows: usize,
    (left, right): (impl Fn(A) -> W, impl Fn(B) -> W),
) {
    match cmp {
        Cmp::Eq => zip(from, out, rows, |a, b| left(a) == right(b)),
        Cmp::Ne => zip(from, out, rows, |a, b| left(a) != right(b)),
        Cmp::Lt => zip(from, out, rows, |a, b| left(a) < right(b)),
        Cmp::Le => zip(from, out, rows, |a, b| left(a) <= right(b)),
        Cmp::Gt => zip(from, out, rows, |a, b| left(a) > right(b)),
        Cmp::Ge => zip(from, out, rows, |a, b| left(a) >= right(b)),
    }
}

/// a cmp b, exact for mixed integers. Without a value on either side it is false; a failure stays one.
pub(crate) fn compare(cmp: Cmp, a: &Register, b: &Register, out: &mut Register, rows: usize) {
    let (flags, _) = out.bools_mut();
    match (&a.lanes, &b.lanes) {
        (Lanes::I64(a), Lanes::I64(b)) => ordered(cmp, (a, b), flags, rows, (|a| a, |b| b)),
        (Lanes::U64(a), Lanes::U64(b)) => ordered(cmp, (a, b), flags, rows, (|a| a, |b| b)),
        (Lanes::F64(a), Lanes::F64(b)) => ordered(cmp, (a, b), flags, rows, (|a| a, |b| b)),
        (Lanes::Bool(a), Lanes::Bool(b)) => ordered(cmp, (a, b), flags, rows, (|a| a, |b| b)),
        (Lanes::I64(a), Lanes::U64(b)) => ordered(cmp, (a, b), flags, rows, (i128::from, i128::from)),
        (Lanes::U64(a), Lanes::I64(b)) => ordered(cmp, (a, b), flags, rows, (i128::from, i128::from)),
        other => unreachable!("a plan that compares {other:?}"),
    }
    settle(&[a, b], out, rows);
}

/// Whether an integer is within a window; never, where there is none.
pub(crate) fn within(a: &Register, window: Option<Window>, out: &mut Register, rows: usize) {
    let (flags, _) = out.bools_mut();
    match (&a.lanes, window) {
        (_, None) => flags[..rows].fill(false),
        (Lanes::I64(a), Some(window)) => zip((a, a), flags, rows, |a, _| window.has(a as u64)),
        (Lanes::U64(a), Some(window)) => zip((a, a), flags, rows, |a, _| window.has(a)),
        (other, _) => unreachable!("a plan that compares {other:?} with an integer"),
    }
    settle(&[a], out, rows);
}

fn settle(operands: &[&Register], out: &mut Register, rows: usize) {
    let (flags, status) = out.bools_mut();
    status.clear();
    for operand in operands {
        status.join(&operand.status);
    }
    if !status.is_marked() {
        return;
    }
    for (row, flag) in flags[..rows].iter_mut().enumerate() {
        let of_row = status.at(row);
        *flag &= of_row == VALUE;
        if of_row == ABSENT {
            status.mark(row, VALUE);
        }
    }
}
