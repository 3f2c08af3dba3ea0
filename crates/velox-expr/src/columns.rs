//! The columns of a record: those of a native one are known when compiled, those of a script's own come as data.

use std::borrow::Cow;
use std::sync::Arc;

use velox_record::{Record, Words};

use crate::field::Bits;
use crate::{Column, ExprError, Gate, Kind, Load, OwnField, Scale, Table, column};

/// The columns of a record by their names. A copy costs next to nothing.
#[derive(Debug, Clone)]
pub struct Columns<T: 'static> {
    record: Cow<'static, str>,
    of: Of<T>,
}

#[derive(Debug, Clone)]
enum Of<T: 'static> {
    Native(&'static [Column<T>]),
    Own(Arc<[Column<T>]>),
}

impl<T> Columns<T> {
    pub(crate) fn record(&self) -> &str {
        &self.record
    }

    pub(crate) fn all(&self) -> &[Column<T>] {
        match &self.of {
            Of::Native(columns) => columns,
            Of::Own(columns) => columns,
        }
    }
}

/// What a planner asks of columns. It doesn't know their record's type, so that one planner is compiled and not one for each.
pub(crate) trait Fields {
    fn find(&self, name: &str) -> Result<usize, ExprError>;
    fn kind(&self, at: usize) -> (&Kind, Scale);
    /// Whether it is compared with a number without a copy.
    fn has_gate(&self, at: usize) -> bool;
}

impl<T> Fields for Columns<T> {
    fn find(&self, name: &str) -> Result<usize, ExprError> {
        let columns = self.all();
        let place = columns.iter().position(|column| column.name == name);
        place.ok_or_else(|| ExprError::unknown(&self.record, name, columns.iter().map(|column| &column.name[..])))
    }

    fn kind(&self, at: usize) -> (&Kind, Scale) {
        let column = &self.all()[at];
        (&column.kind, column.scale)
    }

    fn has_gate(&self, at: usize) -> bool {
        self.all()[at].gate.is_some()
    }
}

impl<T: Record> Columns<T> {
    /// Where the record has a column; none where its layout doesn't say.
    pub(crate) fn bits(&self, at: usize) -> Option<Bits> {
        match &self.of {
            Of::Native(columns) => {
                let Column { name, kind, .. } = &columns[at];
                let (_, offset) = T::FIELDS.iter().find(|(field, _)| field == name)?;
                Bits::of(*offset, kind.bytes())
            }
            Of::Own(columns) => Some(columns[at].bits),
        }
    }
}

impl<T: Table> Columns<T> {
    /// The columns of a native record.
    pub fn native() -> Self {
        Self { record: T::NAME.into(), of: Of::Native(T::COLUMNS) }
    }
}

impl<const N: usize> Columns<Words<N>> {
    /// The columns of a record that a script declared; `record` is its name. A field of text is none.
    ///
    /// # Errors
    /// [`ExprError::InvalidValue`]: a field outside the record or across two of its words, two fields in one place or
    /// of one name, an enumeration of no names or more than 256.
    ///
    /// ```
    /// use velox_expr::{Columns, Expr, Inputs, Kind, OwnField, Plan};
    /// use velox_record::Words;
    /// let fields = [OwnField { name: "level".into(), offset: 2, kind: Kind::I16 }];
    /// let columns = Columns::<Words<1>>::own("Depth", &fields).unwrap();
    /// let expr: Expr = serde_json::from_str(r#"{"op":"abs","of":[{"op":"column","name":"level"}]}"#).unwrap();
    /// let mut plan = Plan::over(&columns, &expr, &Inputs::default()).unwrap();
    /// let mut out = [0; 2];
    /// plan.i64(&[Words([0xfffd_0000]), Words([0x0004_0000])], &[], &mut out);
    /// assert_eq!(out, [3, 4]);
    /// ```
    pub fn own(record: &str, fields: &[OwnField]) -> Result<Self, ExprError> {
        let columns: Result<_, _> = fields.iter().enumerate().map(|(at, field)| own(field, &fields[..at])).collect();
        Ok(Self { record: Cow::Owned(record.into()), of: Of::Own(columns?) })
    }
}

fn own<const N: usize>(field: &OwnField, before: &[OwnField]) -> Result<Column<Words<N>>, ExprError> {
    let OwnField { name, offset, kind } = field;
    let refused = |expected: String, got: String| Err(ExprError::value(name.clone(), expected, got));
    let bytes = kind.bytes();
    let bits = match Bits::of(*offset, bytes) {
        Some(bits) if bits.word() < N => bits,
        _ => {
            let expected = format!("{bytes} bytes within one of the record's {N} words of 8 bytes");
            return refused(expected, format!("offset {offset}"));
        }
    };
    if let Kind::Names { names } = kind
        && !(1..=256).contains(&names.len())
    {
        return refused("1 to 256 names".into(), names.len().to_string());
    }
    for other in before {
        if other.name == *name {
            return refused("each field once".into(), "it twice".into());
        }
        if other.offset < offset + bytes && *offset < other.offset + other.kind.bytes() {
            return refused("bytes of its own".into(), format!("offset {offset}, where {} lies", other.name));
        }
    }
    let unsigned: Gate<Words<N>> = column!(@gate row, bits, bits.unsigned(&row.0));
    let signed: Gate<Words<N>> = column!(@gate row, bits, bits.signed(&row.0));
    let (load, gate): (Load<Words<N>>, _) = match kind {
        Kind::U8 | Kind::U16 | Kind::U32 | Kind::Side | Kind::Names { .. } => {
            (Load::I64(column!(@load row, bits, bits.unsigned(&row.0) as i64)), Some(unsigned))
        }
        Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64 => {
            (Load::I64(column!(@load row, bits, bits.signed(&row.0))), Some(signed))
        }
        Kind::U64 | Kind::Nanos => (Load::U64(column!(@load row, bits, bits.unsigned(&row.0))), Some(unsigned)),
        Kind::F32 => (Load::F64(column!(@load row, bits, f32::from_bits(bits.unsigned(&row.0) as u32).into())), None),
        Kind::F64 => (Load::F64(column!(@load row, bits, f64::from_bits(bits.unsigned(&row.0)))), None),
        Kind::Bool => (Load::Bool(column!(@load row, bits, bits.unsigned(&row.0) != 0)), None),
    };
    Ok(Column { name: Cow::Owned(name.clone()), scale: Scale::None, kind: kind.clone(), load, gate, bits })
}
