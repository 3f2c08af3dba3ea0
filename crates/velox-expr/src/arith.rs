//! Arithmetic: a loop without branches, and only when some row failed a second one that says which.

use crate::BATCH;
use crate::failure::{Failure, Status, VALUE};
use crate::register::{Lanes, Register};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unary {
    Neg,
    Abs,
    ToF64,
}

/// The value, and whether the row fails; the value of a failed row means nothing.
type Checked<V> = (V, bool);

fn each<A: Copy, B: Copy, V>(
    (a, b): (&[A; BATCH], &[B; BATCH]),
    out: &mut [V; BATCH],
    status: &mut Status,
    rows: usize,
    (f, why): (impl Fn(A, B) -> Checked<V>, impl Fn(A, B) -> Failure),
) {
    let mut failed = false;
    for ((out, &a), &b) in out[..rows].iter_mut().zip(&a[..rows]).zip(&b[..rows]) {
        let (value, fails) = f(a, b);
        *out = value;
        failed |= fails;
    }
    if failed {
        for row in 0..rows {
            if status.at(row) == VALUE && f(a[row], b[row]).1 {
                status.mark(row, why(a[row], b[row]).status());
            }
        }
    }
}

fn i64_division(a: i64, b: i64) -> Checked<i64> {
    a.checked_div(b).map_or((0, true), |value| (value, false))
}

fn u64_division(a: u64, b: u64) -> Checked<u64> {
    a.checked_div(b).map_or((0, true), |value| (value, false))
}

fn fit(value: Option<i128>) -> Checked<i64> {
    value.and_then(|value| i64::try_from(value).ok()).map_or((0, true), |value| (value, false))
}

/// i64 with u64 fits 128 bits in every case: |a × b| is at most 2^63 × (2^64 - 1).
fn wide(op: Arith, a: i128, b: i128) -> Checked<i64> {
    fit(match op {
        Arith::Add => Some(a + b),
        Arith::Sub => Some(a - b),
        Arith::Mul => Some(a * b),
        Arith::Div => a.checked_div(b),
        Arith::Min => Some(a.min(b)),
        Arith::Max => Some(a.max(b)),
    })
}

/// a op b; of mixed integers an i64.
pub(crate) fn binary(op: Arith, a: &Register, b: &Register, out: &mut Register, rows: usize) {
    let Register { lanes, status, .. } = out;
    status.copy(&a.status);
    status.join(&b.status);
    match (&a.lanes, &b.lanes, lanes) {
        (Lanes::I64(a), Lanes::I64(b), Lanes::I64(out)) => i64s(op, (a, b), out, status, rows),
        (Lanes::U64(a), Lanes::U64(b), Lanes::U64(out)) => u64s(op, (a, b), out, status, rows),
        (Lanes::F64(a), Lanes::F64(b), Lanes::F64(out)) => f64s(op, (a, b), out, rows),
        (Lanes::I64(a), Lanes::U64(b), Lanes::I64(out)) => {
            let why = |_, b| mixed_failure(op, b == 0);
            each((a, b), out, status, rows, (|a: i64, b: u64| wide(op, a.into(), b.into()), why));
        }
        (Lanes::U64(a), Lanes::I64(b), Lanes::I64(out)) => {
            let why = |_, b| mixed_failure(op, b == 0);
            each((a, b), out, status, rows, (|a: u64, b: i64| wide(op, a.into(), b.into()), why));
        }
        other => unreachable!("a plan that computes {op:?} of {other:?}"),
    }
}

fn mixed_failure(op: Arith, by_zero: bool) -> Failure {
    if op == Arith::Div && by_zero { Failure::DivisionByZero } else { Failure::OutOfRange }
}

fn i64s(op: Arith, from: (&[i64; BATCH], &[i64; BATCH]), out: &mut [i64; BATCH], status: &mut Status, rows: usize) {
    let overflow = |_, _| Failure::Overflow;
    match op {
        // Written with signs rather than `overflowing_add`: this form vectorises.
        Arith::Add => {
            let add = |a: i64, b: i64| {
                let sum = a.wrapping_add(b);
                (sum, (a ^ sum) & (b ^ sum) < 0)
            };
            each(from, out, status, rows, (add, overflow));
        }
        Arith::Sub => {
            let sub = |a: i64, b: i64| {
                let rest = a.wrapping_sub(b);
                (rest, (a ^ b) & (a ^ rest) < 0)
            };
            each(from, out, status, rows, (sub, overflow));
        }
        Arith::Mul => each(from, out, status, rows, (i64::overflowing_mul, overflow)),
        Arith::Div => {
            let why = |_, b| if b == 0 { Failure::DivisionByZero } else { Failure::Overflow };
            each(from, out, status, rows, (i64_division, why));
        }
        Arith::Min => each(from, out, status, rows, (|a: i64, b: i64| (a.min(b), false), overflow)),
        Arith::Max => each(from, out, status, rows, (|a: i64, b: i64| (a.max(b), false), overflow)),
    }
}

fn u64s(op: Arith, from: (&[u64; BATCH], &[u64; BATCH]), out: &mut [u64; BATCH], status: &mut Status, rows: usize) {
    let overflow = |_, _| Failure::Overflow;
    match op {
        Arith::Add => each(from, out, status, rows, (u64::overflowing_add, overflow)),
        Arith::Sub => each(from, out, status, rows, (u64::overflowing_sub, overflow)),
        Arith::Mul => each(from, out, status, rows, (u64::overflowing_mul, overflow)),
        Arith::Div => each(from, out, status, rows, (u64_division, |_, _| Failure::DivisionByZero)),
        Arith::Min => each(from, out, status, rows, (|a: u64, b: u64| (a.min(b), false), overflow)),
        Arith::Max => each(from, out, status, rows, (|a: u64, b: u64| (a.max(b), false), overflow)),
    }
}

fn f64s(op: Arith, from: (&[f64; BATCH], &[f64; BATCH]), out: &mut [f64; BATCH], rows: usize) {
    fn all((a, b): (&[f64; BATCH], &[f64; BATCH]), out: &mut [f64; BATCH], rows: usize, f: impl Fn(f64, f64) -> f64) {
        for ((out, &a), &b) in out[..rows].iter_mut().zip(&a[..rows]).zip(&b[..rows]) {
            *out = f(a, b);
        }
    }
    // `f64::min` passes over NaN; here it stays.
    let pick = |a: f64, b: f64, second: bool| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else if second {
            b
        } else {
            a
        }
    };
    match op {
        Arith::Add => all(from, out, rows, |a, b| a + b),
        Arith::Sub => all(from, out, rows, |a, b| a - b),
        Arith::Mul => all(from, out, rows, |a, b| a * b),
        Arith::Div => all(from, out, rows, |a, b| a / b),
        Arith::Min => all(from, out, rows, |a, b| pick(a, b, b < a)),
        Arith::Max => all(from, out, rows, |a, b| pick(a, b, b > a)),
    }
}

/// -a, |a| or the nearest f64.
pub(crate) fn unary(op: Unary, a: &Register, out: &mut Register, rows: usize) {
    let Register { lanes, status, .. } = out;
    status.copy(&a.status);
    match (op, &a.lanes, lanes) {
        (Unary::Neg, Lanes::I64(a), Lanes::I64(out)) => {
            let neg = |a: i64, _| (a.wrapping_neg(), a == i64::MIN);
            each((a, a), out, status, rows, (neg, |_, _| Failure::Overflow));
        }
        (Unary::Neg, Lanes::U64(a), Lanes::I64(out)) => {
            let neg = |a: u64, _| ((a as i64).wrapping_neg(), a > i64::MIN.unsigned_abs());
            each((a, a), out, status, rows, (neg, |_, _| Failure::OutOfRange));
        }
        (Unary::Abs, Lanes::I64(a), Lanes::I64(out)) => {
            let abs = |a: i64, _| (a.wrapping_abs(), a == i64::MIN);
            each((a, a), out, status, rows, (abs, |_, _| Failure::Overflow));
        }
        (Unary::Neg, Lanes::F64(a), Lanes::F64(out)) => map(a, out, rows, |a| -a),
        (Unary::Abs, Lanes::F64(a), Lanes::F64(out)) => map(a, out, rows, f64::abs),
        (Unary::ToF64, Lanes::I64(a), Lanes::F64(out)) => map(a, out, rows, |a| a as f64),
        (Unary::ToF64, Lanes::U64(a), Lanes::F64(out)) => map(a, out, rows, |a| a as f64),
        other => unreachable!("a plan that computes {other:?}"),
    }
}

fn map<A: Copy, V>(a: &[A; BATCH], out: &mut [V; BATCH], rows: usize, f: impl Fn(A) -> V) {
    for (out, &a) in out[..rows].iter_mut().zip(&a[..rows]) {
        *out = f(a);
    }
}
