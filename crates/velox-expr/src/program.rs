use std::ops::Range;

use velox_record::Record;

use crate::failure::Failures;
use crate::param_rule::ParamRule;
use crate::planner::Planner;
use crate::register::Register;
use crate::step::{Batch, Step};
use crate::{BATCH, Columns, ExprError, Failure, Given};

/// Steps, and what they work on: what a plan of one result and a mapper of many are made of.
#[derive(Debug, Clone)]
pub(crate) struct Program<T: 'static> {
    columns: Columns<T>,
    pub(crate) steps: Box<[Step]>,
    pub(crate) registers: Box<[Register]>,
    /// What each param must be.
    rules: Box<[ParamRule]>,
    declared: Box<[Given]>,
    /// The values that were given last, as bits.
    givens: Box<[Option<u64>]>,
}

impl<T: Record> Program<T> {
    /// # Errors
    /// A param that is no integer of the type that it must be.
    pub(crate) fn of(planner: Planner<'_>, columns: &Columns<T>) -> Result<Self, ExprError> {
        let Planner { inputs, steps, registers, rules, .. } = planner;
        for (rule, value) in rules.iter().zip(inputs.params) {
            rule.check("param", *value)?;
        }
        Ok(Self {
            columns: columns.clone(),
            steps: steps.into(),
            registers: registers.into(),
            rules: rules.into(),
            declared: inputs.givens.into(),
            givens: vec![None; inputs.givens.len()].into(),
        })
    }

    pub(crate) fn param_rule(&self, index: usize) -> ParamRule {
        self.rules.get(index).copied().unwrap_or_default()
    }

    pub(crate) fn reset(&mut self) {
        self.registers.iter_mut().for_each(|register| register.history.clear());
    }

    pub(crate) fn give_i64(&mut self, index: usize, value: Option<i64>) {
        let declared = self.declared[index];
        assert!(matches!(declared, Given::I64(_)), "expected an f64 as given value {index}, got an i64");
        self.givens[index] = value.map(|value| value as u64);
    }

    pub(crate) fn give_f64(&mut self, index: usize, value: Option<f64>) {
        let declared = self.declared[index];
        assert!(declared == Given::F64, "expected an i64 as given value {index}, got an f64");
        self.givens[index] = value.map(f64::to_bits);
    }

    pub(crate) fn batch<'a>(&'a self, rows: &'a [T], params: &'a [f64]) -> Batch<'a, T> {
        Batch { rows, params, columns: self.columns.all(), givens: &self.givens }
    }

    /// The error is a batch whose params can't be used, which leaves no trace in `prev`.
    pub(crate) fn check(&self, rows: &[T], params: &[f64]) -> Result<(), Failures> {
        assert!(rows.len() <= BATCH, "expected at most {BATCH} rows, got {}", rows.len());
        let known = params.len() >= self.rules.len();
        if known && self.rules.iter().zip(params).all(|(rule, value)| rule.holds(*value)) {
            return Ok(());
        }
        Err(Failures::all(rows.len(), Failure::Param))
    }

    pub(crate) fn run(&mut self, steps: Range<usize>, rows: &[T], params: &[f64]) {
        let batch = Batch { rows, params, columns: self.columns.all(), givens: &self.givens };
        for at in steps {
            self.steps[at].run(at, &batch, &mut self.registers);
        }
    }
}
