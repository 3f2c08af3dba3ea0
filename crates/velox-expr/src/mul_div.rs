//! a × m / d with all 128 bits in between.

use crate::failure::{Failure, VALUE};
use crate::register::{Lanes, Register};

/// An integer as sign and size: u64 × u64 is beyond an i128.
#[derive(Clone, Copy)]
struct Signed {
    negative: bool,
    size: u64,
}

fn signed(lanes: &Lanes, row: usize) -> Signed {
    match lanes {
        Lanes::I64(values) => Signed { negative: values[row] < 0, size: values[row].unsigned_abs() },
        Lanes::U64(values) => Signed { negative: false, size: values[row] },
        other => unreachable!("a plan that reads integers from {other:?}"),
    }
}

/// Truncated toward zero, like every division here.
fn exact(a: Signed, m: Signed, d: Signed) -> Option<(bool, u128)> {
    let size = (u128::from(a.size) * u128::from(m.size)).checked_div(u128::from(d.size))?;
    Some((a.negative ^ m.negative ^ d.negative, size))
}

pub(crate) fn mul_div(a: &Register, m: &Register, d: &Register, out: &mut Register, rows: usize) {
    let Register { lanes, status, .. } = out;
    status.copy(&a.status);
    status.join(&m.status);
    status.join(&d.status);
    let mixed = [a, m, d].iter().any(|operand| matches!(operand.lanes, Lanes::U64(_)));
    for row in 0..rows {
        let quick = match (&a.lanes, &m.lanes, &d.lanes) {
            // Most products fit 64 bits, whose division is several times as fast.
            (Lanes::I64(a), Lanes::I64(m), Lanes::I64(d)) => {
                a[row].checked_mul(m[row]).and_then(|product| product.checked_div(d[row]))
            }
            _ => None,
        };
        if let (Some(value), Lanes::I64(out)) = (quick, &mut *lanes) {
            out[row] = value;
            continue;
        }
        let result = exact(signed(&a.lanes, row), signed(&m.lanes, row), signed(&d.lanes, row));
        let too_large = if mixed && matches!(lanes, Lanes::I64(_)) { Failure::OutOfRange } else { Failure::Overflow };
        let failure = match (result, &mut *lanes) {
            (None, _) => Some(Failure::DivisionByZero),
            (Some((negative, size)), Lanes::I64(out)) => {
                let value = i128::try_from(size).ok().map(|size| if negative { -size } else { size });
                let value = value.and_then(|value| i64::try_from(value).ok());
                out[row] = value.unwrap_or_default();
                value.is_none().then_some(too_large)
            }
            (Some((_, size)), Lanes::U64(out)) => {
                let value = u64::try_from(size).ok();
                out[row] = value.unwrap_or_default();
                value.is_none().then_some(too_large)
            }
            (_, other) => unreachable!("a plan that computes mulDiv into {other:?}"),
        };
        if let Some(failure) = failure
            && status.at(row) == VALUE
        {
            status.mark(row, failure.status());
        }
    }
}
