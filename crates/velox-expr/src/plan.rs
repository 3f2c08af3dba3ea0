use velox_record::Record;

use crate::column::Places;
use crate::failure::{Failures, VALUE};
use crate::planner::Planner;
use crate::program::Program;
use crate::register::{Lanes, Register};
use crate::step::{Step, list};
use crate::types::Type;
use crate::{BATCH, Columns, Expr, ExprError, Inputs, ParamRule, Scales, Table};

/// An expression ready for batches of records, and the memory of its `prev` and `over`.
///
/// Planning allocates all that evaluating needs: about 2 KB a step, and 64 to 128 bytes a key of `over`.
#[derive(Debug, Clone)]
pub struct Plan<T: 'static> {
    program: Program<T>,
    /// Where the result is.
    result: usize,
    kind: Type,
    /// What a filter lists rows in.
    places: Box<Places>,
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
        Self::over(&Columns::native(), expr, &Inputs { scales: *scales, params: &vec![0.0; params], givens: &[] })
    }
}

impl<T: Record> Plan<T> {
    /// Like [`Self::new`], of any columns, and with values that are given: see [`Columns::own`], [`Self::give_i64`].
    ///
    /// # Errors
    /// [`ExprError`]: an unknown column, an operand of a wrong type, a value that its place doesn't take.
    pub fn over(columns: &Columns<T>, expr: &Expr, inputs: &Inputs<'_>) -> Result<Self, ExprError> {
        let mut planner = Planner::new(columns, inputs);
        let operand = planner.plan("plan", expr)?;
        let kind = operand.shape().kind;
        let result = planner.register(operand)?;
        Ok(Self { program: Program::of(planner, columns)?, result, kind, places: Box::new([0; BATCH]) })
    }

    /// The type of the result: [`Type::Bool`] can filter, an enumeration is read by [`Self::i64`].
    pub const fn kind(&self) -> &Type {
        &self.kind
    }

    /// What the param of this index must be from batch to batch; any number where no expression has it.
    pub fn param_rule(&self, index: usize) -> ParamRule {
        self.program.param_rule(index)
    }

    /// Forgets what `prev` and `over` remember. Given values stay.
    pub fn reset(&mut self) {
        self.program.reset();
    }

    /// Gives the value that `{"op":"given","index":…}` has from the next batch on; none is what it has at first, and
    /// what `prev` has before its first value. Stores a number, no more.
    ///
    /// ```
    /// use velox_expr::{Columns, Expr, Given, Inputs, Plan, Scale};
    /// use velox_record::Trade;
    /// let expr: Expr = serde_json::from_str(
    ///     r#"{"op":"gt","of":[{"op":"column","name":"price"},{"op":"given","index":0}]}"#,
    /// ).unwrap();
    /// let inputs = Inputs { givens: &[Given::I64(Scale::Price)], ..Inputs::default() };
    /// let mut plan = Plan::<Trade>::over(&Columns::native(), &expr, &inputs).unwrap();
    /// let (rows, mut keep) = ([99, 101].map(|price| Trade { price, ..Trade::default() }), Vec::with_capacity(256));
    /// plan.filter(&rows, &[], &mut keep);
    /// assert!(keep.is_empty());
    /// plan.give_i64(0, Some(100));
    /// plan.filter(&rows, &[], &mut keep);
    /// assert_eq!(keep, [1]);
    /// ```
    ///
    /// # Panics
    /// When no value of this index was declared, or it is no i64.
    pub fn give_i64(&mut self, index: usize, value: Option<i64>) {
        self.program.give_i64(index, value);
    }

    /// Like [`Self::give_i64`].
    ///
    /// # Panics
    /// When no value of this index was declared, or it is no f64.
    pub fn give_f64(&mut self, index: usize, value: Option<f64>) {
        self.program.give_f64(index, value);
    }

    /// Sets `keep` to the rows that pass, in order. A row that fails or has no value doesn't pass.
    ///
    /// Allocates nothing where `keep` has room for `rows.len()`.
    ///
    /// # Panics
    /// When there are more than [`BATCH`] rows, or the result is no bool.
    pub fn filter(&mut self, rows: &[T], params: &[f64], keep: &mut Vec<u16>) -> Failures {
        self.expect(&Type::Bool);
        keep.clear();
        if let Err(all) = self.program.check(rows, params) {
            return all;
        }
        // The result is the last step: nothing is planned after the root.
        if self.result > 0 {
            self.program.run(0..self.result, rows, params);
        }
        if let Step::All(gates, operands) = &self.program.steps[self.result] {
            let batch = self.program.batch(rows, params);
            if let Some(count) = list((gates, operands), &batch, &self.program.registers, &mut self.places) {
                keep.extend_from_slice(&self.places[..count]);
                return Failures::default();
            }
        }
        self.program.run(self.result..self.result + 1, rows, params);
        let result = &self.program.registers[self.result];
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
            self.expect(&Type::I64);
        }
        let failures = self.run(rows, params);
        self.copy(failures, &mut out[..rows.len()], 0, |lanes| match lanes {
            Lanes::I64(values) => Some(&values[..]),
            _ => None,
        })
    }

    /// Sets `out[row]` to the u64; 0 where there is no value.
    ///
    /// # Panics
    /// When there are more than [`BATCH`] rows, `out` is shorter, or the result is another type.
    pub fn u64(&mut self, rows: &[T], params: &[f64], out: &mut [u64]) -> Failures {
        self.expect(&Type::U64);
        let failures = self.run(rows, params);
        self.copy(failures, &mut out[..rows.len()], 0, |lanes| match lanes {
            Lanes::U64(values) => Some(&values[..]),
            _ => None,
        })
    }

    /// Sets `out[row]` to the f64; NaN where there is no value.
    ///
    /// # Panics
    /// When there are more than [`BATCH`] rows, `out` is shorter, or the result is another type.
    pub fn f64(&mut self, rows: &[T], params: &[f64], out: &mut [f64]) -> Failures {
        self.expect(&Type::F64);
        let failures = self.run(rows, params);
        self.copy(failures, &mut out[..rows.len()], f64::NAN, |lanes| match lanes {
            Lanes::F64(values) => Some(&values[..]),
            _ => None,
        })
    }

    /// Sets `out[row]` to the bool; false where there is no value.
    ///
    /// # Panics
    /// When there are more than [`BATCH`] rows, `out` is shorter, or the result is another type.
    pub fn bool(&mut self, rows: &[T], params: &[f64], out: &mut [bool]) -> Failures {
        self.expect(&Type::Bool);
        let failures = self.run(rows, params);
        self.copy(failures, &mut out[..rows.len()], false, |lanes| match lanes {
            Lanes::Bool(values) => Some(&values[..]),
            _ => None,
        })
    }

    fn expect(&self, kind: &Type) {
        assert!(self.kind == *kind, "expected a plan of {kind}, got one of {}", self.kind);
    }

    fn run(&mut self, rows: &[T], params: &[f64]) -> Result<Failures, Failures> {
        self.program.check(rows, params)?;
        self.program.run(0..self.program.steps.len(), rows, params);
        Ok(Failures::of(&self.program.registers[self.result].status, rows.len()))
    }

    fn copy<V: Copy>(
        &self,
        failures: Result<Failures, Failures>,
        out: &mut [V],
        none: V,
        values: impl Fn(&Lanes) -> Option<&[V]>,
    ) -> Failures {
        let Register { lanes, status, .. } = &self.program.registers[self.result];
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
