use std::marker::PhantomData;

use crate::pipeline::{Batch, EngineError, Flow, Input, Nothing, Stage, Tally};

/// A sink that counts: its `consumed` is the answer.
#[derive(Debug)]
pub struct Count<T>(PhantomData<fn(T)>);

impl<T> Default for Count<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Flow> Stage for Count<T> {
    type In = T;
    type Out = Nothing;

    fn poll(&mut self, input: &mut Input<'_, T>, _: &mut Batch<Nothing>, tally: &mut Tally) -> Result<(), EngineError> {
        let n = input.records().len();
        input.advance(n);
        tally.consumed += n as u64;
        Ok(())
    }
}
