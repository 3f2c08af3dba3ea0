//! Truth values. What is decided without a failed operand doesn't fail.

use crate::failure::{Status, VALUE};
use crate::register::{Lanes, Register};

/// Clears the flags of rows where an operand is false, in any order; `flags` come in as what the other operands said.
pub(crate) fn and(operands: &[usize], before: &[Register], out: &mut Register, rows: usize) {
    let (flags, status) = out.bools_mut();
    status.clear();
    if operands.iter().all(|&at| !before[at].status.is_marked()) {
        for &at in operands {
            for (flag, &other) in flags[..rows].iter_mut().zip(before[at].bools()) {
                *flag &= other;
            }
        }
        return;
    }
    for (row, flag) in flags[..rows].iter_mut().enumerate() {
        let of = |at: usize| (before[at].bools()[row], before[at].status.at(row));
        let decided = !*flag || operands.iter().any(|&at| of(at) == (false, VALUE));
        let worst = operands.iter().map(|&at| of(at).1).max().unwrap_or(VALUE);
        *flag = !decided && worst == VALUE;
        if !decided && worst != VALUE {
            status.mark(row, worst);
        }
    }
}

pub(crate) fn or(operands: &[usize], before: &[Register], out: &mut Register, rows: usize) {
    let (flags, status) = out.bools_mut();
    status.clear();
    flags[..rows].fill(false);
    for &at in operands {
        // A row without a value is false, so only true ones count here.
        for (flag, &other) in flags[..rows].iter_mut().zip(before[at].bools()) {
            *flag |= other;
        }
        status.join(&before[at].status);
    }
    if status.is_marked() {
        for (row, &flag) in flags[..rows].iter().enumerate() {
            if flag {
                status.mark(row, VALUE);
            }
        }
    }
}

pub(crate) fn not(a: &Register, out: &mut Register, rows: usize) {
    let (flags, status) = out.bools_mut();
    status.copy(&a.status);
    for (row, (flag, &other)) in flags[..rows].iter_mut().zip(a.bools()).enumerate() {
        *flag = !other & (status.at(row) == VALUE);
    }
}

/// a where c holds, else b; only the one selected counts.
pub(crate) fn when(c: &Register, (a, b): (&Register, &Register), out: &mut Register, rows: usize) {
    fn pick<V: Copy>(c: &[bool], (a, b): (&[V], &[V]), out: &mut [V]) {
        for (((out, &c), &a), &b) in out.iter_mut().zip(c).zip(a).zip(b) {
            *out = if c { a } else { b };
        }
    }
    let chosen = &c.bools()[..rows];
    let Register { lanes, status, .. } = out;
    match (&a.lanes, &b.lanes, lanes) {
        (Lanes::I64(a), Lanes::I64(b), Lanes::I64(out)) => pick(chosen, (&a[..], &b[..]), &mut out[..]),
        (Lanes::U64(a), Lanes::U64(b), Lanes::U64(out)) => pick(chosen, (&a[..], &b[..]), &mut out[..]),
        (Lanes::F64(a), Lanes::F64(b), Lanes::F64(out)) => pick(chosen, (&a[..], &b[..]), &mut out[..]),
        (Lanes::Bool(a), Lanes::Bool(b), Lanes::Bool(out)) => pick(chosen, (&a[..], &b[..]), &mut out[..]),
        other => unreachable!("a plan that selects from {other:?}"),
    }
    status.clear();
    if [c, a, b].iter().any(|operand| operand.status.is_marked()) {
        (0..rows).for_each(|row| selected(row, c, (a, b), status));
        if let Lanes::Bool(flags) = &mut out.lanes {
            flags.iter_mut().enumerate().take(rows).for_each(|(row, flag)| *flag &= out.status.at(row) == VALUE);
        }
    }
}

fn selected(row: usize, c: &Register, (a, b): (&Register, &Register), status: &mut Status) {
    let of = match c.status.at(row) {
        VALUE if c.bools()[row] => a.status.at(row),
        VALUE => b.status.at(row),
        unknown => unknown,
    };
    if of != VALUE {
        status.mark(row, of);
    }
}
