use crate::Expr;
use crate::bounds::Bounds;
use crate::compare::Cmp;
use crate::literal::Value;
use crate::step::Against;
use crate::types::{Shape, Type};

/// A comparison of a column with one number, while it may still be merged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Term {
    Known(Bounds),
    Param(Cmp, usize),
    Given(Cmp, usize),
}

/// A column within something: the column's place, its type, the term.
pub(crate) type ColumnTerm = (usize, Type, Term);

/// Something planned that has no register yet, so that a comparison or an `and` can take it in whole.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Register(usize, Shape),
    Column(usize, Shape),
    Known(Value, Shape),
    Param(usize, Shape),
    Given(usize, Shape),
    All(Vec<ColumnTerm>, Vec<usize>),
}

impl Operand {
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Register(_, shape)
            | Self::Column(_, shape)
            | Self::Known(_, shape)
            | Self::Param(_, shape)
            | Self::Given(_, shape) => shape.clone(),
            Self::All(..) => Shape::plain(Type::Bool),
        }
    }

    /// The comparison with this operand, if it is one integer.
    pub(crate) fn term(&self, cmp: Cmp) -> Option<Term> {
        match self {
            Self::Known(Value::Integer(value), _) => Some(Term::Known(Bounds::of(cmp, *value))),
            Self::Param(index, shape) if shape.kind.is_integer() => Some(Term::Param(cmp, *index)),
            Self::Given(index, shape) if shape.kind.is_integer() => Some(Term::Given(cmp, *index)),
            _ => None,
        }
    }
}

impl Term {
    pub(crate) fn against(self, kind: Type) -> Against {
        match self {
            Self::Known(bounds) => Against::Window(bounds.window(&kind)),
            Self::Given(cmp, index) => Against::Given { cmp, index, kind },
            Self::Param(cmp, index) => Against::Param { cmp, index, kind },
        }
    }
}

/// Adds a term, within an earlier one of the same column where that is possible.
pub(crate) fn add_term(terms: &mut Vec<ColumnTerm>, (column, kind, term): ColumnTerm) {
    for (other, _, known) in terms.iter_mut() {
        if let (Term::Known(a), Term::Known(b)) = (*known, term)
            && *other == column
            && let Some(both) = a.both(b)
        {
            *known = Term::Known(both);
            return;
        }
    }
    terms.push((column, kind, term));
}

/// An expression without a type of its own: a literal or a param takes the type of what it meets. Inside: what it is
/// where it meets nothing; decimal text and names are nothing then.
#[derive(Debug, Clone)]
pub(crate) struct Open(pub(crate) Option<Type>);

impl Open {
    pub(crate) fn of(expr: &Expr) -> Option<Self> {
        match expr {
            Expr::I64 { .. } => Some(Self(Some(Type::I64))),
            Expr::U64 { .. } => Some(Self(Some(Type::U64))),
            Expr::F64 { .. } | Expr::Param { .. } => Some(Self(Some(Type::F64))),
            Expr::Bool { .. } => Some(Self(Some(Type::Bool))),
            Expr::Decimal { .. } | Expr::Name { .. } => Some(Self(None)),
            Expr::When { of } => Some(Self::of(&of[1])?.beside(Self::of(&of[2])?)),
            _ => None,
        }
    }

    /// What two of them are beside each other.
    pub(crate) fn beside(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(Type::F64), Some(other)) | (Some(other), Some(Type::F64)) if other.is_number() => {
                Self(Some(Type::F64))
            }
            (kind, other) => Self(kind.or(other)),
        }
    }
}
