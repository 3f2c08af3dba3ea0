//! What a literal becomes where it meets a type.

use velox_record::Step;

use crate::types::{Shape, Type};
use crate::{Expr, ExprError, Scale};

/// Beyond it not every whole number is an f64.
const EXACT: i128 = 1 << 53;

/// The steps that decimal text counts in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scales {
    /// The step of prices.
    pub tick: Option<Step>,
    /// The step of quantities.
    pub lot: Option<Step>,
}

/// A known value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// An integer of the shape's type.
    Integer(i128),
    F64(f64),
    Bool(bool),
}

impl Value {
    /// As a register of this type holds it.
    pub(crate) fn bits(self) -> u64 {
        match self {
            Self::Integer(value) => value as u64,
            Self::F64(value) => value.to_bits(),
            Self::Bool(value) => value.into(),
        }
    }
}

fn text(expr: &Expr) -> String {
    match expr {
        Expr::I64 { value } => format!("the i64 {value}"),
        Expr::U64 { value } => format!("the u64 {value}"),
        Expr::F64 { value } => format!("the f64 {value}"),
        Expr::Bool { value } => format!("the bool {value}"),
        Expr::Decimal { value } => format!("the decimal text {value:?}"),
        Expr::Name { value } => format!("the name {value:?}"),
        other => other.op().into(),
    }
}

/// The value of a literal beside an operand of shape `beside`, or on its own; `op` is for the message.
pub(crate) fn resolve(
    op: &'static str,
    expr: &Expr,
    beside: Option<&Shape>,
    scales: &Scales,
) -> Result<(Value, Shape), ExprError> {
    let kind = beside.map(|shape| &shape.kind);
    let mismatch = |expected: &dyn ToString| Err(ExprError::mismatch(op, expected.to_string(), text(expr)));
    match (expr, kind) {
        (Expr::I64 { value }, None | Some(Type::I64)) => Ok(integer(i128::from(*value), Type::I64, beside)),
        (Expr::I64 { value }, Some(Type::U64)) => Ok(integer(i128::from(*value), Type::U64, beside)),
        (Expr::U64 { value }, None | Some(Type::U64)) => Ok(integer(i128::from(*value), Type::U64, beside)),
        (Expr::U64 { value }, Some(Type::I64)) => Ok(integer(i128::from(*value), Type::I64, beside)),
        (Expr::I64 { value }, Some(Type::F64)) => float(op, i128::from(*value), expr),
        (Expr::U64 { value }, Some(Type::F64)) => float(op, i128::from(*value), expr),
        (Expr::F64 { value }, None | Some(Type::F64)) => Ok((Value::F64(*value), Shape::plain(Type::F64))),
        (Expr::F64 { value }, Some(kind @ (Type::I64 | Type::U64))) => match whole(*value) {
            Some(value) => Ok(integer(value, kind.clone(), beside)),
            None => Err(ExprError::mismatch(
                op,
                format!("{kind}, which stays exact"),
                format!("{}; {}", text(expr), instead(op, *value, beside)),
            )),
        },
        (Expr::Bool { value }, None | Some(Type::Bool)) => Ok((Value::Bool(*value), Shape::plain(Type::Bool))),
        (Expr::Decimal { value }, Some(Type::I64 | Type::U64)) => decimal(op, value, beside, scales),
        (Expr::Decimal { .. }, None | Some(Type::F64)) => mismatch(&"a price or a quantity beside decimal text"),
        (Expr::Name { value }, Some(Type::Enum(names))) => match names.iter().position(|name| name == value) {
            Some(index) => Ok((Value::Integer(index as i128), Shape::plain(Type::Enum(names.clone())))),
            None => Err(ExprError::value(op, Type::Enum(names.clone()), text(expr))),
        },
        (Expr::Name { .. }, None) => mismatch(&"an enumeration beside a name"),
        (_, Some(kind)) => mismatch(&kind),
        (_, None) => mismatch(&"a literal"),
    }
}

/// What a fraction beside integers was most likely meant as.
fn instead(op: &str, value: f64, beside: Option<&Shape>) -> String {
    let is_decimal = beside.is_some_and(|shape| shape.scale != Scale::None) && !matches!(op, "mul" | "div");
    if is_decimal {
        format!("write a price or a quantity in decimals as text, '{value}'; toF64() leaves integers")
    } else {
        "use mulDiv(101, 100) for a share such as 1.01, or toF64() to leave integers".into()
    }
}

/// Takes the type that it is beside if it fits; else the other integer type, as mixed integers are fine.
fn integer(value: i128, wish: Type, beside: Option<&Shape>) -> (Value, Shape) {
    let fits = if wish == Type::U64 { u64::try_from(value).is_ok() } else { i64::try_from(value).is_ok() };
    let kind = match (fits, wish) {
        (true, kind) => kind,
        (false, Type::U64) => Type::I64,
        (false, _) => Type::U64,
    };
    (Value::Integer(value), Shape { kind, scale: beside.map_or(Scale::None, |shape| shape.scale) })
}

fn float(op: &'static str, value: i128, expr: &Expr) -> Result<(Value, Shape), ExprError> {
    if value.abs() > EXACT {
        return Err(ExprError::value(op, "a whole number that is an f64, at most 2^53", text(expr)));
    }
    Ok((Value::F64(value as f64), Shape::plain(Type::F64)))
}

/// The integer that this is, if it is one of 64 bits.
pub(crate) fn whole(value: f64) -> Option<i128> {
    let within =
        value.fract().abs() <= 0.0 && (-9_223_372_036_854_775_808.0..18_446_744_073_709_551_616.0).contains(&value);
    within.then_some(value as i128)
}

fn decimal(
    op: &'static str,
    value: &str,
    beside: Option<&Shape>,
    scales: &Scales,
) -> Result<(Value, Shape), ExprError> {
    let scale = beside.map_or(Scale::None, |shape| shape.scale);
    let (step, name) = match scale {
        Scale::None => {
            let expected = "a price or a quantity beside decimal text (a share of one is mulDiv)";
            return Err(ExprError::mismatch(op, expected, format!("the decimal text {value:?}")));
        }
        Scale::Price => (scales.tick, "tick"),
        Scale::Qty => (scales.lot, "lot"),
    };
    let got = || format!("the decimal text {value:?}");
    let Some(step) = step else {
        return Err(ExprError::value(op, format!("an instrument whose {name} gives decimal text its scale"), got()));
    };
    let count = step.count(value.as_bytes()).map_err(|error| {
        // The step's own message names what it expected and got.
        let message = error.to_string();
        let expected = message.strip_prefix("expected ").and_then(|rest| rest.split(", got ").next());
        ExprError::value(op, expected.unwrap_or(&message), got())
    })?;
    let kind = beside.map_or(Type::I64, |shape| shape.kind.clone());
    Ok(integer(count.into(), kind, beside))
}
