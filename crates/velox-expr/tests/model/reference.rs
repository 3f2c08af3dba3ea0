//! The rules once more, as directly as they can be written: row by row, node by node, without types or plans.

use std::cmp::Ordering;

use velox_expr::{Expr, Failure};

use crate::common::{NAMES, Row};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    I(i64),
    U(u64),
    F(f64),
    B(bool),
}

use Value::{B, F, I, U};

/// A value, none, or a failure.
pub type Cell = Result<Option<Value>, Failure>;

/// What one `prev` or `over` remembers: the keys it has met, each with its last value.
type Memory = Vec<(Value, Option<Value>)>;

pub struct Model<'a> {
    params: &'a [f64],
    pub givens: [Option<Value>; 2],
    /// By the place of the node in the tree, in the order in which they are met.
    memories: Vec<Memory>,
    met: usize,
}

/// All values, unless one operand failed (the greatest failure stands) or has none.
fn all<const N: usize>(cells: [Cell; N]) -> Result<Option<[Value; N]>, Failure> {
    if let Some(failure) = cells.iter().filter_map(|cell| cell.err()).max() {
        return Err(failure);
    }
    let values: Vec<Value> = cells.into_iter().filter_map(|cell| cell.ok().flatten()).collect();
    Ok(values.try_into().ok())
}

fn wide(value: Value) -> i128 {
    match value {
        I(value) => value.into(),
        U(value) => value.into(),
        F(value) => value as i128,
        B(value) => value.into(),
    }
}

/// A param beside an integer is one.
fn alike(a: Value, b: Value) -> (Value, Value) {
    match (a, b) {
        (F(a), I(_)) => (I(a as i64), b),
        (F(a), U(_)) => (U(a as u64), b),
        (I(_), F(b)) => (a, I(b as i64)),
        (U(_), F(b)) => (a, U(b as u64)),
        same => same,
    }
}

/// An exact result as the type of its operands, or why it is none.
fn integer(unsigned: bool, mixed: bool, exact: Option<i128>) -> Result<Value, Failure> {
    let exact = exact.ok_or(if mixed { Failure::OutOfRange } else { Failure::Overflow })?;
    let value = if unsigned { u64::try_from(exact).ok().map(U) } else { i64::try_from(exact).ok().map(I) };
    value.ok_or(if mixed { Failure::OutOfRange } else { Failure::Overflow })
}

fn arith(op: &str, a: Value, b: Value) -> Result<Value, Failure> {
    let (a, b) = alike(a, b);
    if let (F(a), F(b)) = (a, b) {
        let nan = a.is_nan() || b.is_nan();
        return Ok(F(match op {
            "add" => a + b,
            "sub" => a - b,
            "mul" => a * b,
            "div" => a / b,
            _ if nan => f64::NAN,
            "min" => {
                if b < a {
                    b
                } else {
                    a
                }
            }
            _ => {
                if b > a {
                    b
                } else {
                    a
                }
            }
        }));
    }
    let unsigned = matches!((a, b), (U(_), U(_)));
    let mixed = matches!((a, b), (U(_), I(_)) | (I(_), U(_)));
    let (a, b) = (wide(a), wide(b));
    let exact = match op {
        "add" => Some(a + b),
        "sub" => Some(a - b),
        "mul" => a.checked_mul(b),
        "div" if b == 0 => return Err(Failure::DivisionByZero),
        "div" => Some(a / b),
        "min" => Some(a.min(b)),
        _ => Some(a.max(b)),
    };
    integer(unsigned, mixed, exact)
}

fn mul_div([a, m, d]: [Value; 3]) -> Result<Value, Failure> {
    let unsigned = [a, m, d].iter().all(|value| matches!(value, U(_)));
    let mixed = !unsigned && [a, m, d].iter().any(|value| matches!(value, U(_)));
    let (a, m, d) = (wide(a), wide(m), wide(d));
    if d == 0 {
        return Err(Failure::DivisionByZero);
    }
    let size = a.unsigned_abs() * m.unsigned_abs() / d.unsigned_abs();
    let exact = i128::try_from(size).ok().map(|size| size * a.signum() * m.signum() * d.signum());
    integer(unsigned, mixed, exact)
}

fn compare(op: &str, a: Value, b: Value) -> bool {
    let order = match alike(a, b) {
        (F(a), F(b)) => a.partial_cmp(&b),
        (a, b) => Some(wide(a).cmp(&wide(b))),
    };
    match op {
        "eq" => order.is_some_and(Ordering::is_eq),
        "ne" => order.is_none_or(Ordering::is_ne),
        "lt" => order.is_some_and(Ordering::is_lt),
        "le" => order.is_some_and(Ordering::is_le),
        "gt" => order.is_some_and(Ordering::is_gt),
        _ => order.is_some_and(Ordering::is_ge),
    }
}

fn told(op: &str, a: Cell, b: Cell) -> Cell {
    Ok(Some(B(all([a, b])?.is_some_and(|[a, b]| compare(op, a, b)))))
}

/// `decided`: the value that settles an `and` (false) or an `or` (true) on its own.
fn joined(cells: &[Cell], decided: bool) -> Cell {
    if cells.contains(&Ok(Some(B(decided)))) {
        return Ok(Some(B(decided)));
    }
    if let Some(failure) = cells.iter().filter_map(|cell| cell.err()).max() {
        return Err(failure);
    }
    Ok(if cells.contains(&Ok(None)) { None } else { Some(B(!decided)) })
}

impl<'a> Model<'a> {
    pub fn new(params: &'a [f64]) -> Self {
        Self { params, givens: [None; 2], memories: Vec::new(), met: 0 }
    }

    /// What the expression is on the next row.
    pub fn row(&mut self, expr: &Expr, row: &Row) -> Cell {
        self.met = 0;
        self.cell(expr, row)
    }

    fn cells(&mut self, of: &[Expr], row: &Row) -> Vec<Cell> {
        of.iter().map(|expr| self.cell(expr, row)).collect()
    }

    fn cell(&mut self, expr: &Expr, row: &Row) -> Cell {
        match expr {
            Expr::Column { name } => Ok(Some(match &name[..] {
                "a" => I(row.a),
                "b" => I(row.b),
                "u" => U(row.u),
                "v" => U(row.v),
                "x" => F(row.x),
                "y" => F(row.y),
                "t" => B(row.t),
                _ => I(row.s.into()),
            })),
            Expr::I64 { value } => Ok(Some(I(*value))),
            Expr::U64 { value } => Ok(Some(U(*value))),
            Expr::F64 { value } => Ok(Some(F(*value))),
            Expr::Bool { value } => Ok(Some(B(*value))),
            Expr::Name { value } => Ok(NAMES.iter().position(|name| name == value).map(|at| I(at as i64))),
            Expr::Decimal { .. } => Ok(None),
            Expr::Param { index } => Ok(Some(F(self.params[*index]))),
            Expr::Given { index } => Ok(self.givens[*index]),
            Expr::Add { of }
            | Expr::Sub { of }
            | Expr::Mul { of }
            | Expr::Div { of }
            | Expr::Min { of }
            | Expr::Max { of } => {
                let cells = [self.cell(&of[0], row), self.cell(&of[1], row)];
                all(cells)?.map(|[a, b]| arith(expr.op(), a, b)).transpose()
            }
            Expr::Clamp { of } => {
                let cells = [self.cell(&of[0], row), self.cell(&of[1], row), self.cell(&of[2], row)];
                let clamp = |[x, lo, hi]: [Value; 3]| arith("min", arith("max", x, lo)?, hi);
                all(cells)?.map(clamp).transpose()
            }
            Expr::MulDiv { of } => {
                let cells = [self.cell(&of[0], row), self.cell(&of[1], row), self.cell(&of[2], row)];
                all(cells)?.map(mul_div).transpose()
            }
            Expr::Neg { of } => self.one(&of[0], row, |a| match a {
                F(a) => Ok(F(-a)),
                U(a) => integer(false, true, Some(-i128::from(a))),
                a => integer(false, false, Some(-wide(a))),
            }),
            Expr::Abs { of } => self.one(&of[0], row, |a| match a {
                F(a) => Ok(F(a.abs())),
                a => integer(matches!(a, U(_)), false, Some(wide(a).abs())),
            }),
            Expr::ToF64 { of } => self.one(&of[0], row, |a| match a {
                F(a) => Ok(F(a)),
                I(a) => Ok(F(a as f64)),
                a => Ok(F(wide(a) as f64)),
            }),
            Expr::Eq { of }
            | Expr::Ne { of }
            | Expr::Lt { of }
            | Expr::Le { of }
            | Expr::Gt { of }
            | Expr::Ge { of } => told(expr.op(), self.cell(&of[0], row), self.cell(&of[1], row)),
            Expr::Between { of } => {
                let [x, lo, hi] = [self.cell(&of[0], row), self.cell(&of[1], row), self.cell(&of[2], row)];
                joined(&[told("ge", x, lo), told("le", x, hi)], false)
            }
            Expr::In { of } => {
                let cells = self.cells(of, row);
                let equal: Vec<Cell> = cells[1..].iter().map(|&cell| told("eq", cells[0], cell)).collect();
                joined(&equal, true)
            }
            Expr::And { of } => joined(&self.cells(of, row), false),
            Expr::Or { of } => joined(&self.cells(of, row), true),
            Expr::Not { of } => self.one(&of[0], row, |a| Ok(B(a == B(false)))),
            Expr::When { of } => {
                let cells = self.cells(&of[..], row);
                match cells[0]? {
                    Some(B(true)) => cells[1],
                    Some(_) => cells[2],
                    None => Ok(None),
                }
            }
            Expr::Prev { of } => self.before(Ok(Some(B(true))), &of[0], row, 1),
            Expr::Over { of, max_keys } => {
                let key = self.cell(&of[1], row);
                self.before(key, &of[0], row, *max_keys)
            }
        }
    }

    fn one(&mut self, of: &Expr, row: &Row, f: impl Fn(Value) -> Result<Value, Failure>) -> Cell {
        self.cell(of, row)?.map(f).transpose()
    }

    fn before(&mut self, key: Cell, x: &Expr, row: &Row, max_keys: usize) -> Cell {
        let place = self.met;
        self.met += 1;
        if self.memories.len() == place {
            self.memories.push(Memory::new());
        }
        let now = self.cell(x, row);
        let Some(key) = key? else { return Ok(None) };
        let memory = &mut self.memories[place];
        if !memory.iter().any(|(known, _)| *known == key) {
            if memory.len() == max_keys {
                return Err(Failure::TooManyKeys);
            }
            memory.push((key, None));
        }
        let Some((_, last)) = memory.iter_mut().find(|(known, _)| *known == key) else { return Ok(None) };
        let before = *last;
        if let Ok(Some(now)) = now {
            *last = Some(now);
        }
        Ok(before)
    }
}
