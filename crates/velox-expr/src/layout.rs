use velox_record::Record;

use crate::field::Bits;
use crate::{Columns, ExprError, Kind, Scale};

/// Where a record has its fields, and what they hold: what is needed to make one, whatever its type.
#[derive(Debug, Clone)]
pub struct Layout {
    pub(crate) record: String,
    pub(crate) words: usize,
    pub(crate) fields: Vec<Place>,
}

/// One field of a [`Layout`].
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) scale: Scale,
    /// None where the record's layout doesn't say.
    pub(crate) bits: Option<Bits>,
}

impl Layout {
    pub(crate) fn find(&self, name: &str) -> Result<&Place, ExprError> {
        let place = self.fields.iter().find(|place| place.name == name);
        place.ok_or_else(|| ExprError::unknown(&self.record, name, self.fields.iter().map(|place| &place.name[..])))
    }
}

impl<T: Record> Columns<T> {
    /// Where the record has these columns.
    pub fn layout(&self) -> Layout {
        let place = |(at, column): (usize, &crate::Column<T>)| Place {
            name: column.name.to_string(),
            kind: column.kind.clone(),
            scale: column.scale,
            bits: self.bits(at),
        };
        let fields = self.all().iter().enumerate().map(place).collect();
        Layout { record: self.record().into(), words: T::WORDS, fields }
    }
}
