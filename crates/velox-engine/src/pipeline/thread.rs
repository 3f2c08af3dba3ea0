//! A thread of a run: its agents in a loop, how it waits, and what the machine took from it.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use velox_ring::Parker;

use super::agent::{Agent, AgentEnd};
use super::control::Control;
use super::error::EngineError;
use super::placement::Wait;

/// A pause of a spinning thread longer than this is a stall, in ns.
pub const STALL_NS: u64 = 10_000;

/// Ahead of a scheduled arrival by this many ns a sleeper is awake again: an OS timer is late by tens of microseconds.
const WAKE_AHEAD_NS: u64 = 120_000;

/// Pauses over [`STALL_NS`] between two looks of a spinning thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stalls {
    /// How many.
    pub count: u64,
    /// Their sum in ns.
    pub total_ns: u64,
    /// The longest in ns.
    pub max_ns: u64,
    /// Begin and end of the first ones, on the clock, as many as [`StartOptions::stall_log`](super::StartOptions) asks.
    pub log: Vec<(u64, u64)>,
}

impl Stalls {
    fn note(&mut self, from: u64, to: u64) {
        self.count += 1;
        self.total_ns += to - from;
        self.max_ns = self.max_ns.max(to - from);
        if self.log.len() < self.log.capacity() {
            self.log.push((from, to));
        }
    }
}

/// How a thread came to its end.
pub(crate) struct ThreadEnd {
    pub agents: Vec<AgentEnd>,
    pub failure: Option<(usize, EngineError)>,
    pub stalls: Stalls,
}

/// What a thread needs to run.
pub(crate) struct ThreadSetup {
    pub wait: Wait,
    pub parker: Parker,
    pub control: Arc<Control>,
    pub stall_log: usize,
    /// Its source gives no wake-ups: it looks by itself at least every millisecond.
    pub foreign: bool,
}

pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

/// Runs agents until all are done, one fails, or the run is aborted.
pub(crate) fn run(mut agents: Vec<Box<dyn Agent>>, mut setup: ThreadSetup) -> ThreadEnd {
    let mut stalls = Stalls { log: Vec::with_capacity(setup.stall_log), ..Stalls::default() };
    let at = Cell::new(0);
    // Unwind safety: after a panic the agents only tell their counters.
    let caught = catch_unwind(AssertUnwindSafe(|| turn(&mut agents, &mut setup, &mut stalls, &at)));
    let stage = || agents.get(at.get()).map_or(0, |agent| agent.stage());
    let failure = match caught {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some((stage(), error)),
        Err(panic) => Some((stage(), EngineError::Panic(panic_text(&*panic)))),
    };
    if failure.is_some() {
        setup.control.abort();
    }
    ThreadEnd { agents: agents.into_iter().map(Agent::end).collect(), failure, stalls }
}

fn poll_all(agents: &mut [Box<dyn Agent>], at: &Cell<usize>) -> Result<usize, EngineError> {
    let mut work = 0;
    for (i, agent) in agents.iter_mut().enumerate() {
        at.set(i);
        work += agent.poll()?;
    }
    Ok(work)
}

fn turn(
    agents: &mut [Box<dyn Agent>],
    setup: &mut ThreadSetup,
    stalls: &mut Stalls,
    at: &Cell<usize>,
) -> Result<(), EngineError> {
    let mut idle = 0u32;
    let mut last = velox_clock::now();
    while !setup.control.aborted() {
        let work = poll_all(agents, at)?;
        if setup.wait == Wait::Spin {
            let now = velox_clock::now();
            if now.saturating_sub(last) > STALL_NS {
                stalls.note(last, now);
            }
            last = now;
        }
        // The end comes down the chain: when the last agent is done, all before it are.
        if agents.last().is_none_or(|agent| agent.done()) {
            break;
        }
        if work > 0 {
            idle = 0;
            continue;
        }
        idle = idle.saturating_add(1);
        wait(agents, setup, idle, at)?;
    }
    Ok(())
}

/// One wait of a thread that found nothing to do `idle` times in a row.
fn wait(
    agents: &mut [Box<dyn Agent>],
    setup: &mut ThreadSetup,
    idle: u32,
    at: &Cell<usize>,
) -> Result<(), EngineError> {
    const SPINS: u32 = 64;
    const YIELDS: u32 = 128;
    let longest_ns = match setup.wait {
        Wait::Spin => 0,
        Wait::Yield => {
            std::thread::yield_now();
            return Ok(());
        }
        Wait::Backoff => 50_000 << (idle.saturating_sub(YIELDS) / 8).min(4),
        Wait::Block => 50_000_000,
    };
    if longest_ns == 0 || idle < SPINS {
        std::hint::spin_loop();
        return Ok(());
    }
    let longest_ns = if setup.foreign { longest_ns.min(1_000_000) } else { longest_ns };
    let due = agents.iter().filter_map(|agent| agent.due()).min();
    let until_due = due.map_or(u64::MAX, |due| due.saturating_sub(velox_clock::now()));
    let sleep_ns = longest_ns.min(until_due.saturating_sub(WAKE_AHEAD_NS));
    if idle < YIELDS || sleep_ns == 0 {
        std::thread::yield_now();
        return Ok(());
    }
    // The last look happens behind the parked flag, so that a wake-up sent meanwhile is not lost.
    let mut result = Ok(0);
    setup.parker.park_unless(
        || {
            result = poll_all(agents, at);
            setup.control.aborted() || !matches!(result, Ok(0))
        },
        Duration::from_nanos(sleep_ns),
    );
    result.map(|_| ())
}
