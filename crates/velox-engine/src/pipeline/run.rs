//! A pipeline that runs.

use std::sync::atomic::{AtomicU64, Ordering};
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
use super::script::HostedThread;
use super::thread::{Stalls, ThreadEnd, ThreadSetup, panic_text, run};

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
    /// When the source was let go, on the clock; 0 before.
    pub(crate) started: Arc<AtomicU64>,
    control: Arc<Control>,
}

/// A pipeline that runs on threads of its own. Dropping it aborts the run and waits for the threads.
pub struct Run {
    handle: RunHandle,
    threads: Vec<Thread>,
    hosted: Vec<HostedThread>,
}

/// A thread that the run waits for.
enum Thread {
    Native(JoinHandle<ThreadEnd>),
    /// A script's own thread.
    Hosted(mpsc::Receiver<ThreadEnd>),
}

impl Thread {
    fn join(self, control: &Control) -> ThreadEnd {
        let failure = match self {
            Self::Native(thread) => match thread.join() {
                Ok(end) => return end,
                Err(panic) => EngineError::Panic(panic_text(&*panic)),
            },
            Self::Hosted(end) => match end.recv() {
                Ok(end) => return end,
                // Nobody opened it: because of an abort, most of the time.
                Err(_) if control.aborted() => {
                    return ThreadEnd { agents: Vec::new(), failure: None, stalls: Stalls::default() };
                }
                Err(_) => EngineError::Script("the script's thread ended before it began".into()),
            },
        };
        ThreadEnd { agents: Vec::new(), failure: Some((0, failure)), stalls: Stalls::default() }
    }
}

/// What a thread builds its agents from.
pub(crate) struct Plan {
    receiver: Option<BuildReceiver>,
    builds: Vec<(usize, Build)>,
    sender: Option<BuildSender>,
    wiring: Wiring,
    setup: ThreadSetup,
    before: Waker,
    behind: Waker,
    core: Option<usize>,
}

impl Plan {
    /// On the thread that it is for.
    pub(crate) fn build(self) -> (Vec<Box<dyn Agent>>, ThreadSetup) {
        let Self { receiver, builds, sender, mut wiring, setup, before, behind, .. } = self;
        let mut agents = Vec::new();
        let mut port: Port = Box::new(());
        if let Some(receiver) = receiver {
            let (agent, batch) = receiver(before);
            agents.push(agent);
            port = batch;
        }
        for (index, build) in builds {
            wiring.index = index;
            let (agent, batch) = build(port, &wiring);
            agents.push(agent);
            port = batch;
        }
        agents.extend(sender.map(|sender| sender(port, behind)));
        (agents, setup)
    }

    /// Keeps this thread on its core; says whether the system did.
    pub(crate) fn pin(&self) -> bool {
        self.core.is_none_or(pin)
    }

    pub(crate) fn control(&self) -> Arc<Control> {
        Arc::clone(&self.setup.control)
    }
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

        let (parkers, wakers): (Vec<_>, Vec<_>) = placement.iter().map(|_| Parker::new()).unzip();
        control.sleepers.lock().unwrap_or_else(PoisonError::into_inner).extend(wakers.iter().cloned());
        let mut plans = Vec::new();
        let mut steps = pipeline.steps.into_iter().enumerate();
        let mut receiver = None;
        for (i, (placed, parker)) in placement.iter().zip(parkers).enumerate() {
            let mut builds = Vec::new();
            let mut cut = None;
            let (mut foreign, mut scripted) = (false, false);
            for (index, step) in steps.by_ref().take(placed.stages.len()) {
                foreign |= step.foreign;
                scripted |= step.scripted;
                builds.push((index, step.build));
                cut = Some((index, step.cut));
            }
            let (index, cut) = cut.expect("every thread has a stage");
            let ends = edges.get(index).map(|edge| cut(index, Arc::clone(edge)));
            let (sender, next) = ends.unzip();
            let plan = Plan {
                receiver: std::mem::replace(&mut receiver, next),
                builds,
                sender,
                wiring: Wiring {
                    index: 0,
                    stages: Arc::clone(&stages),
                    edges: Arc::clone(&edges),
                    control: Arc::clone(&control),
                },
                setup: ThreadSetup {
                    wait: placed.wait,
                    parker,
                    control: Arc::clone(&control),
                    stall_log: options.stall_log,
                    foreign,
                },
                before: wakers[i.saturating_sub(1)].clone(),
                behind: wakers[(i + 1).min(wakers.len() - 1)].clone(),
                core: placed.core,
            };
            plans.push((plan, scripted));
        }

        let (ready, readied) = mpsc::channel();
        let (mut threads, mut hosted) = (Vec::new(), Vec::new());
        for (i, (plan, scripted)) in plans.into_iter().enumerate() {
            if scripted {
                let (thread, end) = HostedThread::new(plan, placement[i].stages.clone());
                hosted.push(thread);
                threads.push(Thread::Hosted(end));
                continue;
            }
            let ready = ready.clone();
            let body = move || {
                let control = plan.control();
                // A panic outside of the stages' own borders must not leave the other threads waiting for this one.
                let _guard = AbortOnPanic(Arc::clone(&control));
                let pinned = plan.pin();
                let (agents, setup) = plan.build();
                let _ = ready.send((i, pinned));
                // `start` goes on when every sender is gone.
                drop(ready);
                control.wait_at_gate();
                run(agents, setup)
            };
            match std::thread::Builder::new().name(format!("velox-{i}")).spawn(body) {
                Ok(thread) => threads.push(Thread::Native(thread)),
                Err(reason) => {
                    // The threads that are there end at once, and with them what they hold.
                    control.abort();
                    drop(hosted);
                    for thread in threads {
                        drop(thread.join(&control));
                    }
                    let stages = placement[i].stages.join(", ");
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
        let handle = RunHandle { names, stages, edges, placement: placement.into(), started: Arc::default(), control };
        if hosted.is_empty() {
            handle.go();
        }
        Ok(Self { handle, threads, hosted })
    }

    /// The threads that scripts are to run, each on its own: the run goes when all are open and [`RunHandle::go`] was
    /// called.
    pub fn take_hosted(&mut self) -> Vec<HostedThread> {
        std::mem::take(&mut self.hosted)
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
        // What nobody took to run it never begins.
        self.hosted.clear();
        let threads = std::mem::take(&mut self.threads);
        let mut ends: Vec<ThreadEnd> = threads.into_iter().map(|thread| thread.join(&self.handle.control)).collect();
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
        self.hosted.clear();
        for thread in std::mem::take(&mut self.threads) {
            drop(thread.join(&self.handle.control));
        }
    }
}

impl RunHandle {
    /// Lets the source go. A run without scripts goes by itself.
    pub fn go(&self) {
        self.started.store(velox_clock::now(), Ordering::Relaxed);
        self.control.open_gate();
    }

    /// Ends the source; what is on the way arrives.
    pub fn stop(&self) {
        self.control.stop();
    }

    /// Ends the run where it is.
    pub fn abort(&self) {
        self.control.abort();
    }

    pub(crate) fn elapsed_ns(&self) -> u64 {
        match self.started.load(Ordering::Relaxed) {
            0 => 0,
            started => velox_clock::now().saturating_sub(started),
        }
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
