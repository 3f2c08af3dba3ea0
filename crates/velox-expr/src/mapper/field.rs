//! Which expressions fill which fields.

use super::output::{Fit, Output};
use crate::bounds::Bounds;
use crate::layout::{Layout, Place};
use crate::literal::Value;
use crate::operand::Operand;
use crate::planner::Planner;
use crate::types::{Shape, Type};
use crate::{Expr, ExprError, Holds, Kind};

/// The outputs in the order of the record's bytes, so that the first of a word clears the rest of it.
pub(super) fn outputs(
    planner: &mut Planner<'_>,
    into: &Layout,
    fields: &[(String, Expr)],
) -> Result<Box<[Output]>, ExprError> {
    let mut outputs: Vec<Output> = Vec::new();
    for (name, expr) in fields {
        let place = into.find(name)?;
        if outputs.iter().any(|output| output.name == *name) {
            return Err(ExprError::value(name.clone(), "each field once", "it twice"));
        }
        let Some(bits) = place.bits else {
            let got = format!("{}, which has none", into.record);
            return Err(ExprError::value(name.clone(), "a record whose layout has the field", got));
        };
        let (register, fit) = field(planner, place, expr).map_err(|error| error.in_field(name))?;
        let short = place.kind == Kind::F32;
        outputs.push(Output { name: name.clone(), register, bits, opens: false, short, fit });
    }
    let given = |name: &str| outputs.iter().any(|output| output.name == name);
    let missing: Vec<&str> = into.fields.iter().map(|place| &place.name[..]).filter(|name| !given(name)).collect();
    if !missing.is_empty() {
        let expected = format!("every field of {}", into.record);
        return Err(ExprError::value("map", expected, format!("none of {}", missing.join(", "))));
    }
    outputs.sort_by_key(|output| output.bits);
    let mut last = None;
    for output in &mut outputs {
        output.opens = last != Some(output.bits.word());
        last = Some(output.bits.word());
    }
    Ok(outputs.into())
}

fn field(planner: &mut Planner<'_>, place: &Place, expr: &Expr) -> Result<(usize, Option<Fit>), ExprError> {
    let wanted = place.kind.as_type();
    let shape = Shape { kind: wanted.clone(), scale: place.scale };
    let operand = planner.field("map", expr, shape)?;
    let got = operand.shape().kind;
    if !(wanted == got || wanted.is_integer() && got.is_integer()) {
        let expected = match wanted {
            Type::I64 | Type::U64 if got == Type::F64 => "integers, as f64 would have to be rounded".into(),
            Type::I64 | Type::U64 => "integers".into(),
            Type::F64 => "f64 (toF64() makes an integer one)".into(),
            Type::Bool | Type::Enum(_) => wanted.to_string(),
        };
        return Err(ExprError::mismatch("map", expected, got));
    }
    let fit = fit(planner, &place.kind, &operand)?;
    Ok((planner.register(operand)?, fit))
}

/// What must be seen to for each row; nothing, where every number that may come fits.
fn fit(planner: &Planner<'_>, kind: &Kind, operand: &Operand) -> Result<Option<Fit>, ExprError> {
    let (Some(range), Some(holds)) = (kind.range(), Holds::of(kind)) else { return Ok(None) };
    let got = operand.shape().kind;
    let (from, to) = match operand {
        Operand::Known(Value::Integer(value), _) if range.contains(value) => return Ok(None),
        Operand::Known(Value::Integer(value), _) => return Err(ExprError::value("map", holds, value)),
        Operand::Column(at, _) if got.is_integer() => match planner.columns.kind(*at).0.range() {
            Some(range) => range.into_inner(),
            None => (i64::MIN.into(), u64::MAX.into()),
        },
        _ if got == Type::U64 => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    };
    if range.contains(&from) && range.contains(&to) {
        return Ok(None);
    }
    let (lo, hi) = range.into_inner();
    let window = Bounds::within(lo, hi).window(&got);
    Ok(window.map(|window| Fit { window, holds }))
}
