//! Records made of the values of expressions.

mod field;
mod output;

use velox_record::Record;

use crate::failure::{Status, VALUE};
use crate::planner::Planner;
use crate::program::Program;
use crate::{Columns, Expr, ExprError, Failure, Failures, Inputs, Layout, ParamRule};
use output::Output;

/// Makes one record of each row: an expression for each field of the record that is made.
///
/// A row that fails in any field, or has no value for it, makes none. Equal parts of the expressions are one step, and a
/// `prev` in two of them has one memory. Planning allocates; mapping doesn't.
///
/// # What a field takes
/// - A field of integers takes i64 and u64; a row with a number beyond what the field holds fails. A literal beyond it
///   is refused when planned.
/// - A field of f64 or f32 takes f64 only: `toF64` makes an integer one. What an f32 can't hold is rounded, beyond its
///   greatest to infinity.
/// - A field of names takes the same names, a field of truth values a bool.
/// - A literal, or a param, takes the field's type, and decimal text the scale of a native record's prices or quantities.
#[derive(Debug, Clone)]
pub struct Mapper<T: 'static> {
    program: Program<T>,
    outputs: Box<[Output]>,
    /// The words of the record that is made, and which of them no field has.
    words: usize,
    blank: Box<[usize]>,
    status: Status,
}

impl<T: Record> Mapper<T> {
    /// Plans a record of this layout with these fields from rows with the columns `from`.
    ///
    /// # Errors
    /// [`ExprError`]: a field that the record has not, one that is missing or twice, an expression that can't be planned or
    /// whose type the field doesn't take. Its `op` names the field.
    ///
    /// ```
    /// use velox_expr::{Columns, Expr, Failure, Inputs, Kind, Mapper, OwnField};
    /// use velox_record::{Trade, Words};
    /// let field = |name: &str, offset, kind| OwnField { name: name.into(), offset, kind };
    /// let fields = [field("side", 0, Kind::Side), field("lots", 1, Kind::U8), field("price", 8, Kind::I64)];
    /// let into = Columns::<Words<2>>::own("Short", &fields).unwrap();
    /// let column = |name: &str| Expr::Column { name: name.into() };
    /// let exprs = [("price", "price"), ("lots", "qty"), ("side", "side")].map(|(to, from)| (to.into(), column(from)));
    /// let mut mapper = Mapper::<Trade>::new(&Columns::native(), &into.layout(), &exprs, &Inputs::default()).unwrap();
    ///
    /// let rows = [7, 256].map(|qty| Trade { side: 1, price: 100, qty, ..Trade::default() });
    /// let (mut out, mut made) = ([0; 4], Vec::with_capacity(256));
    /// let failures = mapper.map(&rows, &[], &mut out, &mut made);
    /// assert_eq!((&made[..], &out[..2]), (&[0][..], &[0x0701, 100][..]));
    /// let first = failures.first().unwrap();
    /// assert_eq!(first.1.to_string(), "beyond the field, which holds 0 to 255");
    /// assert_eq!((first.0, mapper.field_of(first)), (1, Some("lots")));
    /// ```
    pub fn new(
        from: &Columns<T>,
        into: &Layout,
        fields: &[(String, Expr)],
        inputs: &Inputs<'_>,
    ) -> Result<Self, ExprError> {
        let mut planner = Planner::new(from, inputs);
        let outputs = field::outputs(&mut planner, into, fields)?;
        let blank = (0..into.words).filter(|word| outputs.iter().all(|output| output.bits.word() != *word)).collect();
        let program = Program::of(planner, from)?;
        Ok(Self { program, outputs, words: into.words, blank, status: Status::new() })
    }

    /// How many words a record has that is made.
    pub const fn words(&self) -> usize {
        self.words
    }

    /// What the param of this index must be from batch to batch; any number where no expression has it.
    pub fn param_rule(&self, index: usize) -> ParamRule {
        self.program.param_rule(index)
    }

    /// Forgets what `prev` and `over` remember. Given values stay.
    pub fn reset(&mut self) {
        self.program.reset();
    }

    /// As [`Plan::give_i64`](crate::Plan::give_i64).
    ///
    /// # Panics
    /// When no value of this index was declared, or it is no i64.
    pub fn give_i64(&mut self, index: usize, value: Option<i64>) {
        self.program.give_i64(index, value);
    }

    /// As [`Plan::give_f64`](crate::Plan::give_f64).
    ///
    /// # Panics
    /// When no value of this index was declared, or it is no f64.
    pub fn give_f64(&mut self, index: usize, value: Option<f64>) {
        self.program.give_f64(index, value);
    }

    /// Sets `out[row × words ..]` to the record of each row, and `made` to the rows that have one, in order. The words
    /// of other rows mean nothing; the failures name them all.
    ///
    /// Allocates nothing where `made` has room for `rows.len()`. About 1 ns a field and row.
    ///
    /// # Panics
    /// When there are more than [`BATCH`](crate::BATCH) rows, or `out` is shorter than their records.
    pub fn map(&mut self, rows: &[T], params: &[f64], out: &mut [u64], made: &mut Vec<u16>) -> Failures {
        made.clear();
        if let Err(all) = self.program.check(rows, params) {
            return all;
        }
        let out = &mut out[..rows.len() * self.words];
        self.program.run(0..self.program.steps.len(), rows, params);
        self.status.clear();
        if out.is_empty() {
            return Failures::default();
        }
        for &word in &self.blank {
            out[word..].iter_mut().step_by(self.words).for_each(|to| *to = 0);
        }
        for output in &self.outputs {
            let register = &self.program.registers[output.register];
            output.store(register, out, self.words);
            self.status.join(&register.status);
            output.check(register, &mut self.status, rows.len());
        }
        let count = rows.len() as u16;
        if self.status.is_marked() {
            made.extend((0..count).filter(|row| self.status.at(usize::from(*row)) == VALUE));
        } else {
            made.extend(0..count);
        }
        Failures::strict(&self.status, rows.len())
    }

    /// The first field that failed so in this row of the last batch; none where a param did.
    pub fn field_of(&self, (row, failure): (u16, Failure)) -> Option<&str> {
        let row = usize::from(row);
        let failed =
            |output: &&Output| output.status(&self.program.registers[output.register], row) == failure.status();
        self.outputs.iter().find(failed).map(|output| &output.name[..])
    }
}
