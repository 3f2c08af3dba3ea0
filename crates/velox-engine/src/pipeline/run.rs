//! A pipeline that runs.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use thiserror::Error;
use velox_metrics::{
    Buckets, EdgeCounters, Family, HistogramOf, Hop, Labels, Metrics, Shape, Snapshot, Watched, families, text,
};
use velox_ring::{Parker, Waker};

use super::agent::Agent;
use super::control::Control;
use super::error::{EngineError, StartError};
use super::gauges::{self, Gauges};
use super::graph::{Build, BuildReceiver, BuildSender, Carrier, Edge, Graph, Slot, WhenFull, Wiring};
use super::machine::{Machine, Sleepless};
use super::placement::{Placement, Threads, Wait, place};
use super::report::Report;
use super::script::HostedThread;
use super::span::Span;
use super::stats::{HopBuckets, Stats};
use super::thread::{Loop, STUCK_NS, ThreadEnd, ThreadSetup, panic_text, run};
use super::topology::{Link, Topology};

/// How a pipeline starts.
#[derive(Debug, Clone)]
pub struct StartOptions {
    /// What the run is called where it is looked at from outside. Default: `pipeline`.
    pub name: String,
    /// Which threads run which stages.
    pub threads: Threads,
    /// How threads wait for work, where [`Threads::Named`] doesn't say otherwise.
    pub wait: Wait,
    /// How many stalls of each thread the report keeps with their times.
    pub stall_log: usize,
    /// Whether latencies are measured, and told to other processes in a [file](velox_metrics::folder). Default: yes.
    /// Without, the accounts are kept all the same, as the report is made of them.
    pub metrics: bool,
}

impl Default for StartOptions {
    fn default() -> Self {
        let (name, threads, wait) = (String::new(), Threads::default(), Wait::default());
        Self { name, threads, wait, stall_log: 0, metrics: true }
    }
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
    pub(crate) topology: Arc<Topology>,
    placed: Arc<Placed>,
    pub(crate) shape: Arc<Shape>,
    metrics: Arc<Metrics>,
    control: Arc<Control>,
}

/// The numbers of a run, for any thread: to look at, and without a way to act on it. They stay after its end.
#[derive(Clone)]
pub struct RunMetrics {
    shape: Arc<Shape>,
    metrics: Arc<Metrics>,
}

impl RunMetrics {
    /// The numbers now as text for Prometheus ([`families`]), `labels` with each. The run doesn't notice: its words are
    /// read as they are. Allocates.
    pub fn prometheus(&self, labels: &Labels) -> String {
        text(&families(&self.shape, &self.metrics.snapshot(velox_clock::now())), labels)
    }

    /// Looks at the same numbers as families.
    pub fn with_families<R>(&self, look: impl FnOnce(&[Family<'_>]) -> R) -> R {
        look(&families(&self.shape, &self.metrics.snapshot(velox_clock::now())))
    }
}

/// A pipeline that runs on threads of its own. Dropping it aborts the run and waits for the threads.
pub struct Run {
    handle: RunHandle,
    threads: Vec<Thread>,
    hosted: Vec<HostedThread>,
    watched: Option<Watched>,
    sleepless: Option<Sleepless>,
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
                Err(_) if control.aborted() => return ThreadEnd::default(),
                Err(_) => EngineError::Script("the script's thread ended before it began".into()),
            },
        };
        control.fail(0, failure);
        ThreadEnd::default()
    }
}

/// Waits for all threads; gives what they left, in their order. Those of scripts first: one that nobody opened fails the run,
/// and until then the native ones may wait at the gate.
fn join(threads: Vec<Thread>, control: &Control) -> Vec<ThreadEnd> {
    let (scripts, native): (Vec<_>, Vec<_>) =
        threads.into_iter().enumerate().partition(|(_, thread)| matches!(thread, Thread::Hosted(_)));
    let joined = scripts.into_iter().chain(native).map(|(at, thread)| (at, thread.join(control)));
    let mut ends: Vec<_> = joined.collect();
    ends.sort_by_key(|(at, _)| *at);
    ends.into_iter().map(|(_, end)| end).collect()
}

/// One end of an edge, for the thread that builds it.
enum PlannedEnd {
    /// Both ends are on this thread.
    Whole,
    /// The other end is on another thread.
    Far(BuildReceiver, Waker),
    Near(BuildSender, Waker),
}

struct PlannedEdge {
    edge: usize,
    carrier: Carrier,
    capacity: usize,
    drops: bool,
    counters: EdgeCounters,
    end: PlannedEnd,
}

/// A node whose state another looks at, and the edges on the way.
type Watch = (usize, Vec<usize>);

/// A node with the ends of its edges.
struct PlannedNode {
    index: usize,
    build: Build,
    gauges: Gauges,
    inputs: Vec<PlannedEdge>,
    outputs: Vec<PlannedEdge>,
    /// Whether a script runs it, which says itself whether it looks.
    scripted: bool,
    /// The nodes whose state it looks at, and the edges on the way where all is on this thread.
    watches: Vec<Option<Watch>>,
}

/// Which threads run which stages, with what each of them found when it came up.
struct Placed(Mutex<Vec<Placement>>);

impl Placed {
    fn now(&self) -> Vec<Placement> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn refused(&self, thread: usize) {
        let placed = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner)[thread];
        placed.core = None;
        placed.why.push_str("; the OS refused the pin");
    }
}

/// What a thread builds its agents from.
pub(crate) struct Plan {
    nodes: Vec<PlannedNode>,
    setup: ThreadSetup,
    /// Its number.
    thread: usize,
    core: Option<usize>,
    placed: Arc<Placed>,
}

impl Plan {
    /// On the thread that it is for.
    pub(crate) fn build(self) -> Loop {
        let Self { nodes, setup, .. } = self;
        let (mut agents, mut waiting) = (Vec::<Box<dyn Agent>>::new(), HashMap::<usize, Slot>::new());
        let look = Rc::new(Cell::new(0));
        let mut spans = HashMap::<usize, Rc<Span>>::new();
        let mut on_way = HashMap::<usize, Vec<Rc<Span>>>::new();
        let mut ways = HashMap::<usize, Vec<Rc<Span>>>::new();
        for node in &nodes {
            for (state, edges) in node.watches.iter().flatten() {
                let span: &Rc<Span> = spans.entry(*state).or_default();
                if !node.scripted {
                    span.activate();
                }
                for edge in edges {
                    on_way.entry(*edge).or_default().push(Rc::clone(span));
                }
                for other in nodes.iter().filter(|other| other.outputs.iter().any(|end| edges.contains(&end.edge))) {
                    ways.entry(other.index).or_default().push(Rc::clone(span));
                }
            }
        }
        for PlannedNode { index, build, gauges, inputs, outputs, watches, .. } in nodes {
            let mut wiring = Wiring {
                index,
                gauges,
                look: Rc::clone(&look),
                control: Arc::clone(&setup.control),
                waker: setup.parker.waker(),
                inputs: Vec::new(),
                outputs: Vec::new(),
                span: spans.get(&index).map(Rc::clone),
                ways: ways.remove(&index).unwrap_or_default(),
                watched: watches.iter().flatten().map(|(state, _)| Rc::clone(&spans[state])).collect(),
                watches: watches.len(),
            };
            for PlannedEdge { edge, carrier, counters, end, .. } in inputs {
                let slot = match end {
                    PlannedEnd::Far(receiver, peer) => {
                        let (agent, slot) = receiver(peer);
                        agents.push(agent);
                        slot
                    }
                    _ => waiting.remove(&edge).expect("the node before this one was built first"),
                };
                for span in on_way.remove(&edge).unwrap_or_default() {
                    span.watch((carrier.is_empty)(&slot));
                }
                wiring.inputs.push(Some((slot, edge, counters)));
            }
            let mut senders = Vec::new();
            for PlannedEdge { edge, carrier, capacity, drops, counters, end } in outputs {
                let (near, far) = (carrier.batch)(capacity, drops);
                match end {
                    PlannedEnd::Near(sender, peer) => senders.push(sender(far, peer)),
                    _ => drop(waiting.insert(edge, far)),
                }
                wiring.outputs.push(Some((near, edge, counters)));
            }
            agents.push(build(&mut wiring));
            agents.extend(senders);
        }
        Loop::new(agents, setup, look)
    }

    /// Keeps this thread on its core. Where the system doesn't, the run's placement says so.
    pub(crate) fn pin(&self) {
        if !self.core.is_none_or(pin) {
            self.placed.refused(self.thread);
        }
    }

    pub(crate) fn control(&self) -> Arc<Control> {
        Arc::clone(&self.setup.control)
    }
}

/// Cuts a graph into what each thread builds.
fn cut(
    graph: Graph,
    placement: &[Placement],
    placed: &Arc<Placed>,
    metrics: &Metrics,
    shape: &Shape,
    wakers: &[Waker],
    mut setup: impl FnMut(usize, bool) -> ThreadSetup,
) -> Vec<(Plan, bool)> {
    let named = |name: &String| placement.iter().position(|placed| placed.stages.contains(name));
    let thread_of: Vec<usize> =
        graph.nodes.iter().map(|node| named(&node.name).expect("every stage is placed")).collect();
    let ways: Vec<Vec<Option<Watch>>> = graph
        .nodes
        .iter()
        .map(|node| {
            let way = |path: &Vec<usize>| {
                let state = graph.before(path)?;
                let together = path.iter().all(|at| thread_of[*at] == thread_of[state]);
                // The first edge is the state's own output, which it looks at itself.
                let edges = path.iter().skip(1).flat_map(|at| &graph.nodes[*at].inputs).copied();
                together.then(|| (state, edges.collect()))
            };
            node.watches.iter().map(way).collect()
        })
        .collect();
    let mut ends: Vec<(Option<PlannedEdge>, Option<PlannedEdge>)> = Vec::new();
    for (index, Edge { from, to, options, carrier }) in graph.edges.into_iter().enumerate() {
        let (near, far) = (thread_of[from], thread_of[to]);
        let counters = metrics.edge(index);
        let planned = |capacity, drops, end| {
            Some(PlannedEdge { edge: index, carrier, capacity, drops, counters: counters.clone(), end })
        };
        ends.push(if near == far {
            let drops = options.when_full == WhenFull::Drop;
            let capacity = options.capacity.unwrap_or_default();
            (planned(capacity, drops, PlannedEnd::Whole), planned(capacity, drops, PlannedEnd::Whole))
        } else {
            let (sender, receiver) = (carrier.cut)(index, &options, &counters);
            let near_end = PlannedEnd::Near(sender, wakers[far].clone());
            (planned(0, false, near_end), planned(0, false, PlannedEnd::Far(receiver, wakers[near].clone())))
        });
    }
    let mut plans: Vec<(Vec<PlannedNode>, bool, bool)> = placement.iter().map(|_| (Vec::new(), false, false)).collect();
    for ((index, node), watches) in graph.nodes.into_iter().enumerate().zip(ways) {
        let (nodes, foreign, scripted) = &mut plans[thread_of[index]];
        *foreign |= node.foreign;
        *scripted |= node.scripted;
        nodes.push(PlannedNode {
            index,
            scripted: node.scripted,
            build: node.build,
            gauges: Gauges::of(metrics, shape, index),
            inputs: node.inputs.iter().filter_map(|edge| ends[*edge].1.take()).collect(),
            outputs: node.outputs.iter().flatten().filter_map(|edge| ends[*edge].0.take()).collect(),
            watches,
        });
    }
    let plans = plans.into_iter().enumerate();
    plans
        .map(|(i, (nodes, foreign, scripted))| {
            let (setup, core, placed) = (setup(i, foreign), placement[i].core, Arc::clone(placed));
            (Plan { nodes, setup, thread: i, core, placed }, scripted)
        })
        .collect()
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
    pub(crate) fn start(graph: Graph, options: &StartOptions) -> Result<Self, StartError> {
        graph.check()?;
        // Calibration waits for its baseline here, not inside the first stage that asks for the time.
        velox_clock::init_tsc();
        let names = graph.names();
        let (placement, sleepless) =
            Sleepless::place(|machine| place(&names, &graph.units(), &options.threads, options.wait, machine))?;
        let metrics = gauges::metrics(&graph, &placement, Machine::now().cores, options);
        let shape = metrics.shape();
        let topology = Arc::new(Topology::of(&graph));
        let control = Arc::new(Control::default());
        let placed = Arc::new(Placed(Mutex::new(placement.clone())));

        let (parkers, wakers): (Vec<_>, Vec<_>) = placement.iter().map(|_| Parker::new()).unzip();
        control.sleepers.lock().unwrap_or_else(PoisonError::into_inner).extend(wakers.iter().cloned());
        let mut parkers = parkers.into_iter();
        let plans = cut(graph, &placement, &placed, &metrics, &shape, &wakers, |i, foreign| ThreadSetup {
            wait: placement[i].wait,
            parker: parkers.next().expect("a parker a thread"),
            control: Arc::clone(&control),
            stall_log: options.stall_log,
            foreign,
            counters: metrics.thread(i),
        });

        let (ready, readied) = mpsc::channel::<()>();
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
                plan.pin();
                let mut agents = plan.build();
                agents.warm_up();
                // `start` goes on when every sender is gone.
                drop(ready);
                control.wait_at_gate();
                // The wait for the others is no pause of the machine.
                agents.resume(velox_clock::now());
                run(agents)
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
        let _ = readied.recv();
        let shape = Arc::new(Shape { threads: gauges::threads(&placed.now()), ..shape });
        let watched = options.metrics.then(|| {
            metrics.publish(shape.threads.clone());
            let hiccups = shape.histogram(None, Hop::Hiccup).and_then(|at| metrics.histogram(at));
            velox_metrics::watch(&metrics, hiccups)
        });
        let handle = RunHandle { topology, placed, shape, metrics, control };
        if hosted.is_empty() {
            handle.go();
        }
        Ok(Self { handle, threads, hosted, watched, sleepless: Some(sleepless) })
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
        let ends = join(std::mem::take(&mut self.threads), &self.handle.control);
        self.end();
        let failure = self.handle.control.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        let report = Report::assemble(&self.handle, ends);
        match failure {
            Some((stage, cause)) => Err(RunError::Failed {
                stage: self.handle.shape.stages.get(stage).cloned().unwrap_or_default(),
                cause,
                report: Box::new(report),
            }),
            None if self.handle.control.aborted() => Err(RunError::Aborted { report: Box::new(report) }),
            None => Ok(report),
        }
    }
}

impl Run {
    /// Nothing moves any more.
    fn end(&mut self) {
        self.sleepless = None;
        self.handle.metrics.end(self.handle.control.state());
        self.watched = None;
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
        self.end();
    }
}

impl RunHandle {
    /// Lets the source go. A run without scripts goes by itself.
    pub fn go(&self) {
        let threads = gauges::threads(&self.placement());
        // A script's thread comes up behind the start.
        if threads != self.shape.threads {
            self.metrics.placed(threads);
        }
        self.metrics.started(velox_clock::now());
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

    /// Sources give nothing until [`resume`](Self::resume); what is on the way goes on. What was scheduled shifts by as
    /// long as it lasted.
    pub fn pause(&self) {
        self.control.pause(true);
    }

    /// Ends a pause.
    pub fn resume(&self) {
        self.control.pause(false);
    }

    /// Fails the run for a reason from outside its threads, as an error of this stage.
    pub fn fail(&self, stage: &str, reason: String) {
        let stage = self.shape.stages.iter().position(|name| name == stage).unwrap_or(0);
        self.control.fail(stage, EngineError::Script(reason));
    }

    /// Wakes threads that sleep: somebody outside has left records, or made room.
    pub fn wake(&self) {
        self.control.wake();
    }

    /// Whether the run ends where it is: it was aborted, or a stage has failed.
    pub fn is_aborted(&self) -> bool {
        self.control.aborted()
    }

    /// The stages that have not come back from their work for a second. A stage that waits for records is none of them.
    pub fn stuck(&self) -> Vec<&str> {
        self.snapshot().stuck(STUCK_NS).filter_map(|stage| self.shape.stages.get(stage)).map(String::as_str).collect()
    }

    /// The names of the stages, by number.
    pub fn names(&self) -> &[String] {
        &self.shape.stages
    }

    /// Whether an edge leads from one thread to another.
    pub fn crosses(&self, link: &Link) -> bool {
        let Shape { stages, threads, .. } = &*self.shape;
        let on = |stage: usize| threads.iter().position(|thread| thread.stages.contains(&stages[stage]));
        on(link.from) != on(link.to)
    }

    /// What leads where.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.metrics.snapshot(velox_clock::now())
    }

    /// Which threads run which stages, as they are: a pin that the system refused is told. A thread of scripts is pinned
    /// where it is [opened](HostedThread::open). Allocates.
    pub fn placement(&self) -> Vec<Placement> {
        self.placed.now()
    }

    /// The accounts now. Allocates; reads downstream first, so that no account is ahead of the one before it.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.shape, &self.snapshot())
    }

    /// The histograms now, each whole, for who wants more than percentiles. Allocates; none where the run was started
    /// without metrics.
    pub fn histograms(&self) -> Vec<HopBuckets> {
        let of = |(of, buckets): (&HistogramOf, &Buckets)| {
            let stage = of.stage.map(|stage| self.shape.stages[stage].clone());
            let one = |hop: &Hop| HopBuckets { stage: stage.clone(), hop: *hop, buckets: buckets.clone() };
            of.hops.iter().map(one).collect::<Vec<_>>()
        };
        self.shape.histograms.iter().zip(&self.snapshot().histograms).flat_map(of).collect()
    }

    /// The numbers alone, to be looked at by whoever may not act on the run.
    ///
    /// ```
    /// use velox_engine::feed::{Poisson, PoissonOptions};
    /// use velox_engine::metrics::Labels;
    /// use velox_engine::pipeline::{Pace, Paced, Pipeline, StartOptions};
    /// use velox_engine::stages::Count;
    ///
    /// let market = Poisson::new(PoissonOptions { per_second: 1e5, count: Some(100), seed: 1 })?;
    /// let source = Paced::new(Box::new(market), Pace::Max, &[]);
    /// let run = Pipeline::from("poisson", source).to("output", Count::default()).start(StartOptions::default())?;
    /// let metrics = run.handle().metrics();
    /// run.wait()?;
    /// assert!(metrics.prometheus(&Labels::default()).contains("\nvelox_transactions_total 200\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn metrics(&self) -> RunMetrics {
        let shape = Arc::new(Shape { threads: gauges::threads(&self.placement()), ..(*self.shape).clone() });
        RunMetrics { shape, metrics: Arc::clone(&self.metrics) }
    }

    /// The file in which other processes find the metrics; none after the end, and where none could be made.
    pub fn metrics_file(&self) -> Option<PathBuf> {
        self.metrics.path()
    }
}
