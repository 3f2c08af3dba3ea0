//! What the engine's parts cost on the machine at hand, beside what the machine allows at best: for `velox bench`, and for
//! counts of instructions, which a busy machine doesn't change.
//!
//! [`measure`] takes time and says it in nanoseconds; [`Work`] is the same work without a clock.
//!
//! ```
//! let found = velox_bench::measure("clock", std::time::Duration::from_millis(5)).unwrap();
//! assert!(found["nowNanos"].as_f64().unwrap() > 0.0);
//! assert!(velox_bench::measure("weather", std::time::Duration::ZERO).is_none());
//! ```
#![forbid(unsafe_code)]

mod between;
mod limits;
mod rounds;
mod work;

use std::time::Duration;

use serde_json::{Value as Json, json};

pub use work::{BLOCK, WORKS, Work};

/// The measurements that there are: `line`, `memory`, `clock` and `gaps` are the machine's own limits.
pub const MEASUREMENTS: [&str; 9] =
    ["line", "memory", "clock", "gaps", "ring", "ringRoundTrip", "book", "orderBook", "expression"];

/// Measures one of [`MEASUREMENTS`] for about so long; `None` for any other name. Times are ns, medians of many short rounds;
/// memory is bytes a second. Keeps one core busy, two for `line`, `ring` and `ringRoundTrip`.
pub fn measure(name: &str, long: Duration) -> Option<Json> {
    Some(match name {
        "line" => json!({ "roundTripNanos": limits::line_round_trip(long) }),
        "memory" => {
            let (read, copy) = limits::memory(long);
            json!({ "readBytesPerSecond": read, "copyBytesPerSecond": copy })
        }
        "clock" => {
            let [counter, now, system] = limits::clock(long);
            json!({ "counterNanos": counter, "nowNanos": now, "systemNanos": system })
        }
        "gaps" => {
            let gaps = limits::gaps(long);
            json!({ "count": gaps.count, "share": gaps.share, "maxNanos": gaps.max_ns })
        }
        "ring" => json!({ "nanosPerRecord": between::stream(long), "recordBytes": 32 }),
        "ringRoundTrip" => json!({ "roundTripNanos": between::round_trip(long) }),
        "book" => json!({ "updateNanos": rounds::each(&mut Work::named("book")?, long) }),
        "orderBook" => json!({ "updateNanos": rounds::each(&mut Work::named("orderBook")?, long) }),
        "expression" => {
            let (planned, by_hand) = rounds::both(&mut Work::named("expression")?, &mut Work::named("byHand")?, long);
            json!({ "planNanos": planned, "handNanos": by_hand })
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_measurement_gives_numbers_above_0() {
        for name in MEASUREMENTS {
            let found = measure(name, Duration::from_millis(2)).expect(name);
            let fields = found.as_object().expect("an object");
            assert!(!fields.is_empty());
            // A quiet machine has no gaps.
            let least = if name == "gaps" { 0.0 } else { f64::MIN_POSITIVE };
            assert!(fields.values().all(|value| value.as_f64().is_some_and(|n| n >= least)), "{name}: {found}");
        }
    }
}
