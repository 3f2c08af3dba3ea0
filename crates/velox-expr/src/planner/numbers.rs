//! Arithmetic: what type and scale a result has.

use super::{Planned, Planner};
use crate::arith::{Arith, Unary};
use crate::operand::Operand;
use crate::step::Step;
use crate::types::{Shape, Type};
use crate::{Expr, ExprError, Scale};

impl Planner<'_> {
    pub(super) fn arith(&mut self, op: &'static str, arith: Arith, of: &[Expr; 2]) -> Planned {
        let scaled = !matches!(arith, Arith::Mul | Arith::Div);
        let [a, b] = self.settle(op, [&of[0], &of[1]], scaled)?;
        self.compute(op, arith, a, b)
    }

    pub(super) fn compute(&mut self, op: &'static str, arith: Arith, a: Operand, b: Operand) -> Planned {
        let (left, right) = (a.shape(), b.shape());
        let kind = number_of(op, &left.kind, &right.kind)?;
        let scale = match (arith, left.scale, right.scale) {
            (Arith::Mul | Arith::Div, scale, Scale::None) | (Arith::Mul, Scale::None, scale) => scale,
            (Arith::Mul | Arith::Div, ..) => Scale::None,
            (_, a, b) if a == b => a,
            _ => Scale::None,
        };
        let of = [self.register(a)?, self.register(b)?];
        self.push(Step::Arith(arith, of), Shape { kind, scale })
    }

    pub(super) fn mul_div(&mut self, op: &'static str, of: &[Expr; 3]) -> Planned {
        let [a, m, d] = self.settle(op, [&of[0], &of[1], &of[2]], false)?;
        let mut kind = Type::U64;
        for operand in [&a, &m, &d] {
            match operand.shape().kind {
                Type::U64 => {}
                Type::I64 => kind = Type::I64,
                other => return Err(ExprError::mismatch(op, "i64 or u64 (for f64 use mul and div)", other)),
            }
        }
        let scale = if m.shape().scale == d.shape().scale { a.shape().scale } else { Scale::None };
        let of = [self.register(a)?, self.register(m)?, self.register(d)?];
        self.push(Step::MulDiv(of), Shape { kind, scale })
    }

    pub(super) fn unary(&mut self, op: &'static str, unary: Unary, of: &Expr) -> Planned {
        let a = self.plan(op, of)?;
        let Shape { kind: from, scale } = a.shape();
        let kind = match (unary, from) {
            (Unary::ToF64, Type::F64) | (Unary::Abs, Type::U64) => return Ok(a),
            (Unary::ToF64, Type::I64 | Type::U64) => Type::F64,
            (Unary::Neg, Type::U64) => Type::I64,
            (_, from @ (Type::I64 | Type::F64)) => from,
            (_, other) => return Err(ExprError::mismatch(op, "a number", other)),
        };
        let at = self.register(a)?;
        self.push(Step::Unary(unary, at), Shape { scale: if kind == Type::F64 { Scale::None } else { scale }, kind })
    }
}

/// The type of two numbers together.
pub(super) fn number_of(op: &'static str, a: &Type, b: &Type) -> Result<Type, ExprError> {
    match (a, b) {
        (Type::U64, Type::U64) => Ok(Type::U64),
        (Type::F64, Type::F64) => Ok(Type::F64),
        (Type::I64 | Type::U64, Type::I64 | Type::U64) => Ok(Type::I64),
        (Type::I64 | Type::U64, Type::F64) | (Type::F64, Type::I64 | Type::U64) => {
            let expected = "integers only, or f64 only (toF64() makes an integer one)";
            Err(ExprError::mismatch(op, expected, format!("{a} and {b}")))
        }
        (Type::Bool | Type::Enum(_), other) | (other, Type::Bool | Type::Enum(_)) => {
            let got = if other == b { a } else { b };
            Err(ExprError::mismatch(op, "numbers", got))
        }
    }
}
