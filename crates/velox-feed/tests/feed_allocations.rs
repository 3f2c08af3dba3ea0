//! A message allocates nothing once its feed is warm: a global allocator counts.

mod common;

use common::script::{Change, Script};
use velox_feed::{Applied, Feed, Venue};
use velox_record::Instrument;
use velox_sys::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const EVENTS: usize = 400;

/// Events of two changes each, which come around again.
fn script() -> Script {
    let level = |at: i64, qty: i64| -> [Change; 2] { [(0, 5_999 - at % 30, qty), (1, 6_001 + at % 30, qty)] };
    let snapshot = (0..30).flat_map(|at| level(at, 1_000)).collect();
    let events = (0..EVENTS as i64).map(|event| level(event * 7, event % 3 * 500).to_vec());
    Script { events: std::iter::once(snapshot).chain(events).collect() }
}

#[test]
fn no_message_of_any_venue_allocates() {
    let script = script();
    for venue in Venue::ALL {
        let messages: Vec<String> = (1..=EVENTS).map(|event| script.message(venue, "AB-CD", event)).collect();
        let mut feed = Feed::new(venue, vec![Instrument::new("AB-CD", "script", "0.1", "0.001").unwrap()]).unwrap();
        let (snapshot, mut out) = (script.snapshot(venue, "AB-CD", 0, 0), Vec::with_capacity(1_000));
        let applied = match feed.snapshot_request("AB-CD") {
            Some(_) => feed.snapshot("AB-CD", snapshot.as_bytes(), 1, &mut out),
            None => feed.apply(snapshot.as_bytes(), 1, &mut out),
        };
        assert_eq!(applied, Ok(Applied::Applied));
        let mut warm = 0;
        for (event, message) in messages.iter().enumerate() {
            if event == EVENTS / 4 {
                warm = Counting::of_thread().allocations;
            }
            out.clear();
            assert_eq!(feed.apply(message.as_bytes(), 1, &mut out), Ok(Applied::Applied), "{venue}");
        }
        assert_eq!(Counting::of_thread().allocations - warm, 0, "{venue}");
    }
}
