//! From a tree to steps: types are checked, literals take the types they meet, equal parts become one step.

mod numbers;
mod truths;

use crate::arith::{Arith, Unary};
use crate::columns::Fields;
use crate::compare::Cmp;
use crate::history::{History, Keys, MAX_KEYS};
use crate::literal;
use crate::operand::{ColumnTerm, Open, Operand};
use crate::param_rule::ParamRule;
use crate::register::Register;
use crate::step::Step;
use crate::types::{Shape, Type};
use crate::{BATCH, Expr, ExprError, Given, Inputs, Scale};

/// A tree deeper than this is refused, as the planner calls itself for each level.
const MAX_DEPTH: usize = 128;
/// The most steps of one plan.
const MAX_STEPS: usize = 4_096;

pub(crate) struct Planner<'a> {
    pub(crate) columns: &'a dyn Fields,
    pub(crate) inputs: &'a Inputs<'a>,
    depth: usize,
    pub(crate) steps: Vec<Step>,
    pub(crate) registers: Vec<Register>,
    /// What each param must be.
    pub(crate) rules: Vec<ParamRule>,
}

type Planned = Result<Operand, ExprError>;

impl<'a> Planner<'a> {
    pub(crate) fn new(columns: &'a dyn Fields, inputs: &'a Inputs<'a>) -> Self {
        Self {
            columns,
            inputs,
            depth: 0,
            steps: Vec::new(),
            registers: Vec::new(),
            rules: vec![ParamRule::default(); inputs.params.len()],
        }
    }

    /// Plans an expression that nothing stands beside.
    pub(crate) fn plan(&mut self, op: &'static str, expr: &Expr) -> Planned {
        let natural = Open::of(expr).and_then(|open| open.0).map(Shape::plain);
        self.operand(op, expr, natural.as_ref())
    }

    /// Plans an expression that fills a field: a literal takes the field's type.
    pub(crate) fn field(&mut self, op: &'static str, expr: &Expr, field: Shape) -> Planned {
        let beside = Open::of(expr).map(|_| field);
        self.operand(op, expr, beside.as_ref())
    }

    fn operand(&mut self, op: &'static str, expr: &Expr, beside: Option<&Shape>) -> Planned {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ExprError::value(op, format!("a tree of at most {MAX_DEPTH} levels"), "a deeper one"));
        }
        let operand = self.node(op, expr, beside);
        self.depth -= 1;
        operand
    }

    fn node(&mut self, outer: &'static str, expr: &Expr, beside: Option<&Shape>) -> Planned {
        let op = expr.op();
        match expr {
            Expr::Column { name } => self.column(name),
            Expr::I64 { .. }
            | Expr::U64 { .. }
            | Expr::F64 { .. }
            | Expr::Decimal { .. }
            | Expr::Name { .. }
            | Expr::Bool { .. } => {
                let (value, shape) = literal::resolve(outer, expr, beside, &self.inputs.scales)?;
                Ok(Operand::Known(value, shape))
            }
            Expr::Param { index } => self.param(outer, *index, beside),
            Expr::Given { index } => self.given(outer, *index),
            Expr::Add { of } => self.arith(op, Arith::Add, of),
            Expr::Sub { of } => self.arith(op, Arith::Sub, of),
            Expr::Mul { of } => self.arith(op, Arith::Mul, of),
            Expr::Div { of } => self.arith(op, Arith::Div, of),
            Expr::Min { of } => self.arith(op, Arith::Min, of),
            Expr::Max { of } => self.arith(op, Arith::Max, of),
            Expr::Clamp { of } => {
                let [x, lo, hi] = self.settle(op, [&of[0], &of[1], &of[2]], true)?;
                let least = self.compute(op, Arith::Max, x, lo)?;
                self.compute(op, Arith::Min, least, hi)
            }
            Expr::MulDiv { of } => self.mul_div(op, of),
            Expr::Neg { of } => self.unary(op, Unary::Neg, &of[0]),
            Expr::Abs { of } => self.unary(op, Unary::Abs, &of[0]),
            Expr::ToF64 { of } => self.unary(op, Unary::ToF64, &of[0]),
            Expr::Eq { of } => self.pair(op, Cmp::Eq, of),
            Expr::Ne { of } => self.pair(op, Cmp::Ne, of),
            Expr::Lt { of } => self.pair(op, Cmp::Lt, of),
            Expr::Le { of } => self.pair(op, Cmp::Le, of),
            Expr::Gt { of } => self.pair(op, Cmp::Gt, of),
            Expr::Ge { of } => self.pair(op, Cmp::Ge, of),
            Expr::Between { of } => {
                let [x, lo, hi] = self.settle(op, [&of[0], &of[1], &of[2]], true)?;
                let above = self.compare(op, Cmp::Ge, x.clone(), lo)?;
                let below = self.compare(op, Cmp::Le, x, hi)?;
                self.all(vec![above, below])
            }
            Expr::In { of } => self.any_of(op, of),
            Expr::And { of } => {
                let operands = self.truths(op, of)?;
                self.all(operands)
            }
            Expr::Or { of } => {
                let operands = self.truths(op, of)?;
                self.or(operands)
            }
            Expr::Not { of } => {
                let a = self.truth(op, &of[0])?;
                let at = self.register(a)?;
                self.push(Step::Not(at), Shape::plain(Type::Bool))
            }
            Expr::When { of } => self.when(op, of, beside),
            Expr::Prev { of } => {
                let x = self.plan(op, &of[0])?;
                let shape = x.shape();
                let at = self.register(x)?;
                self.push(Step::Prev(at), shape)
            }
            Expr::Over { of, max_keys } => self.over(op, of, *max_keys),
        }
    }

    fn column(&self, name: &str) -> Planned {
        let at = self.columns.find(name)?;
        let (kind, scale) = self.columns.kind(at);
        Ok(Operand::Column(at, Shape { kind: kind.as_type(), scale }))
    }

    fn given(&self, op: &'static str, index: usize) -> Planned {
        let shape = match self.inputs.givens.get(index) {
            Some(Given::I64(scale)) => Shape { kind: Type::I64, scale: *scale },
            Some(Given::F64) => Shape::plain(Type::F64),
            None => {
                let expected = format!("a given value below {}, as many as are declared", self.inputs.givens.len());
                return Err(ExprError::value(op, expected, format!("given value {index}")));
            }
        };
        Ok(Operand::Given(index, shape))
    }

    fn param(&self, op: &'static str, index: usize, beside: Option<&Shape>) -> Planned {
        if index >= self.inputs.params.len() {
            let expected = format!("a param below {}, as many as are given", self.inputs.params.len());
            return Err(ExprError::value(op, expected, format!("param {index}")));
        }
        let shape = beside.cloned().unwrap_or(Shape::plain(Type::F64));
        if !shape.kind.is_number() {
            return Err(ExprError::mismatch(op, shape.kind, format!("param {index}, a number")));
        }
        Ok(Operand::Param(index, shape))
    }

    /// Plans operands that stand beside each other: first those that have a type, then the literals that take it.
    /// `scaled`: whether decimal text among them counts in the scale of the others.
    fn settle<const N: usize>(
        &mut self,
        op: &'static str,
        of: [&Expr; N],
        scaled: bool,
    ) -> Result<[Operand; N], ExprError> {
        let operands = self.settle_all(op, of.into_iter(), scaled)?;
        Ok(operands.try_into().unwrap_or_else(|_| unreachable!("as many operands as expressions")))
    }

    fn settle_all<'e>(
        &mut self,
        op: &'static str,
        of: impl Iterator<Item = &'e Expr> + Clone,
        scaled: bool,
    ) -> Result<Vec<Operand>, ExprError> {
        let mut settled = Vec::new();
        for expr in of.clone() {
            settled.push(if Open::of(expr).is_some() { None } else { Some(self.operand(op, expr, None)?) });
        }
        let shapes = || settled.iter().flatten().map(Operand::shape);
        let typed = shapes().find(|shape| shape.scale != Scale::None).or_else(|| shapes().next());
        let mut beside = match typed {
            Some(shape) => Some(shape),
            None => of.clone().filter_map(Open::of).reduce(Open::beside).and_then(|open| open.0).map(Shape::plain),
        };
        if let (Some(shape), false) = (&mut beside, scaled) {
            shape.scale = Scale::None;
        }
        of.zip(settled)
            .map(|(expr, settled)| settled.map_or_else(|| self.operand(op, expr, beside.as_ref()), Ok))
            .collect()
    }

    fn over(&mut self, op: &'static str, of: &[Expr; 2], max_keys: usize) -> Planned {
        if !(1..=MAX_KEYS).contains(&max_keys) {
            return Err(ExprError::value(op, format!("maxKeys of 1 to {MAX_KEYS}"), max_keys));
        }
        let (x, key) = (self.plan(op, &of[0])?, self.plan(op, &of[1])?);
        if key.shape().kind == Type::F64 {
            return Err(ExprError::mismatch(op, "a key of integers, names or truth values", Type::F64));
        }
        let shape = x.shape();
        let of = [self.register(x)?, self.register(key)?];
        self.push(Step::Over(of, max_keys), shape)
    }

    /// The register of an operand, filled by a new step where it has none.
    pub(crate) fn register(&mut self, operand: Operand) -> Result<usize, ExprError> {
        let shape = operand.shape();
        let step = match operand {
            Operand::Register(at, _) => return Ok(at),
            Operand::Column(column, _) => Step::Load(column),
            Operand::Known(value, _) => Step::Fixed(value.bits()),
            Operand::Param(index, Shape { ref kind, .. }) => {
                if kind.is_integer() {
                    self.rule(index, Some(kind));
                }
                Step::Param(index, kind.clone())
            }
            Operand::Given(index, _) => Step::Given(index),
            Operand::All(terms, others) => {
                let gate = |(column, kind, term): ColumnTerm| (column, term.against(kind));
                Step::All(terms.into_iter().map(gate).collect(), others.into())
            }
        };
        self.place(step, &shape.kind)
    }

    /// A param that meets integers: of this type, or of any where it is only compared.
    pub(crate) fn rule(&mut self, param: usize, kind: Option<&Type>) {
        self.rules[param] = self.rules[param].and(ParamRule::integer(kind));
    }

    fn push(&mut self, step: Step, shape: Shape) -> Planned {
        Ok(Operand::Register(self.place(step, &shape.kind)?, shape))
    }

    fn place(&mut self, step: Step, kind: &Type) -> Result<usize, ExprError> {
        let fixed = matches!(step, Step::Fixed(_));
        // Equal bits of two types are two values; every other step has one type.
        if let (Some(known), false) = (self.steps.iter().position(|known| *known == step), fixed) {
            return Ok(known);
        }
        if self.steps.len() == MAX_STEPS {
            return Err(ExprError::value("plan", format!("at most {MAX_STEPS} steps"), "more"));
        }
        let mut register = Register::of(kind);
        match &step {
            Step::Fixed(bits) => register.lanes.fill_bits(0..BATCH, *bits),
            Step::Given(_) => register.history = History::Given(None, 0),
            Step::Prev(_) => register.history = History::Last(None),
            Step::Over(_, max_keys) => register.history = History::Keys(Keys::new(*max_keys)),
            _ => {}
        }
        self.steps.push(step);
        self.registers.push(register);
        Ok(self.steps.len() - 1)
    }
}
