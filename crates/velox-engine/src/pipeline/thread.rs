//! A thread of a run: its agents in a loop, how it waits, and what the machine took from it.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use velox_metrics::ThreadCounters;
use velox_ring::Parker;

use super::agent::{Agent, AgentEnd};
use super::control::Control;
use super::error::EngineError;
use super::placement::Wait;
use super::script::Answer;

/// A pause of a spinning thread longer than this is a stall, in ns.
pub const STALL_NS: u64 = 10_000;

/// The longest sleep: what somebody outside the run asks for is seen after it at the latest.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_millis(50);

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

/// Stands for a thread that sleeps.
const ASLEEP: u64 = u64::MAX;

/// A round that takes longer than this is stuck, in ns.
pub(crate) const STUCK_NS: u64 = 1_000_000_000;

/// What a thread leaves at its end.
#[derive(Default)]
pub(crate) struct ThreadEnd {
    pub agents: Vec<AgentEnd>,
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
    pub counters: ThreadCounters,
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

/// What a loop came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// This agent has records for a script in place.
    Offered(usize),
    /// A round found nothing to do.
    Idle,
    /// As many rounds as were asked for are over, and there is more to do.
    Working,
    /// All agents are done, or the run was aborted.
    Ended,
}

/// A thread's agents in a loop that can be left where a script has to run, and gone on with.
pub(crate) struct Loop {
    pub agents: Vec<Box<dyn Agent>>,
    /// The stage of each agent.
    stages: Vec<usize>,
    pub setup: ThreadSetup,
    stalls: Stalls,
    /// The agent that is polled next.
    at: usize,
    /// What this round did so far.
    work: usize,
    idle: u32,
    /// When one of its agents looked at the clock last, or the thread itself where that was later.
    look: Rc<Cell<u64>>,
    /// When the thread looked at the clock last, by itself or by what an agent read.
    last: u64,
    /// A script came back in this round.
    resumed: bool,
}

impl Loop {
    /// `look` is what the agents share.
    pub(crate) fn new(agents: Vec<Box<dyn Agent>>, setup: ThreadSetup, look: Rc<Cell<u64>>) -> Self {
        let stalls = Stalls { log: Vec::with_capacity(setup.stall_log), ..Stalls::default() };
        let stages = agents.iter().map(|agent| agent.stage()).collect();
        let last = velox_clock::now();
        Self { agents, stages, setup, stalls, at: 0, work: 0, idle: 0, look, last, resumed: false }
    }

    /// Starts the agents, and runs what needs no record, so that its code and memory are warm when the run goes.
    pub(crate) fn warm_up(&mut self) {
        for at in 0..self.agents.len() {
            self.at = at;
            let caught = catch_unwind(AssertUnwindSafe(|| self.agents[at].start().map(|()| Turn::Idle)));
            if self.settle(caught) == Turn::Ended {
                return;
            }
        }
        for _ in 0..64 {
            for at in 0..self.agents.len() {
                self.at = at;
                if self.agents[at].is_source() {
                    continue;
                }
                let caught = catch_unwind(AssertUnwindSafe(|| self.agents[at].poll().map(|_| Turn::Idle)));
                if self.settle(caught) == Turn::Ended {
                    return;
                }
            }
        }
        self.at = 0;
        self.last = velox_clock::now();
    }

    /// Polls agent after agent, round after round, until there is something to tell.
    pub(crate) fn turn(&mut self, most_rounds: u32) -> Turn {
        // Unwind safety: after a panic the agents only tell their counters.
        let caught = catch_unwind(AssertUnwindSafe(|| self.rounds(most_rounds)));
        self.settle(caught)
    }

    /// Somebody else had the thread until `now`, a script or the gate: that is no pause of the machine.
    pub(crate) fn resume(&mut self, now: u64) {
        self.last = now;
        self.resumed = true;
    }

    /// When the thread looked at the clock last.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Looks at the clock, where the thread spins.
    fn look(&mut self) {
        if self.setup.wait == Wait::Spin {
            self.looked(self.read());
        }
    }

    /// What an agent read in this round is fresh enough: a look costs as much as all else that the loop does for a record
    /// that comes alone.
    fn read(&self) -> u64 {
        let read = self.look.get();
        if read > self.last { read } else { velox_clock::now() }
    }

    /// A pause since the last look is a stall.
    fn looked(&mut self, now: u64) {
        if now.saturating_sub(self.last) > STALL_NS {
            self.stalls.note(self.last, now);
            self.setup.counters.stalls(self.stalls.count, self.stalls.total_ns, self.stalls.max_ns);
        }
        self.last = now;
        self.look.set(now);
    }

    /// Takes a script's answer, of `now`, to what an agent offered.
    pub(crate) fn commit(&mut self, answer: Answer, now: u64) {
        let Some(agent) = self.agents.get_mut(self.at).filter(|agent| agent.offered() > 0) else { return };
        let caught = catch_unwind(AssertUnwindSafe(|| agent.commit(answer, now)));
        match caught {
            Ok(Ok(moved)) => {
                self.work += moved;
                self.at += 1;
            }
            Ok(Err(error)) => self.fail(error),
            Err(panic) => self.fail(EngineError::Panic(panic_text(&*panic))),
        }
    }

    /// Waits as the thread waits; `longest` at most.
    pub(crate) fn wait(&mut self, longest: Duration) {
        self.idle = self.idle.saturating_add(1);
        let caught = catch_unwind(AssertUnwindSafe(|| {
            wait(&mut self.agents, &mut self.setup, self.idle, &mut self.at, longest)
        }));
        self.at = match self.settle(caught.map(|result| result.map(|()| Turn::Idle))) {
            // An agent that offered while the thread looked once more is met again.
            Turn::Idle => 0,
            _ => self.at,
        };
    }

    /// Ends the run for this reason, which the agent that is at work gave.
    pub(crate) fn fail(&self, error: EngineError) {
        let stage = self.agents.get(self.at).map_or(0, |agent| agent.stage());
        self.fail_at(stage, error);
    }

    /// Ends the run for this reason, which this stage gave.
    pub(crate) fn fail_at(&self, stage: usize, error: EngineError) {
        self.setup.control.fail(stage, error);
    }

    pub(crate) fn end(mut self) -> ThreadEnd {
        for at in 0..self.agents.len() {
            self.at = at;
            let caught = catch_unwind(AssertUnwindSafe(|| self.agents[at].stop()));
            self.settle(caught.map(|()| Ok(Turn::Idle)));
        }
        // A thread that has ended is at no work.
        self.setup.counters.beat(ASLEEP);
        let agents = self.agents.iter_mut().map(|agent| agent.end()).collect();
        ThreadEnd { agents, stalls: self.stalls }
    }

    fn settle(&mut self, caught: std::thread::Result<Result<Turn, EngineError>>) -> Turn {
        match caught {
            Ok(Ok(turn)) => return turn,
            Ok(Err(error)) => self.fail(error),
            Err(panic) => self.fail(EngineError::Panic(panic_text(&*panic))),
        }
        Turn::Ended
    }

    fn rounds(&mut self, most: u32) -> Result<Turn, EngineError> {
        let mut rounds = 0;
        while !self.setup.control.aborted() {
            if rounds == most {
                return Ok(Turn::Working);
            }
            rounds += 1;
            if self.setup.wait != Wait::Spin && !self.resumed {
                self.last = self.read();
            }
            self.look.set(self.last);
            self.setup.counters.beat(self.last);
            while let Some(agent) = self.agents.get_mut(self.at) {
                self.setup.counters.at(self.stages[self.at]);
                self.work += agent.poll()?;
                if agent.offered() > 0 {
                    self.look();
                    return Ok(Turn::Offered(self.at));
                }
                self.at += 1;
            }
            self.at = 0;
            let work = std::mem::take(&mut self.work);
            // Where a script just came back, its last look is fresh.
            if !std::mem::take(&mut self.resumed) {
                self.look();
            }
            if self.agents.iter().all(|agent| agent.done()) {
                return Ok(Turn::Ended);
            }
            if work == 0 {
                return Ok(Turn::Idle);
            }
            self.idle = 0;
        }
        Ok(Turn::Ended)
    }
}

/// Runs a thread's agents until all are done, one fails, or the run is aborted.
pub(crate) fn run(mut agents: Loop) -> ThreadEnd {
    loop {
        match agents.turn(u32::MAX) {
            Turn::Idle => agents.wait(LONGEST_WAIT),
            Turn::Working => {}
            Turn::Ended => return agents.end(),
            Turn::Offered(_) => agents.fail(EngineError::Stage("expected a script's thread, got a native one".into())),
        }
    }
}

fn poll_all(agents: &mut [Box<dyn Agent>], at: &mut usize, counters: &ThreadCounters) -> Result<usize, EngineError> {
    let mut work = 0;
    for (i, agent) in agents.iter_mut().enumerate() {
        *at = i;
        counters.at(agent.stage());
        work += agent.poll()? + agent.offered();
    }
    Ok(work)
}

/// One wait of a thread that found nothing to do `idle` times in a row.
fn wait(
    agents: &mut [Box<dyn Agent>],
    setup: &mut ThreadSetup,
    idle: u32,
    at: &mut usize,
    longest: Duration,
) -> Result<(), EngineError> {
    const SPINS: u32 = 64;
    const YIELDS: u32 = 128;
    let longest_ns = match setup.wait {
        Wait::Spin => 0,
        Wait::Yield => {
            std::thread::yield_now();
            return Ok(());
        }
        // Where all wake-ups are sent, a timer that fires before them is one more thread for the cores to share.
        Wait::Backoff if setup.foreign => 50_000 << (idle.saturating_sub(YIELDS) / 8).min(4),
        Wait::Backoff => 1_000_000,
        Wait::Block => LONGEST_WAIT.as_nanos() as u64,
    };
    if longest_ns == 0 || idle < SPINS {
        std::hint::spin_loop();
        return Ok(());
    }
    let longest_ns = if setup.foreign { longest_ns.min(1_000_000) } else { longest_ns };
    let due = agents.iter().filter_map(|agent| agent.due()).min();
    let until_due = due.map_or(u64::MAX, |due| due.saturating_sub(velox_clock::now()));
    let sleep_ns = longest_ns.min(until_due.saturating_sub(WAKE_AHEAD_NS)).min(longest.as_nanos() as u64);
    if idle < YIELDS || sleep_ns == 0 {
        std::thread::yield_now();
        return Ok(());
    }
    // The last look happens behind the parked flag, so that a wake-up sent meanwhile is not lost.
    let mut result = Ok(0);
    let counters = &setup.counters;
    setup.parker.park_unless(
        || {
            result = poll_all(agents, at, counters);
            let stays = setup.control.aborted() || !matches!(result, Ok(0));
            if !stays {
                counters.beat(ASLEEP);
            }
            stays
        },
        Duration::from_nanos(sleep_ns),
    );
    result.map(|_| ())
}
