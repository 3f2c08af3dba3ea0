//! A pipeline that runs.

use std::sync::mpsc;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use thiserror::Error;
use velox_ring::{Parker, Waker};

use super::agent::Agent;
use super::control::Control;
use super::counters::{EdgeCounters, StageCounters};
use super::error::{EngineError, StartError};
use super::flow::Nothing;
use super::placement::{Placement, Threads, Wait, place};
use super::plan::{Build, BuildReceiver, BuildSender, Pipeline, Port, Wiring};
use super::report::{Report, Stats};
use super::thread::{ThreadEnd, ThreadSetup, panic_text, run};

/// How a pipeline starts.
#[derive(Debug, Clone, Default)]
pub struct StartOptions {
    /// Which threads run which stages.
    pub threads: Threads,
    /// How threads wait for work, where [`Threads::Named`] doesn't say otherwise.
    pub wait: Wait,
    /// How many stalls of each thread the report keeps with their times.
    pub stall_log: usize,
}

/// Why a run has no plain report.
#[derive(Debug, Error)]
pub enum RunError {
    /// A stage failed; the run ended with it.
    #[error("stage {stage} failed: {cause}")]
    Failed {
        /// Its name.
        stage: String,
        /// Of what.
        cause: EngineError,
        /// The accounts at that moment.
        report: Box<Report>,
    },
    /// [`RunHandle::abort`] was called.
    #[error("the run was aborted")]
    Aborted {
        /// The accounts at that moment.
        report: Box<Report>,
    },
}

/// The accounts and the orders of a run, for any thread.
#[derive(Clone)]
pub struct RunHandle {
    pub(crate) names: Arc<[String]>,
    pub(crate) stages: Arc<[Arc<StageCounters>]>,
    pub(crate) edges: Arc<[Arc<EdgeCounters>]>,
    pub(crate) placement: Arc<[Placement]>,
    pub(crate) started: u64,
    control: Arc<Control>,
}

/// A pipeline that runs on threads of its own. Dropping it aborts the run and waits for the threads.
pub struct Run {
    handle: RunHandle,
    threads: Vec<JoinHandle<ThreadEnd>>,
}

/// What a thread builds its agents from.
struct Plan {
    receiver: Option<BuildReceiver>,
    builds: Vec<(usize, Build)>,
    sender: Option<BuildSender>,
    /// Whether it has to look by itself for what somebody outside the run does.
    foreign: bool,
}

fn build(plan: Plan, wiring: &mut Wiring, before: &Waker, behind: &Waker) -> Vec<Box<dyn Agent>> {
    let mut agents = Vec::new();
    let mut port: Port = Box::new(());
    if let Some(receiver) = plan.receiver {
        let (agent, batch) = receiver(before.clone());
        agents.push(agent);
        port = batch;
    }
    for (index, build) in plan.builds {
        wiring.index = index;
        let (agent, batch) = build(port, wiring);
        agents.push(agent);
        port = batch;
    }
    agents.extend(plan.sender.map(|sender| sender(port, behind.clone())));
    agents
}

struct AbortOnPanic(Arc<Control>);

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abort();
        }
    }
}

/// Keeps this thread on a core, counted from 0 among those that the process may use; says whether the system did.
fn pin(core: usize) -> bool {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    cores.get(core).is_some_and(|id| core_affinity::set_for_current(*id))
}

impl Run {
    pub(crate) fn start(pipeline: Pipeline<Nothing>, options: &StartOptions) -> Result<Self, StartError> {
        // Calibration waits for its baseline here, not inside the first stage that asks for the time.
        velox_clock::init_tsc();
        let names: Arc<[String]> = pipeline.names().into();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut placement = place(&names, &options.threads, options.wait, cores)?;
        let stages: Arc<[Arc<StageCounters>]> = names.iter().map(|_| Arc::default()).collect();
        let edges: Arc<[Arc<EdgeCounters>]> = names.iter().skip(1).map(|_| Arc::default()).collect();
        let control = Arc::new(Control::default());

        let mut plans = Vec::new();
        let mut steps = pipeline.steps.into_iter().enumerate();
        let mut receiver = None;
        for placed in &placement {
            let mut builds = Vec::new();
            let mut cut = None;
            let mut foreign = false;
            for (index, step) in steps.by_ref().take(placed.stages.len()) {
                foreign |= step.foreign;
                builds.push((index, step.build));
                cut = Some((index, step.cut));
            }
            let (index, cut) = cut.expect("every thread has a stage");
            let ends = edges.get(index).map(|edge| cut(index, Arc::clone(edge)));
            let (sender, next) = ends.unzip();
            plans.push(Plan { receiver: std::mem::replace(&mut receiver, next), builds, sender, foreign });
        }

        let (parkers, wakers): (Vec<_>, Vec<_>) = plans.iter().map(|_| Parker::new()).unzip();
        control.sleepers.lock().unwrap_or_else(PoisonError::into_inner).extend(wakers.iter().cloned());
        let (ready, readied) = mpsc::channel();
        let mut gates = Vec::new();
        let mut threads = Vec::new();
        for (i, (plan, parker)) in plans.into_iter().zip(parkers).enumerate() {
            let mut wiring = Wiring {
                index: 0,
                stages: Arc::clone(&stages),
                edges: Arc::clone(&edges),
                control: Arc::clone(&control),
            };
            let setup = ThreadSetup {
                wait: placement[i].wait,
                parker,
                control: Arc::clone(&control),
                stall_log: options.stall_log,
                foreign: plan.foreign,
            };
            let (before, behind) = (wakers[i.saturating_sub(1)].clone(), wakers[(i + 1).min(wakers.len() - 1)].clone());
            let core = placement[i].core;
            let (ready, (gate, gated)) = (ready.clone(), mpsc::channel::<()>());
            gates.push(gate);
            let body = move || {
                // A panic outside of the stages' own borders must not leave the other threads waiting for this one.
                let _guard = AbortOnPanic(Arc::clone(&setup.control));
                let pinned = core.is_none_or(pin);
                let agents = build(plan, &mut wiring, &before, &behind);
                drop((before, behind));
                let _ = ready.send((i, pinned));
                // `start` goes on when every sender is gone.
                drop(ready);
                // Closed instead of opened: the run did not start.
                if gated.recv().is_err() {
                    setup.control.abort();
                }
                run(agents, setup)
            };
            let stages = placement[i].stages.join(", ");
            match std::thread::Builder::new().name(format!("velox-{i}")).spawn(body) {
                Ok(thread) => threads.push(thread),
                Err(reason) => {
                    // Without their gates the threads that are there end at once, and with them what they hold.
                    drop(gates);
                    for thread in threads {
                        let _ = thread.join();
                    }
                    return Err(StartError::Thread { stages, reason: reason.to_string() });
                }
            }
        }
        drop(ready);
        for (i, pinned) in readied {
            if !pinned {
                placement[i].core = None;
                placement[i].why.push_str("; the OS refused the pin");
            }
        }
        for gate in &gates {
            let _ = gate.send(());
        }
        let started = velox_clock::now();
        let handle = RunHandle { names, stages, edges, placement: placement.into(), started, control };
        Ok(Self { handle, threads })
    }

    /// The accounts and the orders of the run, for any thread.
    pub fn handle(&self) -> RunHandle {
        self.handle.clone()
    }

    /// Ends the source; what is on the way arrives. Returns at once: [`wait`](Self::wait) waits.
    pub fn stop(&self) {
        self.handle.stop();
    }

    /// Waits for the end of the run.
    ///
    /// # Errors
    /// [`RunError`]: a stage failed, or the run was aborted. Both carry the accounts.
    pub fn wait(mut self) -> Result<Report, RunError> {
        let mut ends = Vec::new();
        for thread in std::mem::take(&mut self.threads) {
            ends.push(thread.join().unwrap_or_else(|panic| ThreadEnd {
                agents: Vec::new(),
                failure: Some((0, EngineError::Panic(panic_text(&*panic)))),
                stalls: super::thread::Stalls::default(),
            }));
        }
        let failure = ends.iter_mut().find_map(|end| end.failure.take());
        let report = Report::assemble(&self.handle, ends);
        match failure {
            Some((stage, cause)) => {
                Err(RunError::Failed { stage: self.handle.names[stage].clone(), cause, report: Box::new(report) })
            }
            None if self.handle.control.aborted() => Err(RunError::Aborted { report: Box::new(report) }),
            None => Ok(report),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.threads.is_empty() {
            self.handle.abort();
        }
        for thread in std::mem::take(&mut self.threads) {
            let _ = thread.join();
        }
    }
}

impl RunHandle {
    /// Ends the source; what is on the way arrives.
    pub fn stop(&self) {
        self.control.stop();
    }

    /// Ends the run where it is.
    pub fn abort(&self) {
        self.control.abort();
    }

    /// Which threads run which stages.
    pub fn placement(&self) -> &[Placement] {
        &self.placement
    }

    /// The accounts now. Allocates; reads downstream first, so that no account is ahead of the one before it.
    pub fn stats(&self) -> Stats {
        Stats::read(self)
    }
}
