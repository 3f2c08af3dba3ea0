//! A pipeline under construction whose record type is known at run time only.
//!
//! A type has a key: the name of a native record, or `words:N` for a record of a script's own, of N 64-bit words.

use std::any::Any;
use std::sync::Arc;

use velox_engine::expr::{Expr, Scales};
use velox_engine::pipeline::{Flow, Pipeline};
use velox_engine::stages::{Count, RingSink, RingSource};
use velox_engine::{Bundle, MarketEvent, Trade, Transaction, Words};

use crate::errors::Thrown;
use crate::memory::SharedMemory;
use crate::plan::misplaced;

pub(crate) struct Chain(Box<dyn Link>);

/// What every pipeline can go on with, whatever it carries.
trait Link {
    fn any(self: Box<Self>) -> Box<dyn Any>;
    fn count(self: Box<Self>, name: &str) -> Chain;
    fn ring(self: Box<Self>, name: &str, memory: &Arc<SharedMemory>) -> Result<Chain, Thrown>;
    fn script(self: Box<Self>, name: &str, output: &str) -> Result<Chain, Thrown>;
}

/// Does something with the type of a key: the types that a source can give, whose stamp is an arrival, and `$Also`.
macro_rules! with_type {
    ($key:expr, $T:ident => $work:expr $(; $Also:ident)*) => {
        with_type!(@ $key, $T => $work; $($Also)* MarketEvent Trade Transaction; 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    };
    (@ $key:expr, $T:ident => $work:expr; $($Own:ident)*; $($n:literal)*) => {
        match $key {
            $(stringify!($Own) => { type $T = $Own; $work })*
            $(concat!("words:", $n) => { type $T = Words<$n>; $work })*
            _ => Err(Thrown::value("type", "a record of at most 128 bytes", $key)),
        }
    };
}

impl<T: Flow> Link for Pipeline<T> {
    fn any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn count(self: Box<Self>, name: &str) -> Chain {
        Chain::new(self.to(name, Count::default()))
    }

    fn ring(self: Box<Self>, name: &str, memory: &Arc<SharedMemory>) -> Result<Chain, Thrown> {
        Ok(Chain::new(self.to(name, RingSink::new(memory.producer::<T>()?))))
    }

    fn script(self: Box<Self>, name: &str, output: &str) -> Result<Chain, Thrown> {
        with_type!(output, O => Ok(Chain::new(Pipeline::script::<O>(*self, name))); Bundle)
    }
}

impl Chain {
    pub(crate) fn new<T: Flow>(pipeline: Pipeline<T>) -> Self {
        Self(Box::new(pipeline))
    }

    pub(crate) fn from_ring(memory: &Arc<SharedMemory>) -> Result<Self, Thrown> {
        with_type!(memory.record.as_str(), T => {
            Ok(Self::new(Pipeline::from("ring", RingSource::<T>::new(memory.consumer()?))))
        })
    }

    pub(crate) fn typed<T: Flow>(self) -> Result<Pipeline<T>, Thrown> {
        self.0.any().downcast().map(|pipeline| *pipeline).map_err(|_| misplaced())
    }

    pub(crate) fn count(self, name: &str) -> Self {
        self.0.count(name)
    }

    pub(crate) fn ring(self, name: &str, memory: &Arc<SharedMemory>) -> Result<Self, Thrown> {
        self.0.ring(name, memory)
    }

    /// Filters what has columns: the native records but bundles.
    pub(crate) fn filter(self, name: &str, expr: &Expr, scales: &Scales) -> Result<Self, Thrown> {
        let mut any = self.0.any();
        macro_rules! try_type {
            ($($T:ty)*) => {
                $(any = match any.downcast::<Pipeline<$T>>() {
                    Ok(pipeline) => return Ok(Self::new(pipeline.filter(name, expr, scales)?)),
                    Err(other) => other,
                };)*
            };
        }
        try_type!(MarketEvent Trade Transaction);
        drop(any);
        Err(Thrown::value("filter", "MarketEvent, Trade or Transaction records", "another type"))
    }

    pub(crate) fn script(self, name: &str, output: &str) -> Result<Self, Thrown> {
        self.0.script(name, output)
    }
}
