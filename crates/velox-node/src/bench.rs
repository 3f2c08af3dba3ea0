use std::time::Duration;

use napi_derive::napi;

use crate::errors::{Result, Thrown};

/// A measurement of about so many milliseconds, as JSON; holds the calling thread for as long.
#[napi(catch_unwind)]
pub fn bench_run(name: String, millis: u32) -> Result<String> {
    let found = velox_bench::measure(&name, Duration::from_millis(u64::from(millis)));
    let known = || format!("one of {}", velox_bench::MEASUREMENTS.join(", "));
    Ok(found.ok_or_else(|| Thrown::value("measurement", &known(), name))?.to_string())
}
