//! The hiccup meter: a thread that sleeps for 1 ms again and again, and records by how much it wakes late.
//!
//! What it measures is what the machine takes from anybody: other processes, the hypervisor, the kernel. A latency that a
//! hiccup of the same length stands beside is not the run's fault. As in jHiccup (<https://github.com/giltene/jHiccup>),
//! the shortest sleep so far counts as no hiccup. Linux gathers timers within 50 µs and wakes some on time, so the median is
//! about that; what is far beyond it is the machine's.
//!
//! It costs about a thousand wake-ups a second: 1 to 1.6 % of a core, measured on a busy virtual machine. Where a run's
//! threads spin on every core it costs far more: to make room for it the scheduler puts two of them on one core, and two
//! threads in step then run at half their pace. Such a run has no histogram of hiccups: its threads see themselves
//! stall. One thread serves all runs of the process; it begins with the first and ends with the last. It also tells the
//! process's beat, ten a second, and sleeps in between where no run has a histogram.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle, park_timeout, sleep};
use std::time::{Duration, Instant};

use crate::histogram::Histogram;
use crate::writer::Metrics;

const SLEEP: Duration = Duration::from_millis(1);
const BEAT: Duration = Duration::from_millis(100);

struct Meter {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Meters {
    runs: Vec<(u64, Arc<Metrics>, Option<Histogram>)>,
    next: u64,
    meter: Option<Meter>,
}

static METERS: Mutex<Option<Meters>> = Mutex::new(None);

fn meters() -> MutexGuard<'static, Option<Meters>> {
    METERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run that the meter records for, until this is dropped; the last one waits for the meter's thread, 1 ms or two.
pub struct Watched(u64);

/// Records hiccups into this histogram of a run, and beats for it. Where the system gives no thread, neither.
pub fn watch(metrics: &Arc<Metrics>, histogram: Option<Histogram>) -> Watched {
    let mut meters = meters();
    let meters = meters.get_or_insert_default();
    let number = meters.next;
    meters.next += 1;
    meters.runs.push((number, Arc::clone(metrics), histogram));
    if meters.meter.is_none() {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = Builder::new().name("velox-hiccup".into()).spawn(move || measure(&stopped));
        meters.meter = thread.ok().map(|thread| Meter { stop, thread });
    }
    if let Some(meter) = &meters.meter {
        // It may be asleep until its next beat.
        meter.thread.thread().unpark();
    }
    Watched(number)
}

impl Drop for Watched {
    fn drop(&mut self) {
        let ended = {
            let mut meters = meters();
            let meters = meters.get_or_insert_default();
            meters.runs.retain(|(number, ..)| *number != self.0);
            if meters.runs.is_empty() { meters.meter.take() } else { None }
        };
        // A thread of code that may be unloaded behind it must be gone.
        if let Some(Meter { stop, thread }) = ended {
            stop.store(true, Ordering::Relaxed);
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn measure(stop: &AtomicBool) {
    let (mut shortest, mut beaten) = (u64::MAX, Instant::now());
    // Relaxed: the flag orders nothing but itself.
    while !stop.load(Ordering::Relaxed) {
        let measures = meters().iter().flat_map(|meters| &meters.runs).any(|(.., histogram)| histogram.is_some());
        let before = Instant::now();
        let slept = if measures {
            sleep(SLEEP);
            before.elapsed().as_nanos() as u64
        } else {
            park_timeout(BEAT);
            shortest
        };
        shortest = shortest.min(slept);
        let beats = beaten.elapsed() >= BEAT;
        if beats {
            beaten = Instant::now();
        }
        for (_, metrics, histogram) in meters().iter().flat_map(|meters| &meters.runs) {
            if let Some(histogram) = histogram.as_ref().filter(|_| measures) {
                histogram.record(slept - shortest, 1);
            }
            if beats {
                metrics.beat();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HistogramOf, Hop, Memory, Shape};

    #[test]
    fn it_measures_for_all_runs_and_ends_with_the_last() {
        let run = || {
            let histograms = vec![HistogramOf { stage: None, hops: vec![Hop::Hiccup] }];
            Metrics::new(Shape { histograms, ..Shape::default() }, Memory::Heap)
        };
        let (first, second) = (run(), run());
        let watched = (watch(&first, first.histogram(0)), watch(&second, second.histogram(0)));
        sleep(Duration::from_millis(50));
        drop(watched.0);
        let counted = |metrics: &Metrics| metrics.snapshot(0).histograms[0].count();
        let at_end = counted(&first);
        assert!(at_end > 0 && at_end <= 50, "{at_end}");
        sleep(Duration::from_millis(50));
        assert!(counted(&second) > counted(&first) && counted(&first) <= at_end + 1);
        drop(watched.1);
        assert!(meters().as_ref().is_some_and(|meters| meters.meter.is_none() && meters.runs.is_empty()));

        let beaten = first.beaten();
        let beats = watch(&first, None);
        let soon = |happens: &dyn Fn() -> bool| {
            (0..500).any(|_| {
                sleep(Duration::from_millis(10));
                happens()
            })
        };
        assert!(soon(&|| first.beaten() > beaten), "it beats without a histogram");
        let later = watch(&second, second.histogram(0));
        let before = counted(&second);
        assert!(soon(&|| counted(&second) > before), "a run that wants one wakes it");
        drop((beats, later));
    }
}
