//! What an expression sees beside its record: parameters, and the books before it.

use velox_book::L2Book;
use velox_expr::{Columns, Expr, ExprError, Failures, Given, ParamRule, Plan, Scale, Scales, Type};

use crate::pipeline::{Notes, Param, Params, Tally};

/// A value of a book, in ticks but for the imbalance. None of them is one while the book has no top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookValue {
    /// The best bid.
    Bid,
    /// The best ask.
    Ask,
    /// Ask less bid.
    Spread,
    /// Halfway between both, an f64.
    Mid,
    /// (bids − asks) / (bids + asks) over so many levels, an f64: −1 to 1.
    Imbalance(usize),
}

/// What expressions take beside the columns, by index: `{"op":"param","index":…}` and `{"op":"given","index":…}`.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Read before each batch.
    pub params: Vec<Param>,
    /// Read before each batch. The pipeline sees to it that a batch holds records of one instant of the book
    /// ([`Graph::watch`](crate::pipeline::Graph::watch)).
    pub books: Vec<(L2Book, BookValue)>,
}

impl BookValue {
    fn given(self) -> Given {
        match self {
            Self::Bid | Self::Ask | Self::Spread => Given::I64(Scale::Price),
            Self::Mid | Self::Imbalance(_) => Given::F64,
        }
    }
}

/// What takes given values and params.
pub(crate) trait Takes {
    fn param_rule(&self, index: usize) -> ParamRule;
    fn give_i64(&mut self, index: usize, value: Option<i64>);
    fn give_f64(&mut self, index: usize, value: Option<f64>);
}

impl<T: velox_record::Record> Takes for Plan<T> {
    fn param_rule(&self, index: usize) -> ParamRule {
        Self::param_rule(self, index)
    }

    fn give_i64(&mut self, index: usize, value: Option<i64>) {
        Self::give_i64(self, index, value);
    }

    fn give_f64(&mut self, index: usize, value: Option<f64>) {
        Self::give_f64(self, index, value);
    }
}

impl<T: velox_record::Record> Takes for velox_expr::Mapper<T> {
    fn param_rule(&self, index: usize) -> ParamRule {
        Self::param_rule(self, index)
    }

    fn give_i64(&mut self, index: usize, value: Option<i64>) {
        Self::give_i64(self, index, value);
    }

    fn give_f64(&mut self, index: usize, value: Option<f64>) {
        Self::give_f64(self, index, value);
    }
}

/// The surroundings of one stage's expressions, as they are before each batch.
pub(crate) struct Seen {
    params: Params,
    books: Vec<(L2Book, BookValue)>,
}

impl Seen {
    pub(crate) fn new(surroundings: Surroundings) -> Self {
        Self { params: Params::new(surroundings.params), books: surroundings.books }
    }

    pub(crate) fn values(&self) -> &[f64] {
        self.params.values()
    }

    /// Looks again, before a batch of so many records.
    pub(crate) fn look(&mut self, records: usize, takes: &mut impl Takes) {
        self.params.look();
        self.params.pass(records);
        if !self.books.is_empty() {
            self.look_at_books(takes);
        }
    }

    #[inline(never)]
    fn look_at_books(&self, takes: &mut dyn Takes) {
        for (index, (book, value)) in self.books.iter().enumerate() {
            let top = book.top();
            match value {
                BookValue::Bid => takes.give_i64(index, top.map(|top| top.bid)),
                BookValue::Ask => takes.give_i64(index, top.map(|top| top.ask)),
                BookValue::Spread => takes.give_i64(index, top.and_then(|top| top.ask.checked_sub(top.bid))),
                BookValue::Mid => takes.give_f64(index, top.map(|top| f64::midpoint(top.bid as f64, top.ask as f64))),
                BookValue::Imbalance(levels) => {
                    takes.give_f64(index, top.and_then(|_| book.imbalance(*levels)));
                }
            }
        }
    }

    pub(crate) fn notes(&mut self) -> Notes {
        let (changes, more_changes) = self.params.take_changes();
        Notes { changes, more_changes, ..Notes::default() }
    }
}

/// An expression with what it sees.
pub struct Evaluator<T: 'static> {
    pub(crate) plan: Plan<T>,
    pub(crate) seen: Seen,
}

impl<T: velox_record::Record> Evaluator<T> {
    /// Plans an expression over these columns. `scales` say what decimal text counts in.
    ///
    /// # Errors
    /// [`ExprError`]: an unknown field, an operand of a wrong type.
    pub fn new(
        columns: &Columns<T>,
        expr: &Expr,
        scales: &Scales,
        surroundings: Surroundings,
    ) -> Result<Self, ExprError> {
        let plan = surroundings.plan(scales, |inputs| Plan::over(columns, expr, inputs))?;
        Ok(Self { plan, seen: Seen::new(surroundings) })
    }

    /// The same, where it is a condition: what `op` needs.
    ///
    /// # Errors
    /// As [`new`](Self::new); an expression that is no condition.
    pub fn condition(
        op: &'static str,
        columns: &Columns<T>,
        expr: &Expr,
        scales: &Scales,
        surroundings: Surroundings,
    ) -> Result<Self, ExprError> {
        let made = Self::new(columns, expr, scales, surroundings)?;
        match made.plan.kind() {
            Type::Bool => Ok(made),
            other => {
                let (expected, got) = ("a condition".into(), format!("a value of type {other}"));
                Err(ExprError::TypeMismatch { op: op.into(), expected, got })
            }
        }
    }

    /// The plan alone, of an expression that needs no surroundings.
    pub fn into_plan(self) -> Plan<T> {
        self.plan
    }

    /// Lists the records for which the condition holds.
    pub(crate) fn filter(&mut self, records: &[T], keep: &mut Vec<u16>) -> Failures {
        self.seen.look(records.len(), &mut self.plan);
        self.plan.filter(records, self.seen.values(), keep)
    }
}

impl Surroundings {
    /// Plans something over these inputs, and tells the params what it asks of them.
    pub(crate) fn plan<P: Takes>(
        &self,
        scales: &Scales,
        plan: impl FnOnce(&velox_expr::Inputs<'_>) -> Result<P, ExprError>,
    ) -> Result<P, ExprError> {
        let (params, givens) = self.values();
        let planned = plan(&velox_expr::Inputs { scales: *scales, params: &params, givens: &givens })?;
        self.restrict(&planned);
        Ok(planned)
    }

    // Not inlined, like the next: `plan` is one for each kind of step and type.
    #[inline(never)]
    fn values(&self) -> (Vec<f64>, Vec<Given>) {
        (self.params.iter().map(Param::get).collect(), self.books.iter().map(|(_, value)| value.given()).collect())
    }

    #[inline(never)]
    fn restrict(&self, planned: &dyn Takes) {
        for (index, param) in self.params.iter().enumerate() {
            param.restrict(planned.param_rule(index));
        }
    }
}

/// Counts the records of a batch that have failed, before the others are counted; the first reason stands in the report.
pub(crate) fn refuse(tally: &mut Tally, failures: &Failures) {
    if let Some((row, failure)) = failures.first() {
        let at = tally.accounted() + u64::from(row);
        tally.refuse(|| format!("VELOX_INVALID_VALUE: {failure} (record {at} of the step)"));
        tally.errors += failures.count() as u64 - 1;
    }
}
