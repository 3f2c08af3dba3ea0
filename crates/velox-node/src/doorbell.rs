use std::sync::Arc;

use napi::bindgen_prelude::Function;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use velox_engine::stages::Doorbell;

use crate::errors::{Result, Thrown};
use crate::raw::{Call, Entry, Value};
use crate::slots::{self, Object, of};

pub(crate) static FUNCTIONS: [Entry; 2] = [
    Entry { name: c"doorbellArm", run: |call| on(call, Doorbell::arm) },
    Entry { name: c"doorbellAbandon", run: |call| on(call, |bell| bell.abandon(call.bool(1))) },
];

fn on(call: &Call, work: impl FnOnce(&Doorbell)) -> std::result::Result<Value, Thrown> {
    slots::with(call.index(0), of!(Doorbell), |bell| {
        work(bell);
        Ok(Value::Undefined)
    })
}

/// Makes a bell that calls `rung` on this thread. It keeps no process alive.
#[napi(catch_unwind)]
pub fn doorbell_new(rung: Function<'_, (), ()>) -> Result<u32> {
    let told = rung
        .build_threadsafe_function()
        .weak::<true>()
        .build()
        .map_err(|error| Thrown::value("rung", "a function that another thread can call", error.to_string()))?;
    let bell = move || {
        // A refusal means that the environment is ending: nobody is left to be told.
        let _ = told.call((), ThreadsafeFunctionCallMode::NonBlocking);
    };
    Ok(slots::put(Object::Doorbell(Arc::new(Doorbell::new(bell)))))
}
