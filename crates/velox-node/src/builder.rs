use std::sync::Arc;

use napi_derive::napi;
use std::time::Duration;
use velox_engine::record::Record;
use velox_engine::ring::{ForeignError, ForeignProducer};
use velox_engine::{Bundle, BundleBuilder, Flush, InvalidBundleMax, Transaction};

use crate::errors::{Result, Thrown};
use crate::memory::SharedMemory;
use crate::raw::{Call, Entry, Value};
use crate::slots::{self, Object, of};

/// The ring that a builder sends into: it is that ring's producer until it sends into another.
pub(crate) struct Sending {
    memory: Arc<SharedMemory>,
    producer: ForeignProducer<Bundle>,
}

pub(crate) static FUNCTIONS: [Entry; 4] = [
    Entry { name: c"builderAdd", run: add },
    Entry { name: c"builderFlush", run: flush },
    Entry {
        name: c"builderTimedOut",
        run: |call| {
            slots::with(call.index(0), of_builder, |(builder, _)| Ok(Value::Bool(builder.should_flush_timeout())))
        },
    },
    Entry {
        name: c"builderLength",
        run: |call| slots::with(call.index(0), of_builder, |(builder, _)| Ok(Value::Number(builder.len() as f64))),
    },
];

fn of_builder(object: &mut Object) -> Option<&mut (BundleBuilder, Option<Sending>)> {
    match object {
        Object::Builder(builder) => Some(builder),
        _ => None,
    }
}

fn sending(to: &mut Option<Sending>, memory: Arc<SharedMemory>) -> std::result::Result<&mut Sending, ForeignError> {
    if to.as_ref().is_none_or(|sending| !sending.memory.is(&memory)) {
        let producer = memory.producer()?;
        *to = Some(Sending { memory, producer });
    }
    Ok(to.as_mut().expect("just put there"))
}

fn ring(call: &Call) -> std::result::Result<Arc<SharedMemory>, Thrown> {
    slots::with(call.index(1), of!(Ring), |memory| Ok(Arc::clone(memory)))
}

fn add(call: &Call) -> std::result::Result<Value, Thrown> {
    let memory = ring(call)?;
    let bytes: [u8; 32] = call.bytes(2);
    let mut words = [0u64; Transaction::WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().expect("chunks of 8"));
    }
    let transaction = Transaction::from_words(&words)?;
    slots::with(call.index(0), of_builder, |(builder, to)| {
        let to = sending(to, memory)?;
        Ok(Value::Bool(builder.add_with(transaction, |bundle| to.producer.push(bundle))?))
    })
}

fn flush(call: &Call) -> std::result::Result<Value, Thrown> {
    let memory = ring(call)?;
    slots::with(call.index(0), of_builder, |(builder, to)| {
        let to = sending(to, memory)?;
        Ok(Value::Number(match builder.flush_with(|bundle| to.producer.push(bundle))? {
            Flush::Flushed => 0.0,
            Flush::Empty => 1.0,
            Flush::Full => 2.0,
        }))
    })
}

/// Makes a builder.
#[napi(catch_unwind)]
pub fn builder_new(max: u32, timeout_micros: f64) -> Result<u32> {
    let timeout = Duration::from_micros(timeout_micros as u64);
    let builder = BundleBuilder::with_limits(max as usize, timeout)
        .map_err(|InvalidBundleMax(max)| Thrown::value("max", "1 to 16 transactions a bundle", max))?;
    Ok(slots::put(Object::Builder((builder, None))))
}
