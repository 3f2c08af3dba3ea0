//! Threads of runs that a script runs: handed over from the environment that started the run, opened and stepped in
//! the worker that has the script.

use std::collections::HashMap;
use std::iter;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use napi::JsValue;
use napi_derive::napi;
use serde_json::json;
use velox_engine::L2Book;
use velox_engine::pipeline::{Answer, BATCH, HostedThread, SCRIPT_OUT, ScriptLoop, ScriptMemory, Step};
use velox_engine::ring::ForeignWords;

use crate::errors::{Result, Thrown};
use crate::memory;
use crate::raw::{Call, Entry, SlotWork, Value};
use crate::slots::{self, Object, of};

/// What a worker opens.
struct Waiting {
    thread: HostedThread,
    /// Its stages and their numbers.
    stages: Vec<(usize, String)>,
    books: Vec<(String, L2Book)>,
}

/// A thread that a worker runs.
pub(crate) struct Host {
    steps: ScriptLoop,
    /// Its stages and their numbers.
    stages: Vec<(usize, String)>,
    books: Vec<(String, L2Book)>,
    /// Where its steps leave their numbers: making JavaScript values of them would cost as much as the call.
    cells: Option<ForeignWords>,
}

/// Threads on their way to their workers, by token.
static WAITING: Mutex<Option<HashMap<u32, Waiting>>> = Mutex::new(None);

fn waiting() -> MutexGuard<'static, Option<HashMap<u32, Waiting>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves a thread for a worker, with its stages and their numbers; gives the token to open it with.
pub(crate) fn leave(thread: HostedThread, stages: Vec<(usize, String)>, books: Vec<(String, L2Book)>) -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let token = NEXT.fetch_add(1, Ordering::Relaxed);
    waiting().get_or_insert_default().insert(token, Waiting { thread, stages, books });
    token
}

/// Forgets threads that no worker came for: their run ends.
pub(crate) fn forget(tokens: &[u32]) {
    for token in tokens {
        drop(waiting().get_or_insert_default().remove(token));
    }
}

pub(crate) static FUNCTIONS: [Entry; 3] = [
    Entry { name: c"hostBind", run: bind },
    Entry { name: c"hostLayOut", run: lay_out },
    Entry { name: c"hostForget", run: forget_columns },
];

/// Host, a `Uint8Array` over 16 shared bytes: gives the function that makes a [step](Stepping::work), with the answer in the first 8
/// bytes and what to do next in the others.
fn bind(call: &Call) -> std::result::Result<Value, Thrown> {
    let (slot, cells) = (call.index(0), call.hold(1, "cells")?);
    let cells = Some(cells.words()).filter(|cells| cells.len() == 2);
    let cells = cells.ok_or_else(|| Thrown::value("cells", "16 bytes", "another number of them"))?;
    slots::with(slot, of!(Host), |host| {
        host.cells = Some(cells);
        Ok(())
    })?;
    Ok(call.bound::<Stepping>(c"step", slot))
}

struct Stepping;

impl SlotWork for Stepping {
    /// Takes the answer from the cells: count × 4 + its kind (0 none, 1 wrote, 2 kept). Leaves stage × 2^20 + count there,
    /// 0 to rest, -1 at the end.
    fn work(slot: usize) -> std::result::Result<(), Thrown> {
        slots::with(slot, of!(Host), |host| {
            let Some(cells) = &host.cells else { return Ok(()) };
            let mut answer = [0];
            cells.load(0, &mut answer);
            let count = (answer[0] >> 2) as usize;
            let next = match host.steps.step(match answer[0] & 3 {
                1 => Some(Answer::Wrote(count)),
                2 => Some(Answer::Kept(count)),
                _ => None,
            }) {
                Step::Read { stage, count } => (stage << 20 | count) as i64,
                Step::Rest => 0,
                Step::Ended => -1,
            };
            cells.fill(1, iter::once(next as u64));
            Ok(())
        })
    }
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
    let Some(Waiting { thread, stages, books }) = left else {
        return Err(Thrown::value("token", "a thread that waits for its worker", token).into());
    };
    Ok(slots::put(Object::Host(Box::new(Host { steps: thread.open(), stages, books, cells: None }))))
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
        let found = host.stages.iter().find(|(_, stage)| *stage == name);
        let stage = found.ok_or_else(|| Thrown::value("stage", "a stage of this thread", name))?.0;
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
        json!({ "name": name, "slot": slots::put(Object::L2Book(book.into())), "instrument": instrument })
    };
    Ok(books.into_iter().map(book).collect::<serde_json::Value>().to_string())
}

/// The script of this stage looks at the books before it.
#[napi(catch_unwind)]
pub fn host_watch(host: u32, stage: u32) -> Result<()> {
    Ok(slots::with(host as usize, of!(Host), |host| {
        host.steps.watch_books(stage as usize);
        Ok(())
    })?)
}

/// Fails the run: the script of a stage threw.
#[napi(catch_unwind)]
pub fn host_fail(host: u32, stage: String, reason: String) -> Result<()> {
    Ok(slots::with(host as usize, of!(Host), |host| {
        let found = host.stages.iter().find(|(_, known)| *known == stage).or(host.stages.first());
        host.steps.fail(found.map_or(0, |(number, _)| *number), reason);
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
