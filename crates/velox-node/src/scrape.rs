//! The numbers of runs for Prometheus: handed over by number from the thread that started a run to the worker that serves them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use napi_derive::napi;
use velox_engine::metrics::Labels;
use velox_engine::pipeline::RunMetrics;

use crate::errors::{Result, Thrown};
use crate::pipeline::on_run;
use crate::slots::{self, Object, of};

/// The numbers of a run, and the labels that go with each of them.
pub(crate) struct Scraped {
    metrics: RunMetrics,
    labels: Labels,
}

/// On their way to their workers, by number.
static WAITING: Mutex<Option<(u32, HashMap<u32, Scraped>)>> = Mutex::new(None);

fn waiting() -> MutexGuard<'static, Option<(u32, HashMap<u32, Scraped>)>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves the numbers of a run for a worker, with labels (name, value, name, value …); gives the number to take them by.
#[napi(catch_unwind)]
pub fn scrape_leave(run: u32, labels: Vec<String>) -> Result<u32> {
    let metrics = on_run(run, velox_engine::pipeline::RunHandle::metrics)?;
    let pairs = labels.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
    let labels = Labels::new(pairs).map_err(|error| Thrown::value("labels", error.expected, error.got))?;
    let mut waiting = waiting();
    let (last, all) = waiting.get_or_insert_default();
    *last = last.wrapping_add(1);
    all.insert(*last, Scraped { metrics, labels });
    Ok(*last)
}

/// Forgets what no worker came for.
#[napi(catch_unwind)]
pub fn scrape_forget(token: u32) {
    waiting().get_or_insert_default().1.remove(&token);
}

/// Takes the numbers of a run, in a slot of this thread.
#[napi(catch_unwind)]
pub fn scrape_take(token: u32) -> Result<u32> {
    let left = waiting().get_or_insert_default().1.remove(&token);
    let scraped = left.ok_or_else(|| Thrown::value("token", "numbers that wait for their worker", token))?;
    Ok(slots::put(Object::Scraped(scraped)))
}

/// The text for Prometheus, now.
#[napi(catch_unwind)]
pub fn scrape_text(slot: u32) -> Result<String> {
    Ok(slots::with(slot as usize, of!(Scraped), |scraped| Ok(scraped.metrics.prometheus(&scraped.labels)))?)
}

/// The same as families, as JSON: name, help, type, samples of suffix, pairs of labels, value.
#[napi(catch_unwind)]
pub fn run_families(run: u32) -> Result<String> {
    on_run(run, |handle| {
        handle.metrics().with_families(|all| serde_json::to_string(all)).unwrap_or_else(|_| "[]".into())
    })
}
