use std::marker::PhantomData;
use std::ops::Range;

use crate::failure::{Failures, VALUE};
use crate::literal::whole;
use crate::planner::Planner;
use crate::register::{Lanes, Register};
use crate::step::{Step, list};
use crate::types::Type;
use crate::{BATCH, Expr, ExprError, Failure, Scales, Table};

/// An expression ready for batches of records, and the memory of its `prev` and `over`.
///
/// Planning allocates all that evaluating needs: about 2 KB a step, and 64 to 128 bytes a key of `over`.
#[derive(Debug, Clone)]
pub struct Plan<T> {
    steps: Box<[Step]>,
    registers: Box<[Register]>,
    /// Where the result is.
    result: usize,
    kind: Type,
    params: usize,
    integers: Box<[(usize, Option<Type>)]>,
    of: PhantomData<T>,
}

impl<T: Table> Plan<T> {
    /// Checks an expression and plans it. `params` is how many numbers come with each batch.
    ///
    /// # Errors
    /// [`ExprError`]: an unknown column, an operand of a wrong type, a value that its place doesn't take.
    ///
    /// ```
    /// use velox_expr::{Expr, Plan, Scales};
    /// use velox_record::{Step, Trade};
    /// let expr: Expr = serde_json::from_str(
    ///     r#"{"op":"gt","of":[{"op":"column","name":"price"},{"op":"decimal","value":"61800.30"}]}"#,
    /// ).unwrap();
    /// let scales = Scales { tick: Some(Step::parse("0.10").unwrap()), lot: None };
    /// let mut plan = Plan::<Trade>::new(&expr, &scales, 0).unwrap();
    /// let rows = [618_003, 618_004].map(|price| Trade { price, ..Trade::default() });
    /// let mut keep = Vec::with_capacity(256);
    /// plan.filter(&rows, &[], &mut keep);
    /// assert_eq!(keep, [1]);
    /// ```
    pub fn new(expr: &Expr, scales: &Scales, params: usize) -> Result<Self, ExprError> {
        let mut planner = Planner::<T>::new(scales, params);
        let operand = planner.plan("plan", expr)?;
        let kind = operand.shape().kind;
        let result = planner.register(operand)?;
        let Planner { steps, registers, integers, .. } = planner;
        let (steps, registers, integers) = (steps.into(), registers.into(), integers.into());
        Ok(Self { steps, registers, result, kind, params, integers, of: PhantomData })
    }

    /// The type of the result: [`Type::Bool`] can filter, an enumeration is read by [`Self::i64`].
    pub const fn kind(&self) -> Type {
        self.kind
    }

    /// Forgets what `prev` and `over` remember.
    pub fn reset(&mut self) {
        self.registers.iter_mut().for_each(|register| register.history.clear());
    }

    /// Sets `keep` to the rows that pass, in order. A row that fails or has no value doesn't pass.
    ///
    /// Allocates nothing where `keep` has room for `rows.len()`.
    ///
    /// # Panics
    /// When there are more than [`BATCH`] rows, or the result is no bool.
    pub fn filter(&mut self, rows: &[T], params: &[f64], keep: &mut Vec<u16>) -> Failures {
        self.expect(Type::Bool);
        keep.clear();
        if let Err(all) = self.check(rows, params) {
            return all;
        }
        // The result is the last step: nothing is planned after the root.
        self.run_steps(0..self.result, rows, params);
        if let Step::All(gates, operands) = &self.steps[self.result] {
            let mut places = [0; BATCH];
            if let Some(count) = list((gates, operands), rows, params, &self.registers, &mut places) {
                keep.extend_from_slice(&places[..count]);
                return Failures::default();
            }
        }
        self.run_steps(self.result..self.result + 1, rows, params);
        let result = &self.registers[self.result];
        collect(&result.bools()[..rows.len()], keep);
        Failures::of(&result.status, rows.len())
    }

    /// Sets `out[row]` to the i64, or the index of an enumeration's name; 0 where there is no value. Allocates nothing,
    /// like every map.
    ///
    /// ```
    /// use velox_expr::{Expr, Failure, Plan, Scales};
    /// use velox_record::Trade;
    /// let expr: Expr = serde_json::from_str(
    ///     r#"{"op":"div","of":[{"op":"column","name":"price"},{"op":"column","name":"qty"}]}"#,
    /// ).unwrap();
    /// let mut plan = Plan::<Trade>::new(&expr, &Scales::default(), 0).unwrap();
    /// let rows = [2, 0, -2].map(|qty| Trade { price: 9, qty, ..Trade::default() });
    /// let mut out = [0; 3];
    /// let failures = plan.i64(&rows, &[], &mut out);
    /// assert_eq!((out, failures.first()), ([4, 0, -4], Some((1, Failure::DivisionByZero))));
    /// ```
    ///
    /// # Panics
    /// When there are more than [`BATCH`] rows, `out` is shorter, or the result is another type.
    pub fn i64(&mut self, rows: &[T], params: &[f64], out: &mut [i64]) -> Failures {
        if !matches!(self.kind, Type::Enum(_)) {
            self.expect(Type::I64);
        }
        let failures = self.run(rows, params);
        self.give(failures, &mut out[..rows.len()], 0, |lanes| match lanes {
            Lanes::I64(values) => Some(&values[..]),
            _ => None,
        })
    }

    /// Sets `out[row]` to the u64; 0 where there is no value.
    ///
    /// # Panics
    /// When there are more than [`BATCH`] rows, `out` is shorter, or the result is another type.
    pub fn u64(&mut self, rows: &[T], params: &[f64], out: &mut [u64]) -> Failures {
        self.expect(Type::U64);
        let failures = self.run(rows, params);
        self.give(failures, &mut out[..rows.len()], 0, |lanes| match lanes {
            Lanes::U64(values) => Some(&values[..]),
            _ => None,
        })
    }

    /// Sets `out[row]` to the f64; NaN where there is no value.
    ///
    /// # Panics
    /// When there are more than [`BATCH`] rows, `out` is shorter, or the result is another type.
    pub fn f64(&mut self, rows: &[T], params: &[f64], out: &mut [f64]) -> Failures {
        self.expect(Type::F64);
        let failures = self.run(rows, params);
        self.give(failures, &mut out[..rows.len()], f64::NAN, |lanes| match lanes {
            Lanes::F64(values) => Some(&values[..]),
            _ => None,
        })
    }

    /// Sets `out[row]` to the bool; false where there is no value.
    ///
    /// # Panics
    /// When there are more than [`BATCH`] rows, `out` is shorter, or the result is another type.
    pub fn bool(&mut self, rows: &[T], params: &[f64], out: &mut [bool]) -> Failures {
        self.expect(Type::Bool);
        let failures = self.run(rows, params);
        self.give(failures, &mut out[..rows.len()], false, |lanes| match lanes {
            Lanes::Bool(values) => Some(&values[..]),
            _ => None,
        })
    }

    fn expect(&self, kind: Type) {
        assert!(self.kind == kind, "expected a plan of {kind}, got one of {}", self.kind);
    }

    /// The error is a batch whose params can't be used, which leaves no trace in `prev`.
    fn check(&self, rows: &[T], params: &[f64]) -> Result<(), Failures> {
        assert!(rows.len() <= BATCH, "expected at most {BATCH} rows, got {}", rows.len());
        let known = params.len() >= self.params;
        if known && self.integers.iter().all(|&(index, kind)| is_integer(params[index], kind)) {
            return Ok(());
        }
        Err(Failures::all(rows.len(), Failure::Param))
    }

    fn run(&mut self, rows: &[T], params: &[f64]) -> Result<Failures, Failures> {
        self.check(rows, params)?;
        self.run_steps(0..self.steps.len(), rows, params);
        Ok(Failures::of(&self.registers[self.result].status, rows.len()))
    }

    fn run_steps(&mut self, steps: Range<usize>, rows: &[T], params: &[f64]) {
        for at in steps {
            self.steps[at].run(at, rows, params, &mut self.registers);
        }
    }

    fn give<V: Copy>(
        &self,
        failures: Result<Failures, Failures>,
        out: &mut [V],
        none: V,
        values: impl Fn(&Lanes) -> Option<&[V]>,
    ) -> Failures {
        let Register { lanes, status, .. } = &self.registers[self.result];
        match (failures, values(lanes)) {
            (Ok(failures), Some(values)) => {
                out.copy_from_slice(&values[..out.len()]);
                if status.is_marked() {
                    let rows = out.iter_mut().enumerate();
                    rows.filter(|&(row, _)| status.at(row) != VALUE).for_each(|(_, value)| *value = none);
                }
                failures
            }
            (Ok(failures) | Err(failures), _) => {
                out.fill(none);
                failures
            }
        }
    }
}

fn is_integer(value: f64, kind: Option<Type>) -> bool {
    whole(value).is_some_and(|value| match kind {
        Some(Type::I64) => i64::try_from(value).is_ok(),
        Some(Type::U64) => u64::try_from(value).is_ok(),
        _ => true,
    })
}

/// The places of the true flags.
fn collect(flags: &[bool], keep: &mut Vec<u16>) {
    let mut places = [0; BATCH];
    let mut count = 0;
    // Written before it is counted: a branch would be guessed wrong for most filters.
    for (place, &flag) in flags.iter().enumerate() {
        places[count] = place as u16;
        count += usize::from(flag);
    }
    keep.extend_from_slice(&places[..count]);
}
