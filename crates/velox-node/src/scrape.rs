//! Numbers for Prometheus: handed over by number from the thread that has a run, or metrics of its own, to the worker that serves them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi_derive::napi;
use velox_engine::StageMetrics;
use velox_engine::metrics::{Labels, stage_families, text};
use velox_engine::pipeline::{RunHandle, RunMetrics};

use crate::errors::{Result, Thrown};
use crate::pipeline::on_run;
use crate::slots::{self, Object, of};

/// The numbers of a run, those of stages of a script's own, and the labels that go with each of them.
pub(crate) struct Scraped {
    run: Option<RunMetrics>,
    stages: Vec<Arc<StageMetrics>>,
    labels: Labels,
}

impl Scraped {
    fn text(&self) -> std::result::Result<String, Thrown> {
        let own = stage_families(self.stages.iter().map(|stage| &**stage))
            .map_err(|error| Thrown::value("metrics", "names that differ", error.0))?;
        let run = self.run.as_ref().map(|run| run.prometheus(&self.labels)).unwrap_or_default();
        Ok(run + &text(&own, &self.labels))
    }
}

/// On their way to their workers, by number.
static WAITING: Mutex<Option<(u32, HashMap<u32, Scraped>)>> = Mutex::new(None);

fn waiting() -> MutexGuard<'static, Option<(u32, HashMap<u32, Scraped>)>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves the numbers of a run, where one is given, and of metrics by their slots for a worker, with labels (name, value, name,
/// value …); gives the number to take them by.
#[napi(catch_unwind)]
pub fn scrape_leave(run: Option<u32>, metrics: Vec<u32>, labels: Vec<String>) -> Result<u32> {
    let run = run.map(|run| on_run(run, RunHandle::metrics)).transpose()?;
    let stage = |slot: &u32| slots::with(*slot as usize, of!(Metrics), |metrics| Ok(Arc::clone(metrics)));
    let stages = metrics.iter().map(stage).collect::<std::result::Result<Vec<_>, _>>()?;
    let pairs = labels.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
    let labels = Labels::new(pairs).map_err(|error| Thrown::value("labels", error.expected, error.got))?;
    let scraped = Scraped { run, stages, labels };
    // What is wrong with it is told here, and not to who scrapes.
    scraped.text()?;
    let mut waiting = waiting();
    let (last, all) = waiting.get_or_insert_default();
    *last = last.wrapping_add(1);
    all.insert(*last, scraped);
    Ok(*last)
}

/// Forgets what no worker came for.
#[napi(catch_unwind)]
pub fn scrape_forget(token: u32) {
    waiting().get_or_insert_default().1.remove(&token);
}

/// Takes them, in a slot of this thread.
#[napi(catch_unwind)]
pub fn scrape_take(token: u32) -> Result<u32> {
    let left = waiting().get_or_insert_default().1.remove(&token);
    let scraped = left.ok_or_else(|| Thrown::value("token", "numbers that wait for their worker", token))?;
    Ok(slots::put(Object::Scraped(scraped)))
}

/// The text for Prometheus, now.
#[napi(catch_unwind)]
pub fn scrape_text(slot: u32) -> Result<String> {
    Ok(slots::with(slot as usize, of!(Scraped), |scraped| scraped.text())?)
}

/// The same as families, as JSON: name, help, type, samples of suffix, pairs of labels, value.
#[napi(catch_unwind)]
pub fn run_families(run: u32) -> Result<String> {
    on_run(run, |handle| {
        handle.metrics().with_families(|all| serde_json::to_string(all)).unwrap_or_else(|_| "[]".into())
    })
}
