//! The typed declaration of a pipeline: each step gives the pipeline behind it.

use super::error::StartError;
use super::flow::{Flow, Nothing};
use super::graph::{EdgeOptions, Graph, Output, Port};
use super::merge::Merge;
use super::run::{Run, StartOptions};
use super::source::Source;
use super::split::Route;
use super::stage::Stage;

/// A pipeline under construction, where records of type `T` leave its last step. Nothing runs until
/// [`start`](Self::start).
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
    graph: Graph,
    port: Port<T>,
    edge: EdgeOptions,
}

impl<T: Flow> Pipeline<T> {
    /// A pipeline that starts with this source.
    pub fn from<S: Source<Out = T>>(name: &str, source: S) -> Self {
        let mut graph = Graph::new();
        let port = graph.source(name, source);
        Self::at(graph, port)
    }

    /// Goes on behind a port of a graph.
    pub fn at(graph: Graph, port: Port<T>) -> Self {
        Self { graph, port, edge: EdgeOptions::default() }
    }

    /// The graph so far, and where its records leave it.
    pub fn into_graph(self) -> (Graph, Port<T>) {
        (self.graph, self.port)
    }

    /// How the edge into the next step behaves.
    #[must_use]
    pub fn edge(mut self, options: EdgeOptions) -> Self {
        self.edge = options;
        self
    }

    /// Puts a stage behind the last step. A name that is taken gets a number.
    #[must_use]
    pub fn stage<S: Stage<In = T>>(mut self, name: &str, stage: S) -> Pipeline<S::Out> {
        let port = self.graph.stage(self.port, name, stage, self.edge);
        Pipeline::at(self.graph, port)
    }

    /// Puts a stage behind the last step that a script runs, on a thread of the script's own.
    #[must_use]
    pub fn script<O: Flow>(mut self, name: &str) -> Pipeline<O> {
        let port = self.graph.script(self.port, name, Vec::new(), Output::of::<O>(), self.edge).typed();
        Pipeline::at(self.graph, port)
    }

    /// Gives each record to a branch too, which ends by itself, and goes on.
    ///
    /// ```
    /// # use velox_engine::feed::{Poisson, PoissonOptions};
    /// # use velox_engine::pipeline::{Pace, Paced, Pipeline, StartOptions};
    /// # use velox_engine::stages::Count;
    /// # let market = Poisson::new(PoissonOptions { per_second: 1e6, count: Some(100), seed: 1 })?;
    /// let run = Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Max, &[]))
    ///     .tee("tee", |all| all.to("everything", Count::default()))
    ///     .trades("trades")
    ///     .to("trades only", Count::default())
    ///     .start(StartOptions::default())?;
    /// let report = run.wait()?;
    /// assert_eq!(report.stage("everything").unwrap().consumed, 200);
    /// assert_eq!(report.stage("trades only").unwrap().consumed, 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn tee(self, name: &str, branch: impl FnOnce(Self) -> Pipeline<Nothing>) -> Self {
        self.split(name, Route::Both, branch)
    }

    /// Goes on with the records whose way is the first; the others go to a branch, which ends by itself.
    #[must_use]
    pub fn split(mut self, name: &str, route: Route<T>, branch: impl FnOnce(Self) -> Pipeline<Nothing>) -> Self {
        let (port, other) = self.graph.split(self.port, name, route, self.edge);
        let (graph, _) = branch(Self::at(self.graph, other)).into_graph();
        Self::at(graph, port)
    }

    /// Brings other streams in, in the order of a time; of equal times this stream's records go first, then the others'
    /// in their order.
    #[must_use]
    pub fn merge(mut self, name: &str, merge: Merge<T>, others: Vec<Self>) -> Self {
        let mut ports = vec![self.port];
        for other in others {
            let (graph, port) = other.into_graph();
            let nodes = self.graph.append(graph);
            ports.push(port.shifted(nodes));
        }
        let port = self.graph.merge(&ports, name, merge, self.edge);
        Self::at(self.graph, port)
    }

    /// Ends the pipeline in a sink.
    #[must_use]
    pub fn to<S: Stage<In = T, Out = Nothing>>(self, name: &str, sink: S) -> Pipeline<Nothing> {
        self.stage(name, sink)
    }

    /// The names of its stages, in the order of their declaration.
    pub fn names(&self) -> Vec<String> {
        self.graph.names()
    }

    pub(crate) fn has_record_time(&self) -> bool {
        self.graph.has_record_time(self.port)
    }
}

impl Pipeline<Nothing> {
    /// Places the stages, starts their threads, and lets the sources go when all are ready.
    ///
    /// # Errors
    /// [`StartError`]: threads or cores that can't be had, an edge that may drop before a book. Nothing runs then.
    pub fn start(self, options: StartOptions) -> Result<Run, StartError> {
        self.graph.start(options)
    }
}
