//! Threads of runs that a script runs: handed over from the environment that started the run, opened and stepped in
//! the worker that has the script.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use napi::JsValue;
use napi_derive::napi;
use serde_json::json;
use velox_engine::L2Book;
use velox_engine::pipeline::{Answer, BATCH, HostedThread, SCRIPT_OUT, ScriptLoop, ScriptMemory, Step};

use crate::errors::{Result, Thrown};
use crate::memory;
use crate::raw::{Call, Entry, Value};
use crate::slots::{self, Object, of};

/// What a worker opens.
struct Waiting {
    thread: HostedThread,
    /// The number of its first stage, counted from the source.
    first: usize,
    books: Vec<(String, L2Book)>,
}

/// A thread that a worker runs.
pub(crate) struct Host {
    steps: ScriptLoop,
    stages: Vec<String>,
    /// The number of the first of `stages`, counted from the source.
    first: usize,
    books: Vec<(String, L2Book)>,
}

/// Threads on their way to their workers, by token.
static WAITING: Mutex<Option<HashMap<u32, Waiting>>> = Mutex::new(None);

fn waiting() -> MutexGuard<'static, Option<HashMap<u32, Waiting>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves a thread for a worker; gives the token to open it with. `first` is the number of its first stage.
pub(crate) fn leave(thread: HostedThread, first: usize, books: Vec<(String, L2Book)>) -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let token = NEXT.fetch_add(1, Ordering::Relaxed);
    waiting().get_or_insert_default().insert(token, Waiting { thread, first, books });
    token
}

/// Forgets threads that no worker came for: their run ends.
pub(crate) fn forget(tokens: &[u32]) {
    for token in tokens {
        drop(waiting().get_or_insert_default().remove(token));
    }
}

pub(crate) static FUNCTIONS: [Entry; 3] = [
    Entry { name: c"hostStep", run: step },
    Entry { name: c"hostLayOut", run: lay_out },
    Entry { name: c"hostForget", run: forget_columns },
];

/// Host, answer: count × 4 + its kind (0 none, 1 wrote, 2 kept). Gives stage × 2^20 + count, 0 to rest, -1 at the end.
fn step(call: &Call) -> std::result::Result<Value, Thrown> {
    let answer = call.index(1);
    let answer = match (answer & 3, answer >> 2) {
        (1, count) => Some(Answer::Wrote(count)),
        (2, count) => Some(Answer::Kept(count)),
        _ => None,
    };
    slots::with(call.index(0), of!(Host), |host| {
        Ok(Value::Number(match host.steps.step(answer) {
            Step::Read { stage, count } => (stage << 20 | count) as f64,
            Step::Rest => 0.0,
            Step::Ended => -1.0,
        }))
    })
}

/// Host, stage, word (-1 all): lays out a word of each record of the batch that is being read.
fn lay_out(call: &Call) -> std::result::Result<Value, Thrown> {
    let word = usize::try_from(call.integer(2)).ok();
    slots::with(call.index(0), of!(Host), |host| Ok(host.steps.lay_out(call.index(1), word)?))?;
    Ok(Value::Undefined)
}

/// Host, stage: lays out only what is asked for anew.
fn forget_columns(call: &Call) -> std::result::Result<Value, Thrown> {
    slots::with(call.index(0), of!(Host), |host| Ok(host.steps.forget(call.index(1))?))?;
    Ok(Value::Undefined)
}

/// Opens a thread on the worker that calls.
#[napi(catch_unwind)]
pub fn host_open(token: u32) -> Result<u32> {
    let left = waiting().get_or_insert_default().remove(&token);
    let Some(Waiting { thread, first, books }) = left else {
        return Err(Thrown::value("token", "a thread that waits for its worker", token).into());
    };
    let stages = thread.stages().to_vec();
    Ok(slots::put(Object::Host(Box::new(Host { steps: thread.open(), stages, first, books }))))
}

/// Gives a stage the memory that it shares with its script: a whole batch to read, and to write. Gives its number.
#[napi(catch_unwind)]
pub fn host_stage(
    env: napi::Env,
    host: u32,
    name: String,
    input: napi::Unknown<'_>,
    output: napi::Unknown<'_>,
) -> Result<u32> {
    let hold = |value: napi::Unknown<'_>| memory::hold(env.raw(), value.raw(), "batch".into(), 1);
    let (input, output) = (hold(input)?, hold(output)?);
    let stage = slots::with(host as usize, of!(Host), |host| {
        let at = host.stages.iter().position(|stage| *stage == name);
        let stage = host.first + at.ok_or_else(|| Thrown::value("stage", "a stage of this thread", name))?;
        host.steps.open_stage(stage, ScriptMemory { input: input.words(), output: output.words() })?;
        Ok(stage)
    })?;
    Ok(stage as u32)
}

/// The books of the run, as JSON: name, slot here, instrument.
#[napi(catch_unwind)]
pub fn host_books(host: u32) -> Result<String> {
    let books = slots::with(host as usize, of!(Host), |host| Ok(host.books.clone()))?;
    let book = |(name, book): (String, L2Book)| {
        let instrument = book.instrument().id();
        json!({ "name": name, "slot": slots::put(Object::L2Book(book)), "instrument": instrument })
    };
    Ok(books.into_iter().map(book).collect::<serde_json::Value>().to_string())
}

/// Fails the run: the script of a stage threw.
#[napi(catch_unwind)]
pub fn host_fail(host: u32, stage: String, reason: String) -> Result<()> {
    Ok(slots::with(host as usize, of!(Host), |host| {
        let at = host.stages.iter().position(|known| *known == stage).unwrap_or(0);
        host.steps.fail(host.first + at, reason);
        Ok(())
    })?)
}

/// How many records a batch holds, and how many a script may write for it.
#[napi(object)]
pub struct BatchSizes {
    /// To read.
    pub input: u32,
    /// To write.
    pub output: u32,
}

/// How many records a batch holds, and how many a script may write for it.
#[napi(catch_unwind)]
pub fn batch_sizes() -> BatchSizes {
    BatchSizes { input: BATCH as u32, output: SCRIPT_OUT as u32 }
}
