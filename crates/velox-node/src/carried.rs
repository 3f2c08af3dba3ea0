//! The types that a pipeline carries, by their keys: the name of a native record, or `words:N` for a record of a
//! script's own, of N 64-bit words.

use serde::Deserialize;
use serde_json::Value as Json;
use velox_engine::expr::{Columns, OwnField};
use velox_engine::feed::Schema;
use velox_engine::pipeline::Flow;
use velox_engine::stages::Timed;
use velox_engine::{Bundle, MarketEvent, Trade, Transaction, Words};

use crate::errors::Thrown;

/// A record as TypeScript declares it (`src/pipeline/plan.ts`).
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct TypePlan {
    pub key: String,
    pub name: String,
    pub fields: Vec<Json>,
}

impl TypePlan {
    /// What a file's records are.
    pub(crate) fn schema(&self, words: usize) -> Result<Schema, Thrown> {
        let fields = serde_json::from_value(Json::Array(self.fields.clone()))
            .map_err(|error| Thrown::value("fields", "fields as the package writes them", error.to_string()))?;
        Ok(Schema::new(&self.name, words, fields)?)
    }

    /// The fields that expressions can see.
    fn columns(&self) -> Result<Vec<OwnField>, Thrown> {
        let is_column = |field: &&Json| !matches!(field["kind"].as_str(), Some("text" | "records"));
        let read = |field: &Json| {
            serde_json::from_value(field.clone())
                .map_err(|error| Thrown::value("fields", "fields as the package writes them", error.to_string()))
        };
        self.fields.iter().filter(is_column).map(read).collect()
    }
}

/// A type that flows, and how expressions see it.
pub(crate) trait Carried: Flow + Timed {
    fn columns(of: &TypePlan) -> Result<Columns<Self>, Thrown>;
}

macro_rules! native {
    ($($T:ty)*) => {
        $(impl Carried for $T {
            fn columns(_: &TypePlan) -> Result<Columns<Self>, Thrown> {
                Ok(Columns::native())
            }
        })*
    };
}

native!(MarketEvent Trade Transaction Bundle);

impl<const N: usize> Carried for Words<N> {
    fn columns(of: &TypePlan) -> Result<Columns<Self>, Thrown> {
        Ok(Columns::own(&of.name, &of.columns()?)?)
    }
}

/// Does something with the type of a key: the types that a source can give, whose stamp is an arrival, and `$Also`.
macro_rules! with_type {
    ($key:expr, $T:ident => $work:expr $(; $Also:ident)*) => {
        $crate::carried::with_type!(@ $key, $T => $work; $($Also)* MarketEvent Trade Transaction; 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    };
    (@ $key:expr, $T:ident => $work:expr; $($Own:ident)*; $($n:literal)*) => {
        match $key {
            $(stringify!($Own) => { type $T = $Own; $work })*
            $(concat!("words:", $n) => { type $T = velox_engine::Words<$n>; $work })*
            _ => Err($crate::errors::Thrown::value("type", "a record of at most 128 bytes", $key)),
        }
    };
}
pub(crate) use with_type;
