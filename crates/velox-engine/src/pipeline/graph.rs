//! A pipeline as a graph: nodes are stages, edges carry records from one to the next.
//!
//! Nodes are numbered in the order of their declaration, which is a topological one: an edge leads from a lower number
//! to a higher. Nothing is built before the run starts; each node is built on the thread that runs it.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use velox_metrics::EdgeCounters;
use velox_record::Record;
use velox_ring::{Waker, ring};

use super::agent::{Agent, StageAgent};
use super::batch::{BATCH, Batch, zero};
use super::control::Control;
use super::crossing::{Crossing, Receiver, Sender};
use super::error::StartError;
use super::flow::{Flow, Stamp};
use super::gauges::Gauges;
use super::map::{Make, MapAgent, Written, written};
use super::merge::{Merge, MergeAgent};
use super::params::Param;
use super::placement::units;
use super::run::{Run, StartOptions};
use super::script::{ScriptAgent, ScriptOutput, outlet};
use super::source::{Source, SourceAgent};
use super::span::Span;
use super::split::{Route, SplitAgent};
use super::stage::Stage;

/// How many records the ring between two threads holds, where the edge doesn't say.
const RING_CAPACITY: usize = 4096;
/// The most steps: a script is told a stage by its number and a count in 32 bits.
const MOST_NODES: usize = 1_024;
/// The most records that an edge holds.
const MOST_CAPACITY: usize = 1 << 24;
/// The most bytes of records that an edge holds: 1 GiB.
const MOST_BYTES: usize = 1 << 30;

/// What an edge does with a record that finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// The stage before it waits: nothing is lost.
    #[default]
    Block,
    /// The record is dropped and counted.
    Drop,
}

/// How the edge into a step behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EdgeOptions {
    /// What happens to a record that finds no room.
    pub when_full: WhenFull,
    /// How many records it holds at least; between threads a power of two. Default: 256 within a thread, 4,096 between.
    pub capacity: Option<usize>,
}

impl EdgeOptions {
    /// How many records the edge holds at most. Where it leads to another thread: in its ring, and in the batches at the
    /// ring's two ends.
    ///
    /// ```
    /// use velox_engine::pipeline::{BATCH, EdgeOptions};
    ///
    /// let options = EdgeOptions { capacity: Some(1_000), ..EdgeOptions::default() };
    /// assert_eq!((options.holds(false), options.holds(true)), (1_000, 1_024 + 2 * BATCH));
    /// assert_eq!(EdgeOptions::default().holds(false), BATCH);
    /// ```
    pub fn holds(&self, crosses: bool) -> usize {
        if crosses { self.ring_capacity() + 2 * BATCH } else { self.capacity.unwrap_or_default().max(BATCH) }
    }

    fn ring_capacity(&self) -> usize {
        self.capacity.unwrap_or(RING_CAPACITY).next_power_of_two()
    }
}

/// A `Shared<T>` on its way between two builders; the typed graph makes sure that both mean the same `T`.
pub(crate) type Slot = Box<dyn Any>;

/// Makes a node's agent on its thread.
pub(crate) type Build = Box<dyn FnOnce(&mut Wiring) -> Box<dyn Agent> + Send>;
/// Makes the near end of a cut from the batch before it.
pub(crate) type BuildSender = Box<dyn FnOnce(Slot, Waker) -> Box<dyn Agent> + Send>;
/// Makes the far end of a cut, and the batch behind it.
pub(crate) type BuildReceiver = Box<dyn FnOnce(Waker) -> (Box<dyn Agent>, Slot) + Send>;

/// What an agent is connected to: it takes from it what it keeps. Lent and not given, as some hundred kinds of agents would
/// each have the code that drops it.
pub(crate) struct Wiring {
    pub index: usize,
    pub gauges: Gauges,
    /// When somebody of the thread looked at the clock last.
    pub look: Rc<Cell<u64>>,
    pub control: Arc<Control>,
    /// Wakes the thread that it is on.
    pub waker: Waker,
    pub inputs: Vec<Option<(Slot, usize, EdgeCounters)>>,
    pub outputs: Vec<Option<(Slot, usize, EdgeCounters)>>,
    /// The steps that look at this node's state.
    pub span: Option<Rc<Span>>,
    /// Those that it is on the way of: to steps behind it, from a state before it.
    pub ways: Vec<Rc<Span>>,
    /// The nodes whose state this one looks at, where they are on its thread.
    pub watched: Vec<Rc<Span>>,
    /// How many nodes it would look at.
    pub watches: usize,
}

/// A batch as an agent holds it, with its edge.
pub(crate) struct End<T: Flow> {
    pub batch: super::batch::Shared<T>,
    pub edge: usize,
    pub counters: EdgeCounters,
}

fn opened<T: Flow>((slot, edge, counters): (Slot, usize, EdgeCounters)) -> End<T> {
    End { batch: open::<T>(slot), edge, counters }
}

impl Wiring {
    pub(crate) fn input<T: Flow>(&mut self, port: usize) -> End<T> {
        opened(self.inputs[port].take().expect("each input is taken once"))
    }

    /// None behind a sink.
    pub(crate) fn output<T: Flow>(&mut self, port: usize) -> Option<End<T>> {
        self.outputs.get_mut(port).and_then(Option::take).map(opened)
    }
}

pub(crate) fn open<T: Flow>(slot: Slot) -> super::batch::Shared<T> {
    *slot.downcast().expect("the typed graph puts a step behind a step of its input type")
}

/// How records of one type are carried.
#[derive(Clone, Copy)]
pub(crate) struct Carrier {
    /// Bytes of a record.
    pub bytes: usize,
    /// One batch, as its two ends hold it.
    pub batch: fn(usize, bool) -> (Slot, Slot),
    pub is_empty: fn(&Slot) -> Box<dyn Fn() -> bool>,
    pub cut: fn(usize, &EdgeOptions, &EdgeCounters) -> (BuildSender, BuildReceiver),
}

fn carrier<T: Flow>() -> Carrier {
    Carrier {
        bytes: T::WORDS * 8,
        batch: |capacity, drops| {
            let batch = Batch::<T>::with(capacity, drops);
            (Box::new(Rc::clone(&batch)), Box::new(batch))
        },
        is_empty: |slot| {
            let batch: &super::batch::Shared<T> = slot.downcast_ref().expect("the slot of this edge");
            let batch = Rc::clone(batch);
            // A batch that is borrowed is being read: it isn't empty.
            Box::new(move || batch.try_borrow().is_ok_and(|batch| batch.is_empty()))
        },
        cut: cut::<T>,
    }
}

fn cut<T: Flow>(edge: usize, options: &EdgeOptions, counters: &EdgeCounters) -> (BuildSender, BuildReceiver) {
    let drops = options.when_full == WhenFull::Drop;
    let (mut producer, mut consumer) = ring(options.ring_capacity()).expect("the capacity was checked");
    if let Some(zero) = zero::<T>() {
        // Touches the ring's memory here, so that the first records don't.
        while producer.push((zero, T::Stamp::made(0))).is_ok() {}
        while consumer.pop().is_some() {}
    }
    let near = Crossing::new();
    let far = Arc::clone(&near);
    let counters = counters.clone();
    (
        Box::new(move |slot, peer| Box::new(Sender::new(edge, open::<T>(slot), producer, near, counters, peer, drops))),
        Box::new(move |peer| {
            let output = Batch::<T>::shared();
            let slot = Box::new(Rc::clone(&output));
            (Box::new(Receiver::new(edge, consumer, output, far, peer)), slot)
        }),
    )
}

/// Where records of type `T` leave a node.
#[derive(Debug)]
pub struct Port<T> {
    node: usize,
    out: usize,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Port<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Port<T> {}

impl<T> Port<T> {
    fn new(node: usize, out: usize) -> Self {
        Self { node, out, of: PhantomData }
    }

    /// The same port when so many nodes stand before it.
    pub(crate) fn shifted(self, nodes: usize) -> Self {
        Self::new(self.node + nodes, self.out)
    }
}

/// The type of records that a step gives by their words. The step's own code is then one for all types: with 20 of them,
/// a copy for each pair would be 400.
#[derive(Clone, Copy)]
pub struct Output {
    outlet: fn(&mut Wiring) -> ScriptOutput,
    written: fn(&mut Wiring) -> Box<dyn Written>,
    of: TypeId,
}

impl Output {
    /// Records of type `O`.
    pub fn of<O: Flow>() -> Self {
        Self { outlet: outlet::<O>, written: written::<O>, of: TypeId::of::<O>() }
    }
}

/// Where records of a type that is known by an [`Output`] leave a node.
pub struct NewPort {
    node: usize,
    output: Output,
}

impl NewPort {
    /// The port.
    ///
    /// # Panics
    /// When the output was one of another type.
    pub fn typed<O: Flow>(&self) -> Port<O> {
        assert!(self.output.of == TypeId::of::<O>(), "a port of the output's own type");
        Port::new(self.node, 0)
    }
}

/// How a node's output is shared among its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fan {
    /// Each edge gets every record.
    Every,
    /// Each record goes to one edge.
    One,
}

/// One stage of a graph.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of a stage, apart from the others")]
pub(crate) struct Node {
    pub name: String,
    pub inputs: Vec<usize>,
    pub outputs: Vec<Option<usize>>,
    pub fan: Fan,
    /// Whether somebody outside the run fills or empties it.
    pub foreign: bool,
    /// Whether a script runs it.
    pub scripted: bool,
    /// Whether its records carry the time that bundles count in.
    pub record_time: bool,
    /// Whether a record that is missing before it makes its state wrong.
    pub whole: bool,
    /// Nodes whose state it looks at: each with the nodes on the way, itself the last.
    pub watches: Vec<Vec<usize>>,
    /// Whether each record that it takes is one arrival.
    pub arrivals: bool,
    /// Whether it notes what records wait by choice.
    pub waits: bool,
    /// The symbol of the book that it keeps.
    pub book: Option<String>,
    /// The live market that it is: the venue's name, and its symbols.
    pub market: Option<(&'static str, Vec<String>)>,
    pub build: Build,
}

/// One edge of a graph.
pub(crate) struct Edge {
    pub from: usize,
    pub to: usize,
    pub options: EdgeOptions,
    pub carrier: Carrier,
}

/// Stages and what leads from one to the next. [`Pipeline`](super::Pipeline) is the typed way to build one.
#[derive(Default)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// The names of its stages, in the order of their declaration.
    pub fn names(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.name.clone()).collect()
    }

    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| self.nodes.iter().any(|node| node.name == name);
        if !taken(name) {
            return name.into();
        }
        let numbered = (2..=self.nodes.len() + 1).map(|n| format!("{name}-{n}")).find(|name| !taken(name));
        numbered.expect("there are more numbers than nodes")
    }

    fn add(&mut self, name: &str, outputs: usize, build: Build) -> &mut Node {
        let node = Node {
            name: self.free_name(name),
            inputs: Vec::new(),
            outputs: vec![None; outputs],
            fan: Fan::Every,
            foreign: false,
            scripted: false,
            record_time: true,
            whole: false,
            watches: Vec::new(),
            arrivals: false,
            waits: false,
            book: None,
            market: None,
            build,
        };
        self.nodes.push(node);
        self.nodes.last_mut().expect("just put there")
    }

    /// Leads an edge from a port to the node that was added last.
    fn lead<T: Flow>(&mut self, from: Port<T>, options: EdgeOptions) {
        self.lead_edge((from.node, from.out), options, carrier::<T>(), T::Stamp::IS_ARRIVAL);
    }

    #[inline(never)]
    fn lead_edge(&mut self, (from, out): (usize, usize), options: EdgeOptions, carrier: Carrier, arrivals: bool) {
        let (edge, to) = (self.edges.len(), self.nodes.len() - 1);
        let taken = self.nodes[from].outputs[out].replace(edge);
        assert!(taken.is_none(), "a port leads to one step; use tee for two");
        self.edges.push(Edge { from, to, options, carrier });
        let record_time = self.nodes[from].record_time;
        let node = &mut self.nodes[to];
        node.arrivals = arrivals;
        node.inputs.push(edge);
        node.record_time &= record_time;
    }

    /// Adds a source. A name that is taken gets a number, as everywhere.
    pub fn source<S: Source>(&mut self, name: &str, source: S) -> Port<S::Out> {
        let (record_time, foreign, market) = (source.has_record_time(), source.is_foreign(), source.market());
        let node = self.add(name, 1, Box::new(move |wiring| Box::new(SourceAgent::new(source, wiring))));
        (node.record_time, node.foreign, node.market) = (record_time, foreign, market);
        Port::new(self.nodes.len() - 1, 0)
    }

    /// Puts a stage behind a port.
    pub fn stage<S: Stage>(&mut self, from: Port<S::In>, name: &str, stage: S, edge: EdgeOptions) -> Port<S::Out> {
        let (foreign, whole, outputs) = (stage.is_foreign(), stage.needs_all(), usize::from(S::Out::WORDS > 0));
        let edge = EdgeOptions { when_full: if stage.discards() { WhenFull::Drop } else { edge.when_full }, ..edge };
        let book = stage.book().map(|book| book.instrument().symbol().to_string());
        let node = self.add(name, outputs, Box::new(move |wiring| Box::new(StageAgent::new(stage, wiring))));
        (node.foreign, node.whole, node.waits, node.book) = (foreign, whole, S::WAITS, book);
        self.lead(from, edge);
        Port::new(self.nodes.len() - 1, 0)
    }

    /// Puts a stage behind a port that a script runs, on a thread of the script's own. It may look at every book before
    /// it.
    pub fn script<T: Flow>(
        &mut self,
        from: Port<T>,
        name: &str,
        params: Vec<Param>,
        output: Output,
        edge: EdgeOptions,
    ) -> NewPort {
        let build = move |wiring: &mut Wiring| -> Box<dyn Agent> {
            Box::new(ScriptAgent::new::<T>(params, output.outlet, wiring))
        };
        let node = self.add(name, 1, Box::new(build));
        node.scripted = true;
        self.lead(from, edge);
        let at = self.nodes.len() - 1;
        for state in (0..at).rev() {
            if self.nodes[state].whole
                && let Some(path) = self.path(state, at)
            {
                self.nodes[at].watches.push(path);
            }
        }
        NewPort { node: at, output }
    }

    /// Makes records of another type, by their words.
    pub fn map<T: Flow>(
        &mut self,
        from: Port<T>,
        name: &str,
        make: Make<T>,
        output: Output,
        edge: EdgeOptions,
    ) -> NewPort {
        let build =
            move |wiring: &mut Wiring| -> Box<dyn Agent> { Box::new(MapAgent::new(make, output.written, wiring)) };
        self.add(name, 1, Box::new(build));
        self.lead(from, edge);
        NewPort { node: self.nodes.len() - 1, output }
    }

    /// Gives each record on twice.
    pub fn tee<T: Flow>(&mut self, from: Port<T>, name: &str, edge: EdgeOptions) -> (Port<T>, Port<T>) {
        self.split(from, name, Route::<T>::Both, edge)
    }

    /// Gives each record on to one of two ports, as the route says.
    pub fn split<T: Flow>(
        &mut self,
        from: Port<T>,
        name: &str,
        route: Route<T>,
        edge: EdgeOptions,
    ) -> (Port<T>, Port<T>) {
        let fan = if matches!(route, Route::Both) { Fan::Every } else { Fan::One };
        let node = self.add(name, 2, Box::new(move |wiring| Box::new(SplitAgent::new(route, wiring))));
        node.fan = fan;
        self.lead(from, edge);
        let at = self.nodes.len() - 1;
        (Port::new(at, 0), Port::new(at, 1))
    }

    /// Brings streams together in the order of a time.
    pub fn merge<T: Flow>(&mut self, from: &[Port<T>], name: &str, merge: Merge<T>, edge: EdgeOptions) -> Port<T> {
        self.add(name, 1, Box::new(move |wiring| Box::new(MergeAgent::new(merge, wiring))));
        for from in from {
            self.lead(*from, edge);
        }
        Port::new(self.nodes.len() - 1, 0)
    }

    /// Lets the node behind this port look at the state of the node of a number, as of the instant of each record.
    ///
    /// # Errors
    /// There is no way from one to the other on which records keep their order: a merge lies between.
    pub fn watch<T>(&mut self, by: Port<T>, state: usize) -> Result<(), StartError> {
        let Some(path) = self.path(state, by.node) else {
            return Err(StartError::Declared {
                field: "book",
                expected: format!(
                    "the step {} before {}, with no merge between",
                    self.nodes[state].name, self.nodes[by.node].name
                ),
                got: "another order".into(),
            });
        };
        self.nodes[by.node].watches.push(path);
        Ok(())
    }

    /// The nodes from behind `from` up to `to`.
    fn path(&self, from: usize, to: usize) -> Option<Vec<usize>> {
        let mut path = vec![to];
        let mut at = to;
        loop {
            let &[only] = &self.nodes[at].inputs[..] else { return None };
            at = self.edges[only].from;
            if at == from {
                path.reverse();
                return Some(path);
            }
            path.push(at);
        }
    }

    /// The number of the node behind which a port stands.
    pub fn node_of<T>(&self, port: Port<T>) -> usize {
        port.node
    }

    /// Whether bundles behind this port count in the records' own time.
    pub fn has_record_time<T>(&self, port: Port<T>) -> bool {
        self.nodes[port.node].record_time
    }

    /// Adds all of another graph; gives by how much its numbers have grown.
    pub(crate) fn append(&mut self, other: Self) -> usize {
        let (nodes, edges) = (self.nodes.len(), self.edges.len());
        for mut node in other.nodes {
            node.name = self.free_name(&node.name);
            node.inputs.iter_mut().for_each(|edge| *edge += edges);
            node.outputs.iter_mut().flatten().for_each(|edge| *edge += edges);
            node.watches.iter_mut().flatten().for_each(|node| *node += nodes);
            self.nodes.push(node);
        }
        for edge in other.edges {
            self.edges.push(Edge { from: edge.from + nodes, to: edge.to + nodes, ..edge });
        }
        nodes
    }

    /// Places the stages, starts their threads, and lets the sources go when all are ready.
    ///
    /// # Errors
    /// [`StartError`]: threads or cores that can't be had, a branch that leads nowhere, an edge that may drop before a
    /// book. Nothing runs then.
    #[expect(clippy::needless_pass_by_value, reason = "options are made for one start")]
    pub fn start(self, options: StartOptions) -> Result<Run, StartError> {
        Run::start(self, &options)
    }

    /// Whether every port leads somewhere, no edge that drops lies before a step that needs all records, and the
    /// capacities can be.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let refuse = |field, expected: String, got: String| Err(StartError::Declared { field, expected, got });
        for node in &self.nodes {
            if node.outputs.iter().any(Option::is_none) {
                return refuse(
                    "pipeline",
                    "an end of every branch".into(),
                    format!("{}, which leads nowhere", node.name),
                );
            }
        }
        if self.nodes.len() > MOST_NODES {
            return refuse("pipeline", format!("at most {MOST_NODES} steps"), self.nodes.len().to_string());
        }
        let mut bytes = 0;
        let mut loses = vec![None; self.nodes.len()];
        for edge in &self.edges {
            if edge.options.capacity.is_some_and(|capacity| capacity == 0 || capacity > MOST_CAPACITY) {
                let got = edge.options.capacity.unwrap_or_default();
                return refuse("capacity", format!("1 to {MOST_CAPACITY} records"), got.to_string());
            }
            if let Some(capacity) = edge.options.capacity {
                let needed = capacity.next_power_of_two() * edge.carrier.bytes;
                if needed > MOST_BYTES {
                    return refuse("capacity", format!("at most {MOST_BYTES} bytes of records"), needed.to_string());
                }
                bytes += needed;
            }
            let to = &self.nodes[edge.to];
            if loses[edge.to].is_none() {
                let drops = (edge.options.when_full == WhenFull::Drop).then(|| to.name.clone());
                loses[edge.to] = drops.or_else(|| loses[edge.from].clone());
            }
            if let (true, Some(at)) = (to.whole, &loses[edge.to]) {
                let expected =
                    format!("whenFull 'block' on every edge before {}: a lost event makes a book wrong", to.name);
                return refuse("whenFull", expected, format!("'drop' on the edge before {at}"));
            }
        }
        // What the edges allocate later would end the process where the system has no room.
        if Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
            return refuse("capacity", "edges that find room in memory".into(), format!("{bytes} bytes"));
        }
        Ok(())
    }

    /// The steps that must be on one thread, as ranges of numbers, in order.
    pub(crate) fn units(&self) -> Vec<std::ops::Range<usize>> {
        units(self.nodes.iter().map(|node| {
            let must = node.watches.iter().filter(|_| !node.scripted);
            must.filter_map(|path| self.before(path)).min()
        }))
    }

    /// The node whose state a path begins behind.
    pub(crate) fn before(&self, path: &[usize]) -> Option<usize> {
        let edge = *self.nodes[*path.first()?].inputs.first()?;
        Some(self.edges[edge].from)
    }
}
