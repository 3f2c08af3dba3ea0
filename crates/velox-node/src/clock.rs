use napi_derive::napi;
use velox_engine::clock;

use crate::raw::{Entry, Value, bind_clock};

/// Numbers of the clock.
pub(crate) static FUNCTIONS: [Entry; 6] = [
    Entry { name: c"clockBind", run: bind_clock },
    Entry {
        name: c"initTsc",
        run: |_| {
            clock::init_tsc();
            Ok(Value::Undefined)
        },
    },
    Entry { name: c"rdtsc", run: |_| Ok(Value::BigInt(clock::rdtsc())) },
    Entry { name: c"tscToNs", run: |call| Ok(Value::BigInt(clock::tsc_to_ns(call.wide(0)))) },
    Entry { name: c"clockNow", run: |_| Ok(Value::BigInt(clock::now())) },
    Entry { name: c"clockToEpochNanos", run: |call| Ok(Value::BigInt(clock::to_epoch_nanos(call.wide(0)))) },
];

/// How the clock counts.
#[napi(object)]
pub struct ClockCalibration {
    /// Counter steps a nanosecond.
    pub ticks_per_nano: f64,
    /// The bound of its error.
    pub error_ppm: f64,
    /// `tsc`, `cntvct` or `os`.
    pub source: String,
}

/// How the clock counts; waits for its baseline.
#[napi(catch_unwind)]
pub fn clock_calibration() -> ClockCalibration {
    let clock::Calibration { ticks_per_nano, error_ppm, source } = clock::calibration();
    ClockCalibration { ticks_per_nano, error_ppm, source: source.name().into() }
}
