use velox_expr::{Columns, Expr, ExprError, Layout, Mapper, Scales};
use velox_record::Record;

use super::evaluate::{Seen, Surroundings};
use crate::pipeline::{Make, Maker, Notes, Tally};

/// Makes a record of each record, an expression for each of its fields. A record for which one has no answer, or
/// whose field can't hold it, is an error, counted.
struct Mapped<T: 'static> {
    mapper: Mapper<T>,
    seen: Seen,
}

impl<T: Record> Maker<T> for Mapped<T> {
    fn make(&mut self, records: &[T], words: &mut [u64], made: &mut Vec<u16>, tally: &mut Tally) {
        self.seen.look(records.len(), &mut self.mapper);
        let failures = self.mapper.map(records, self.seen.values(), words, made);
        if let Some(first @ (row, failure)) = failures.first() {
            let field = self.mapper.field_of(first).unwrap_or("a field");
            let at = tally.accounted() + u64::from(row);
            tally.refuse(|| format!("VELOX_INVALID_VALUE: {field}: {failure} (record {at} of the step)"));
            tally.errors += (records.len() - made.len()) as u64 - 1;
        }
    }

    fn notes(&mut self) -> Notes {
        self.seen.notes()
    }
}

/// What [`Graph::map`](crate::pipeline::Graph::map) takes to make records of this layout.
///
/// # Errors
/// [`ExprError`]: a field that the record has not, one that is missing, an expression that can't be planned or whose type the
/// field doesn't take.
pub fn make<T: Record>(
    from: &Columns<T>,
    into: &Layout,
    fields: &[(String, Expr)],
    scales: &Scales,
    surroundings: Surroundings,
) -> Result<Make<T>, ExprError> {
    let mapper = surroundings.plan(scales, |inputs| Mapper::new(from, into, fields, inputs))?;
    Ok(Box::new(Mapped { mapper, seen: Seen::new(surroundings) }))
}
