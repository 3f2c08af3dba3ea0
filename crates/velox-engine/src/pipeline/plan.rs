//! The declaration of a pipeline: a typed chain of steps, built on its threads when it starts.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use velox_ring::{Waker, ring};

use super::agent::{Agent, Crossing, Receiver, Sender, StageAgent};
use super::batch::{Batch, Shared};
use super::control::Control;
use super::counters::{EdgeCounters, StageCounters};
use super::error::StartError;
use super::flow::{Flow, Nothing};
use super::latency::Latency;
use super::run::{Run, StartOptions};
use super::script::ScriptAgent;
use super::source::{Source, SourceAgent};
use super::stage::{Stage, Tally};

/// How many records the ring between two threads holds.
const RING_CAPACITY: usize = 4096;

/// A `Shared<T>` on its way between two steps; the typed builder makes sure that both mean the same `T`.
pub(crate) type Port = Box<dyn Any>;

/// Makes a step's agent on its thread, from the batch before it; gives the batch behind it.
pub(crate) type Build = Box<dyn FnOnce(Port, &Wiring) -> (Box<dyn Agent>, Port) + Send>;

/// Makes the near end of a cut from the batch before it.
pub(crate) type BuildSender = Box<dyn FnOnce(Port, Waker) -> Box<dyn Agent> + Send>;

/// Makes the far end of a cut, and the batch behind it.
pub(crate) type BuildReceiver = Box<dyn FnOnce(Waker) -> (Box<dyn Agent>, Port) + Send>;

/// What an agent needs of the run it is part of.
pub(crate) struct Wiring {
    pub index: usize,
    pub stages: Arc<[Arc<StageCounters>]>,
    /// Edge `i` leads from stage `i` to stage `i + 1`.
    pub edges: Arc<[Arc<EdgeCounters>]>,
    pub control: Arc<Control>,
}

/// One step of the chain.
pub(crate) struct Step {
    pub name: String,
    /// Whether somebody outside the run fills or empties it.
    pub foreign: bool,
    /// Whether a script runs it.
    pub scripted: bool,
    pub build: Build,
    /// Cuts the edge behind the step, for the type that it gives.
    pub cut: fn(usize, Arc<EdgeCounters>) -> (BuildSender, BuildReceiver),
}

fn open<T: Flow>(port: Port) -> Shared<T> {
    *port.downcast().expect("the typed builder puts a step behind a step of its input type")
}

fn cut<T: Flow>(index: usize, edge: Arc<EdgeCounters>) -> (BuildSender, BuildReceiver) {
    let (producer, consumer) = ring(RING_CAPACITY).expect("the capacity is a power of two");
    let near = Crossing::new();
    let far = Arc::clone(&near);
    (
        Box::new(move |port, peer| {
            Box::new(Sender {
                index,
                input: open::<T>(port),
                producer,
                crossing: near,
                edge,
                peer,
                passed: 0,
                done: false,
            })
        }),
        Box::new(move |peer| {
            let output = Batch::<T>::shared();
            let port = Box::new(Rc::clone(&output));
            (Box::new(Receiver { index, consumer, output, crossing: far, peer, done: false }), port)
        }),
    )
}

/// A chain of steps that ends in records of type `T`. Nothing runs, opens or allocates until [`start`](Self::start).
///
/// ```
/// use velox_engine::pipeline::{Pace, Paced, Pipeline, StartOptions};
/// use velox_engine::feed::{Poisson, PoissonOptions};
/// use velox_engine::stages::{BundleOptions, Count};
/// use velox_engine::L2Book;
///
/// let market = Poisson::new(PoissonOptions { per_second: 1e6, count: Some(1_000), seed: 1 })?;
/// let instrument = market.instrument();
/// let book = L2Book::new(instrument.clone());
/// let run = Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Max, &[instrument.id()]))
///     .book("book", &book, true)?
///     .trades("trades")
///     .transactions("transactions")
///     .bundle("bundle", BundleOptions::default())?
///     .to("output", Count::default())
///     .start(StartOptions::default())?;
/// let report = run.wait()?;
/// assert!(report.balanced);
/// assert_eq!(report.stats.stages[3].taken, 1_000, "each arrival is one trade");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pipeline<T: Flow> {
    pub(crate) steps: Vec<Step>,
    /// Whether bundles count in the records' own time.
    pub(crate) record_time: bool,
    _type: PhantomData<fn() -> T>,
}

impl<T: Flow> Pipeline<T> {
    /// A pipeline that starts with this source.
    pub fn from<S: Source<Out = T>>(name: &str, source: S) -> Self {
        let (record_time, foreign) = (source.has_record_time(), source.is_foreign());
        let build: Build = Box::new(move |_, wiring| {
            let output = Batch::<T>::shared();
            let agent = SourceAgent {
                source,
                output: Rc::clone(&output),
                counters: Arc::clone(&wiring.stages[0]),
                edge_out: Arc::clone(&wiring.edges[0]),
                control: Arc::clone(&wiring.control),
                tally: Tally::default(),
                done: false,
            };
            (Box::new(agent), Box::new(output))
        });
        Self {
            steps: vec![Step { name: name.into(), foreign, scripted: false, build, cut: cut::<T> }],
            record_time,
            _type: PhantomData,
        }
    }

    /// Puts a stage behind the last step. A name that is taken gets a number.
    #[must_use]
    pub fn stage<S: Stage<In = T>>(mut self, name: &str, stage: S) -> Pipeline<S::Out> {
        let name = self.free_name(name);
        let foreign = stage.is_foreign();
        let build: Build = Box::new(move |port, wiring| {
            let output: Rc<RefCell<Batch<S::Out>>> = Batch::shared();
            let agent = StageAgent {
                index: wiring.index,
                stage,
                input: open::<T>(port),
                output: Rc::clone(&output),
                counters: Arc::clone(&wiring.stages[wiring.index]),
                edge_in: Arc::clone(&wiring.edges[wiring.index - 1]),
                edge_out: wiring.edges.get(wiring.index).map(Arc::clone),
                tally: Tally {
                    waits: if S::WAITS { Latency::ready() } else { Latency::default() },
                    ..Tally::default()
                },
                latency: Latency::ready(),
                end_to_end: if wiring.edges.len() == wiring.index { Latency::ready() } else { Latency::default() },
                taken: 0,
                done: false,
            };
            (Box::new(agent), Box::new(output))
        });
        self.steps.push(Step { name, foreign, scripted: false, build, cut: cut::<S::Out> });
        Pipeline { steps: self.steps, record_time: self.record_time, _type: PhantomData }
    }

    /// Puts a stage behind the last step that a script runs, on a thread of the script's own.
    #[must_use]
    pub fn script<O: Flow>(mut self, name: &str) -> Pipeline<O> {
        let name = self.free_name(name);
        let build: Build = Box::new(move |port, wiring| {
            let output = Batch::<O>::shared();
            let index = wiring.index;
            let agent = ScriptAgent::new(
                index,
                Box::new(open::<T>(port)),
                Box::new(Rc::clone(&output)),
                Arc::clone(&wiring.stages[index]),
                Arc::clone(&wiring.edges[index - 1]),
                Arc::clone(&wiring.edges[index]),
            );
            (Box::new(agent), Box::new(output))
        });
        self.steps.push(Step { name, foreign: false, scripted: true, build, cut: cut::<O> });
        Pipeline { steps: self.steps, record_time: self.record_time, _type: PhantomData }
    }

    /// Ends the pipeline in a sink.
    #[must_use]
    pub fn to<S: Stage<In = T, Out = Nothing>>(self, name: &str, sink: S) -> Pipeline<Nothing> {
        self.stage(name, sink)
    }

    /// The names of its stages, in order.
    pub fn names(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.name.clone()).collect()
    }

    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| self.steps.iter().any(|step| step.name == name);
        if !taken(name) {
            return name.into();
        }
        let numbered = (2..=self.steps.len() + 1).map(|n| format!("{name}-{n}")).find(|name| !taken(name));
        numbered.expect("there are more numbers than steps")
    }
}

impl Pipeline<Nothing> {
    /// Places the stages, starts their threads, and lets the source go when all are ready.
    ///
    /// # Errors
    /// [`StartError`]: threads or cores that can't be had. Nothing runs then.
    #[expect(clippy::needless_pass_by_value, reason = "options are made for one start")]
    pub fn start(self, options: StartOptions) -> Result<Run, StartError> {
        Run::start(self, &options)
    }
}
