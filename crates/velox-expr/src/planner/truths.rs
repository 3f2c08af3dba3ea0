//! Comparisons, what joins them, and what chooses by them.

use super::numbers::number_of;
use super::{Planned, Planner};
use crate::compare::Cmp;
use crate::operand::{Operand, add_term};
use crate::step::Step;
use crate::types::{Shape, Type};
use crate::{Expr, ExprError};

impl Planner<'_> {
    pub(super) fn pair(&mut self, op: &'static str, cmp: Cmp, of: &[Expr; 2]) -> Planned {
        let [a, b] = self.settle(op, [&of[0], &of[1]], true)?;
        self.compare(op, cmp, a, b)
    }

    pub(super) fn compare(&mut self, op: &'static str, cmp: Cmp, a: Operand, b: Operand) -> Planned {
        let (left, right) = (a.shape().kind, b.shape().kind);
        match (&left, &right) {
            (Type::Bool, Type::Bool) | (Type::Enum(_), Type::Enum(_)) if left == right => {
                if !matches!(cmp, Cmp::Eq | Cmp::Ne) {
                    return Err(ExprError::mismatch(op, "numbers, as only they have an order", left));
                }
            }
            (Type::Bool | Type::Enum(_), _) => return Err(ExprError::mismatch(op, left, right)),
            _ => drop(number_of(op, &left, &right)?),
        }
        let (Some(term), of) = (match (a.term(cmp.flipped()), b.term(cmp)) {
            (_, Some(term)) => (Some(term), &a),
            (term, None) => (term, &b),
        }) else {
            let of = [self.register(a)?, self.register(b)?];
            return self.push(Step::Compare(cmp, of), Shape::plain(Type::Bool));
        };
        for operand in [&a, &b] {
            if let Operand::Param(index, _) = operand {
                self.rule(*index, None);
            }
        }
        match of {
            Operand::Column(column, _) if self.columns.has_gate(*column) => {
                Ok(Operand::All(vec![(*column, of.shape().kind, term)], Vec::new()))
            }
            _ => {
                let (of, kind) = (of.clone(), of.shape().kind);
                let at = self.register(of)?;
                self.push(Step::Within(at, term.against(kind)), Shape::plain(Type::Bool))
            }
        }
    }

    pub(super) fn any_of(&mut self, op: &'static str, of: &[Expr]) -> Planned {
        if of.len() < 2 {
            return Err(ExprError::value(op, "a value and at least one candidate", format!("{} operands", of.len())));
        }
        let mut operands = self.settle_all(op, of.iter(), true)?.into_iter();
        let Some(x) = operands.next() else { unreachable!("two operands or more") };
        let equal: Result<_, _> = operands.map(|other| self.compare(op, Cmp::Eq, x.clone(), other)).collect();
        self.or(equal?)
    }

    pub(super) fn truth(&mut self, op: &'static str, of: &Expr) -> Planned {
        let operand = self.plan(op, of)?;
        match operand.shape().kind {
            Type::Bool => Ok(operand),
            other => Err(ExprError::mismatch(op, "bool", other)),
        }
    }

    pub(super) fn truths(&mut self, op: &'static str, of: &[Expr]) -> Result<Vec<Operand>, ExprError> {
        if of.is_empty() {
            return Err(ExprError::value(op, "at least one operand", "none"));
        }
        of.iter().map(|expr| self.truth(op, expr)).collect()
    }

    pub(super) fn all(&mut self, operands: Vec<Operand>) -> Planned {
        let (mut terms, mut others) = (Vec::new(), Vec::new());
        for operand in operands {
            match operand {
                Operand::All(inner, rest) => {
                    for term in inner {
                        add_term(&mut terms, term);
                    }
                    others.extend(rest);
                }
                other => others.push(self.register(other)?),
            }
        }
        Ok(Operand::All(terms, others))
    }

    pub(super) fn or(&mut self, operands: Vec<Operand>) -> Planned {
        let of: Result<_, _> = operands.into_iter().map(|operand| self.register(operand)).collect();
        self.push(Step::Or(of?), Shape::plain(Type::Bool))
    }

    pub(super) fn when(&mut self, op: &'static str, of: &[Expr; 3], beside: Option<&Shape>) -> Planned {
        let c = self.truth(op, &of[0])?;
        let [a, b] = match beside {
            Some(_) => [self.operand(op, &of[1], beside)?, self.operand(op, &of[2], beside)?],
            None => self.settle(op, [&of[1], &of[2]], true)?,
        };
        let (left, right) = (a.shape(), b.shape());
        if left.kind != right.kind {
            return Err(ExprError::mismatch(op, format!("{} in both branches", left.kind), right.kind));
        }
        let shape = if left == right { left } else { Shape::plain(left.kind) };
        let of = [self.register(c)?, self.register(a)?, self.register(b)?];
        self.push(Step::When(of), shape)
    }
}
