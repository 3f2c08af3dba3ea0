//! Where records leave a step, when their type is known at run time only.

use std::any::Any;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use velox_engine::expr::{Expr, Layout, Scales};
use velox_engine::pipeline::{EdgeOptions, Flow, Graph, Late, Merge, NewPort, Output, Port};
use velox_engine::stages::{
    self, Conflate, ConflateOptions, Count, Dedupe, DedupeOptions, Doorbell, Evaluator, FileFormat, FileSink, Filter,
    RateLimit, RingSink, RingSource, SampleEvery, Surroundings,
};
use velox_engine::{Bundle, MarketEvent, Trade, Transaction};

use crate::carried::{Carried, TypePlan, with_type};
use crate::errors::Thrown;
use crate::memory::SharedMemory;
use crate::plan::misplaced;

type Result<T> = std::result::Result<T, Thrown>;

/// A step under construction: the graph, its name, the edge before it, and what its expressions need. Lent to each kind of
/// step, as the code that drops it would else stand in each for each type.
pub(crate) struct Site<'a> {
    pub graph: &'a mut Graph,
    pub name: &'a str,
    pub edge: EdgeOptions,
    /// The type of what comes in.
    pub of: &'a TypePlan,
    pub scales: Scales,
    pub surroundings: Surroundings,
}

/// A port, and what decimal text counts in behind it.
pub(crate) struct Head {
    port: Box<dyn Link>,
    pub scales: Scales,
}

/// A type that a step makes, and the port behind it.
struct Made {
    output: Output,
    link: fn(&NewPort) -> Box<dyn Link>,
}

impl Made {
    #[inline(never)]
    fn of_key(key: &str) -> Result<Self> {
        with_type!(key, O => Ok(Self { output: Output::of::<O>(), link: |port| Box::new(port.typed::<O>()) }); Bundle)
    }
}

/// Where the record that a map makes has its fields.
#[inline(never)]
fn layout(to: &TypePlan) -> Result<Layout> {
    with_type!(to.key.as_str(), O => Ok(<O as Carried>::columns(to)?.layout()))
}

/// What every port can go on with, whatever it carries.
pub(crate) trait Link {
    fn any(&self) -> &dyn Any;
    /// The number of its node.
    fn node(&self, graph: &Graph) -> usize;
    /// Its node looks at the state of another.
    fn watch(&self, graph: &mut Graph, state: usize) -> Result<()>;
    fn count(&self, site: &mut Site<'_>);
    fn file(&self, site: &mut Site<'_>, path: &Path, format: FileFormat) -> Result<()>;
    fn ring(
        &self,
        site: &mut Site<'_>,
        memory: &Arc<SharedMemory>,
        bell: Option<Arc<Doorbell>>,
        drops: bool,
    ) -> Result<()>;
    fn script(&self, site: &mut Site<'_>, output: &str) -> Result<Head>;
    fn filter(&self, site: &mut Site<'_>, expr: &Expr) -> Result<Head>;
    fn map(&self, site: &mut Site<'_>, to: &TypePlan, fields: &[(String, Expr)]) -> Result<Head>;
    fn tee(&self, site: &mut Site<'_>) -> [Head; 2];
    fn split(&self, site: &mut Site<'_>, expr: &Expr) -> Result<[Head; 2]>;
    fn merge(&self, site: &mut Site<'_>, others: &[&Head], by: &Expr, late: Late) -> Result<Head>;
    fn sample_every(&self, site: &mut Site<'_>, n: u64) -> Result<Head>;
    fn rate_limit(&self, site: &mut Site<'_>, per_second: f64) -> Result<Head>;
    fn dedupe(&self, site: &mut Site<'_>, key: &Expr, options: DedupeOptions) -> Result<Head>;
    fn conflate(&self, site: &mut Site<'_>, key: &Expr, options: ConflateOptions) -> Result<Head>;
}

/// The name of the time that watermarks count in.
fn record_time(key: &str) -> Option<&'static str> {
    match key {
        "MarketEvent" | "Trade" => Some("receiveTs"),
        "Transaction" => Some("ingressTsNs"),
        _ => None,
    }
}

fn evaluator<T: Carried>(site: &Site<'_>, expr: &Expr) -> Result<Evaluator<T>> {
    Ok(Evaluator::new(&T::columns(site.of)?, expr, &site.scales, site.surroundings.clone())?)
}

fn condition<T: Carried>(op: &'static str, site: &Site<'_>, expr: &Expr) -> Result<Evaluator<T>> {
    Ok(Evaluator::condition(op, &T::columns(site.of)?, expr, &site.scales, site.surroundings.clone())?)
}

impl<T: Carried> Link for Port<T> {
    fn any(&self) -> &dyn Any {
        self
    }

    fn node(&self, graph: &Graph) -> usize {
        graph.node_of(*self)
    }

    fn watch(&self, graph: &mut Graph, state: usize) -> Result<()> {
        Ok(graph.watch(*self, state)?)
    }

    fn count(&self, site: &mut Site<'_>) {
        site.graph.stage(*self, site.name, Count::default(), site.edge);
    }

    fn file(&self, site: &mut Site<'_>, path: &Path, format: FileFormat) -> Result<()> {
        let sink = FileSink::<T>::create(path, format, &site.of.schema(T::WORDS)?)?;
        site.graph.stage(*self, site.name, sink, site.edge);
        Ok(())
    }

    fn ring(
        &self,
        site: &mut Site<'_>,
        memory: &Arc<SharedMemory>,
        bell: Option<Arc<Doorbell>>,
        drops: bool,
    ) -> Result<()> {
        let sink = RingSink::new(memory.producer::<T>()?);
        let sink = match bell {
            Some(bell) => sink.ringing(bell, drops),
            None => sink,
        };
        site.graph.stage(*self, site.name, sink, site.edge);
        Ok(())
    }

    fn script(&self, site: &mut Site<'_>, output: &str) -> Result<Head> {
        let made = Made::of_key(output)?;
        let params = std::mem::take(&mut site.surroundings.params);
        let port = site.graph.script(*self, site.name, params, made.output, site.edge);
        Ok(Head { port: (made.link)(&port), scales: site.scales })
    }

    fn filter(&self, site: &mut Site<'_>, expr: &Expr) -> Result<Head> {
        let filter = Filter::new(condition::<T>("filter", site, expr)?);
        Ok(Head::new(site.graph.stage(*self, site.name, filter, site.edge), site.scales))
    }

    fn map(&self, site: &mut Site<'_>, to: &TypePlan, fields: &[(String, Expr)]) -> Result<Head> {
        let (made, layout) = (Made::of_key(&to.key)?, layout(to)?);
        let make =
            stages::make(&T::columns(site.of)?, &layout, fields, &site.scales, std::mem::take(&mut site.surroundings))?;
        let port = site.graph.map(*self, site.name, make, made.output, site.edge);
        Ok(Head { port: (made.link)(&port), scales: site.scales })
    }

    fn tee(&self, site: &mut Site<'_>) -> [Head; 2] {
        let (first, second) = site.graph.tee(*self, site.name, site.edge);
        [Head::new(first, site.scales), Head::new(second, site.scales)]
    }

    fn split(&self, site: &mut Site<'_>, expr: &Expr) -> Result<[Head; 2]> {
        let route = stages::route(condition::<T>("split", site, expr)?);
        let (first, second) = site.graph.split(*self, site.name, route, site.edge);
        Ok([Head::new(first, site.scales), Head::new(second, site.scales)])
    }

    fn merge(&self, site: &mut Site<'_>, others: &[&Head], by: &Expr, late: Late) -> Result<Head> {
        let name = match by {
            Expr::Column { name } => Some(name.as_str()),
            _ => None,
        };
        let by_record_time = name.is_some() && name == record_time(&site.of.key);
        let times = stages::times(evaluator::<T>(site, by)?)?;
        let mut ports = vec![*self];
        for other in others {
            ports.push(other.typed::<T>()?);
        }
        let merge = Merge { times, by_record_time, late };
        Ok(Head::new(site.graph.merge(&ports, site.name, merge, site.edge), site.scales))
    }

    fn sample_every(&self, site: &mut Site<'_>, n: u64) -> Result<Head> {
        let stage = SampleEvery::<T>::new(n)?;
        Ok(Head::new(site.graph.stage(*self, site.name, stage, site.edge), site.scales))
    }

    fn rate_limit(&self, site: &mut Site<'_>, per_second: f64) -> Result<Head> {
        let stage = RateLimit::<T>::new(per_second)?;
        Ok(Head::new(site.graph.stage(*self, site.name, stage, site.edge), site.scales))
    }

    fn dedupe(&self, site: &mut Site<'_>, key: &Expr, options: DedupeOptions) -> Result<Head> {
        let stage = Dedupe::new(evaluator::<T>(site, key)?.into_plan(), options)?;
        let stage = match T::TIME.filter(|_| site.graph.has_record_time(*self)) {
            Some(time) => stage.by_record_time(time),
            None => stage,
        };
        Ok(Head::new(site.graph.stage(*self, site.name, stage, site.edge), site.scales))
    }

    fn conflate(&self, site: &mut Site<'_>, key: &Expr, options: ConflateOptions) -> Result<Head> {
        let stage = Conflate::new(evaluator::<T>(site, key)?.into_plan(), options)?;
        Ok(Head::new(site.graph.stage(*self, site.name, stage, site.edge), site.scales))
    }
}

impl Head {
    pub(crate) fn new<T: Carried>(port: Port<T>, scales: Scales) -> Self {
        Self { port: Box::new(port), scales }
    }

    pub(crate) fn from_ring(
        site: &mut Site<'_>,
        memory: &Arc<SharedMemory>,
        bell: Option<Arc<Doorbell>>,
    ) -> Result<Self> {
        with_type!(memory.record.as_str(), T => {
            let source = RingSource::<T>::new(memory.consumer()?);
            let source = match bell {
                Some(bell) => source.ringing(bell),
                None => source,
            };
            Ok(Self::new(site.graph.source(site.name, source), Scales::default()))
        })
    }

    pub(crate) fn typed<T: Flow>(&self) -> Result<Port<T>> {
        self.any().downcast_ref::<Port<T>>().copied().ok_or_else(misplaced)
    }
}

impl Deref for Head {
    type Target = dyn Link;

    fn deref(&self) -> &Self::Target {
        &*self.port
    }
}
