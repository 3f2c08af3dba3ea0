//! Runs of pipelines: started from a plan, watched by slot, told to the script when they end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::{Builder, JoinHandle};

use napi::bindgen_prelude::Function;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use velox_engine::feed::Arrivals;
use velox_engine::pipeline::{Param, Report, Run, RunError, RunHandle};

use crate::errors::{Result, Thrown};
use crate::plan::{Built, PlacementPlan, Plan, ReplayPlan};
use crate::raw::{Call, Entry, Value};
use crate::report;
use crate::slots::{self, Object, of};
use velox_engine::live::LiveStats;

use crate::{host, l2_book, memory};

/// A run, and the thread that waits for its end. Dropping it aborts the run and waits.
pub(crate) struct RunEntry {
    handle: RunHandle,
    supervisor: Option<JoinHandle<()>>,
    /// Threads that workers open.
    hosted: Vec<(u32, Vec<String>)>,
    params: Vec<Param>,
    live: Vec<(String, LiveStats)>,
}

impl RunEntry {
    fn forget_hosted(&self) {
        host::forget(&self.hosted.iter().map(|(token, _)| *token).collect::<Vec<_>>());
    }
}

impl Drop for RunEntry {
    fn drop(&mut self) {
        self.handle.abort();
        self.forget_hosted();
        if let Some(supervisor) = self.supervisor.take() {
            let _ = supervisor.join();
        }
    }
}

/// Ends what the environment's runs still do, before the memory goes that they work on.
pub(crate) fn end_environment(env: napi::sys::napi_env) {
    for object in slots::take_all() {
        // A panic must not reach the runtime, nor keep the other objects.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(object)));
    }
    l2_book::forget(env);
    memory::forget(env);
}

fn read<T: DeserializeOwned>(json: &str) -> std::result::Result<T, Thrown> {
    serde_json::from_str(json)
        .map_err(|error| Thrown::value("plan", "a plan as the package writes it", error.to_string()))
}

/// What `done()` is told.
fn outcome(result: std::result::Result<Report, RunError>) -> Json {
    match result {
        Ok(report) => json!({ "kind": "done", "report": report::report(&report) }),
        Err(RunError::Aborted { report }) => json!({ "kind": "aborted", "report": report::report(&report) }),
        Err(RunError::Failed { stage, cause, report }) => {
            let Thrown { code, context } = cause.into();
            let report = report::report(&report);
            json!({ "kind": "failed", "report": report, "stage": stage, "code": code, "context": context })
        }
    }
}

/// What a recorded file holds.
#[napi(object)]
pub struct ReplayInfo {
    /// The venue's name.
    pub venue: String,
    /// The ids of its instruments.
    pub instruments: Vec<u32>,
}

/// Looks into a recorded file.
#[napi(catch_unwind)]
pub fn replay_open(plan: String) -> Result<ReplayInfo> {
    let replay = read::<ReplayPlan>(&plan)?.open()?;
    let instruments = replay.instruments().iter().map(|instrument| u32::from(instrument.id())).collect();
    Ok(ReplayInfo { venue: replay.venue().into(), instruments })
}

/// A number for a ring's handle, 1 ..= 0x7fff_ffff, that no other handle of the process has.
#[napi(catch_unwind)]
pub fn ring_owner() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed) % 0x7fff_ffff + 1
}

/// Takes hold of the memory of a ring.
#[napi(catch_unwind)]
pub fn ring_attach(env: napi::Env, bytes: napi::Unknown<'_>, record: String, capacity: u32) -> Result<u32> {
    use napi::JsValue;
    let memory = memory::hold(env.raw(), bytes.raw(), record, capacity)?;
    Ok(slots::put(Object::Ring(memory)))
}

/// Starts a pipeline; `ended` gets its outcome as JSON, once.
#[napi(catch_unwind)]
pub fn pipeline_start(plan: String, ended: Function<'_, String, ()>) -> Result<u32> {
    memory::sweep();
    let plan: Plan = read(&plan)?;
    let told = ended
        .build_threadsafe_function()
        .build()
        .map_err(|error| Thrown::value("ended", "a function that another thread can call", error.to_string()))?;
    // The supervisor first: without it a run that has started would have to be waited for here.
    let (hand_over, handed) = mpsc::channel::<(Run, Vec<(String, LiveStats)>)>();
    let supervise = move || {
        let Ok((run, live)) = handed.recv() else { return };
        let mut outcome = outcome(run.wait());
        report::add_live(&mut outcome["report"], &live);
        let outcome = outcome.to_string();
        // A refusal means that the environment is ending: nobody is left to be told.
        let _ = told.call(outcome, ThreadsafeFunctionCallMode::NonBlocking);
    };
    let supervisor = Builder::new().name("velox-supervisor".into()).spawn(supervise).map_err(|error| {
        Thrown::new("VELOX_PLACEMENT_INVALID", json!({ "expected": "a thread", "got": error.to_string() }))
    })?;
    let Built { graph, books, params, live } = plan.build()?;
    let names = graph.names();
    let mut run = graph.start(plan.options()).map_err(Thrown::from)?;
    let handle = run.handle();
    let mut hosted = Vec::new();
    for thread in run.take_hosted() {
        let number = |stage: &String| names.iter().position(|name| name == stage).unwrap_or(0);
        let stages: Vec<_> = thread.stages().iter().map(|stage| (number(stage), stage.clone())).collect();
        let names = thread.stages().to_vec();
        hosted.push((host::leave(thread, stages, books.clone()), names));
    }
    // It waits for the run, so it is there.
    let _ = hand_over.send((run, live.clone()));
    Ok(slots::put(Object::Run(RunEntry { handle, supervisor: Some(supervisor), hosted, params, live })))
}

pub(crate) fn on_run<R>(run: u32, work: impl FnOnce(&RunHandle) -> R) -> Result<R> {
    Ok(slots::with(run as usize, of!(Run), |entry| Ok(work(&entry.handle)))?)
}

pub(crate) static FUNCTIONS: [Entry; 4] = [
    Entry {
        name: c"runAborted",
        run: |call| slots::with(call.index(0), of!(Run), |entry| Ok(Value::Bool(entry.handle.is_aborted()))),
    },
    Entry { name: c"runWake", run: |call| on_entry(call, |entry| entry.handle.wake()) },
    Entry {
        name: c"runParamSet",
        run: |call| {
            slots::with(call.index(0), of!(Run), |entry| {
                if let Some(param) = entry.params.get(call.index(1)) {
                    param.set(call.number(2))?;
                }
                Ok(Value::Undefined)
            })
        },
    },
    Entry {
        name: c"runParamGet",
        run: |call| {
            let get = |entry: &mut RunEntry| {
                let param = entry.params.get(call.index(1));
                Ok(Value::Number(param.map_or(f64::NAN, Param::get)))
            };
            slots::with(call.index(0), of!(Run), get)
        },
    },
];

fn on_entry(call: &Call, work: impl FnOnce(&RunEntry)) -> std::result::Result<Value, Thrown> {
    slots::with(call.index(0), of!(Run), |entry| {
        work(entry);
        Ok(Value::Undefined)
    })
}

/// The accounts now.
#[napi(catch_unwind)]
pub fn run_stats(run: u32) -> Result<String> {
    Ok(slots::with(run as usize, of!(Run), |entry| {
        let stats = entry.handle.stats();
        let mut json = report::stats(&stats, stats.to_string());
        report::add_live(&mut json, &entry.live);
        Ok(json.to_string())
    })?)
}

/// Whole histograms of the run, as JSON: stage, hop (stage, endToEnd, bundleWait, hiccup), the filled buckets (largest value in ns
/// and count), sum in ns and count.
#[napi(catch_unwind)]
pub fn run_histograms(run: u32) -> Result<String> {
    on_run(run, |handle| report::histograms(&handle.histograms()).to_string())
}

/// The file in which other processes find the run's metrics.
#[napi(catch_unwind)]
pub fn run_metrics_file(run: u32) -> Result<Option<String>> {
    on_run(run, |handle| handle.metrics_file().map(|path| path.to_string_lossy().into_owned()))
}

/// Which threads run which stages.
#[napi(catch_unwind)]
pub fn run_placement(run: u32) -> Result<String> {
    on_run(run, |handle| report::placement(&handle.placement()).to_string())
}

/// Stages, and edges by their numbers, as JSON.
#[napi(catch_unwind)]
pub fn run_topology(run: u32) -> Result<String> {
    on_run(run, |handle| report::topology(handle).to_string())
}

/// Where stages would run, as JSON: names, the books that each looks at, threads and wait.
#[napi(catch_unwind)]
pub fn placement_of(plan: String) -> Result<String> {
    Ok(report::placement(&read::<PlacementPlan>(&plan)?.place()?).to_string())
}

/// Sources give nothing, or go on.
#[napi(catch_unwind)]
pub fn run_pause(run: u32, paused: bool) -> Result<()> {
    on_run(run, |handle| if paused { handle.pause() } else { handle.resume() })
}

/// Fails the run by this stage.
#[napi(catch_unwind)]
pub fn run_fail(run: u32, stage: String, reason: String) -> Result<()> {
    Ok(slots::with(run as usize, of!(Run), |entry| {
        entry.handle.fail(&stage, reason);
        entry.forget_hosted();
        Ok(())
    })?)
}

/// The threads that workers are to open, as JSON: token, names of the stages.
#[napi(catch_unwind)]
pub fn run_hosted(run: u32) -> Result<String> {
    Ok(slots::with(run as usize, of!(Run), |entry| {
        let one = |(token, stages): &(u32, Vec<String>)| json!({ "token": token, "stages": stages });
        Ok(entry.hosted.iter().map(one).collect::<Json>().to_string())
    })?)
}

/// Lets the source go, when all workers are ready.
#[napi(catch_unwind)]
pub fn run_go(run: u32) -> Result<()> {
    on_run(run, RunHandle::go)
}

/// Ends the source; what is on the way arrives.
#[napi(catch_unwind)]
pub fn run_stop(run: u32) -> Result<()> {
    on_run(run, RunHandle::stop)
}

/// Ends the run where it is.
#[napi(catch_unwind)]
pub fn run_abort(run: u32) -> Result<()> {
    Ok(slots::with(run as usize, of!(Run), |entry| {
        entry.handle.abort();
        entry.forget_hosted();
        Ok(())
    })?)
}
