//! A pipeline as TypeScript declares it (`src/pipeline/plan.ts`), and the native pipeline it becomes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use velox_engine::expr::{Expr, Scales};
use velox_engine::feed::{Arrivals, Poisson, PoissonOptions, Replay, ReplayOptions};
use velox_engine::live::{Live, LiveStats};
use velox_engine::pipeline::{
    EdgeOptions, EngineError, Graph, Late, Machine, Pace, Paced, Param, Placement, StartOptions, ThreadSpec, Threads,
    Wait, WhenFull, place, units,
};
use velox_engine::stages::{
    BookStage, BookValue, BundleOptions, BundleStage, ConflateOptions, DedupeOptions, Doorbell, FileFormat, LiveSource,
    Surroundings, Trades, Transactions,
};
use velox_engine::{Instrument, L2Book, MarketEvent, Transaction};

use crate::carried::TypePlan;
use crate::chain::{Head, Site};
use crate::errors::Thrown;
use crate::feed::LivePlan;
use crate::instrument::instrument;
use crate::memory::SharedMemory;
use crate::slots::{self, of};

#[derive(Deserialize)]
pub(crate) struct Plan {
    name: String,
    nodes: Vec<Node>,
    #[serde(default)]
    params: Vec<ParamPlan>,
    threads: ThreadsPlan,
    wait: String,
    metrics: bool,
}

#[derive(Deserialize)]
struct ParamPlan {
    name: String,
    initial: f64,
}

/// One node: where its records come from, the edge before it, what its expressions need, and what it does.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    name: String,
    /// Node and output.
    from: Vec<(usize, usize)>,
    when_full: Option<String>,
    capacity: Option<usize>,
    #[serde(default)]
    of: TypePlan,
    #[serde(default)]
    params: Vec<usize>,
    #[serde(default)]
    books: Vec<BookPlan>,
    #[serde(flatten)]
    step: Step,
}

/// A value of a book: the node that keeps it.
#[derive(Deserialize)]
struct BookPlan {
    node: usize,
    value: String,
    #[serde(default)]
    levels: usize,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PacePlan {
    Named(String),
    Rate {
        #[serde(rename = "perSecond")]
        per_second: f64,
    },
}

#[derive(Deserialize)]
pub(crate) struct ReplayPlan {
    path: PathBuf,
    pace: PacePlan,
    format: Option<String>,
    symbols: Vec<String>,
    instruments: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Step {
    Replay(ReplayPlan),
    Live(LivePlan),
    Poisson {
        per_second: f64,
        count: Option<u64>,
        seed: u64,
        pace: PacePlan,
    },
    RingSource {
        ring: usize,
        bell: Option<usize>,
    },
    Book {
        book: usize,
        verify: bool,
    },
    Trades,
    Transactions,
    Bundle {
        max: usize,
        timeout_micros: u64,
    },
    Filter {
        expr: Expr,
    },
    Map {
        to: TypePlan,
        fields: Vec<(String, Expr)>,
    },
    Tee,
    Split {
        expr: Expr,
    },
    Merge {
        by: Expr,
        late: String,
    },
    SampleEvery {
        n: u64,
    },
    RateLimit {
        per_second: f64,
    },
    Dedupe {
        key: Expr,
        window_micros: u64,
        max_keys: usize,
    },
    Conflate {
        key: Expr,
        max_keys: usize,
    },
    Stage {
        output: String,
    },
    Count,
    File {
        path: PathBuf,
        format: String,
    },
    Ring {
        ring: usize,
        bell: Option<usize>,
        #[serde(default)]
        drops: bool,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ThreadsPlan {
    Auto(#[expect(dead_code, reason = "`auto` is all that it can say")] String),
    Count(usize),
    Named(Vec<ThreadPlan>),
}

#[derive(Deserialize)]
struct ThreadPlan {
    core: Option<usize>,
    stages: Vec<String>,
    wait: Option<String>,
}

impl PacePlan {
    fn pace(&self) -> Pace {
        match self {
            Self::Rate { per_second } => Pace::PerSecond(*per_second),
            Self::Named(name) if name == "recorded" => Pace::Recorded,
            Self::Named(_) => Pace::Max,
        }
    }
}

impl ReplayPlan {
    pub(crate) fn open(&self) -> Result<Replay, Thrown> {
        self.open_for(Vec::new())
    }

    /// `others` are instruments for symbols that the plan has none for.
    fn open_for(&self, others: Vec<Arc<Instrument>>) -> Result<Replay, Thrown> {
        let mut instruments = self.instruments.iter().map(|id| instrument(*id)).collect::<Result<Vec<_>, _>>()?;
        instruments.extend(others);
        let options = ReplayOptions { format: self.format.clone(), symbols: self.symbols.clone(), instruments };
        Ok(Replay::open(&self.path, options).map_err(EngineError::Feed)?)
    }
}

fn wait(name: &str) -> Wait {
    let all = [Wait::Spin, Wait::Yield, Wait::Backoff, Wait::Block];
    all.into_iter().find(|wait| wait.name() == name).unwrap_or_default()
}

fn memory(slot: usize) -> Result<Arc<SharedMemory>, Thrown> {
    slots::with(slot, of!(Ring), |memory| Ok(Arc::clone(memory)))
}

fn bell(slot: usize) -> Result<Arc<Doorbell>, Thrown> {
    slots::with(slot, of!(Doorbell), |bell| Ok(Arc::clone(bell)))
}

fn book(slot: usize) -> Result<L2Book, Thrown> {
    slots::with(slot, of!(L2Book), |handle| Ok(handle.book().clone()))
}

/// A step that the TypeScript types would not have let through.
pub(crate) fn misplaced() -> Thrown {
    Thrown::value("pipeline", "each step behind one of its input type", "another order")
}

/// What a plan has become.
pub(crate) struct Built {
    pub graph: Graph,
    /// The books by the names of their steps, for scripts.
    pub books: Vec<(String, L2Book)>,
    pub params: Vec<Param>,
    /// The live markets by the names of their sources.
    pub live: Vec<(String, LiveStats)>,
}

/// A graph under construction: where each node's records leave it.
struct Building<'a> {
    plan: &'a Plan,
    graph: Graph,
    heads: HashMap<(usize, usize), Head>,
    params: Vec<Param>,
    live: Vec<(String, LiveStats)>,
}

impl Building<'_> {
    fn head(&self, from: (usize, usize)) -> Result<&Head, Thrown> {
        self.heads.get(&from).ok_or_else(misplaced)
    }

    /// The books whose events come from this source.
    fn books_behind(&self, source: usize) -> Result<Vec<(L2Book, bool)>, Thrown> {
        let leads = |at: usize| {
            // A plan that no TypeScript has checked may lead around in a circle, or nowhere.
            let (mut reached, mut seen) = (vec![at], vec![false; self.plan.nodes.len()]);
            while let Some(at) = reached.pop() {
                if at == source {
                    return true;
                }
                if seen.get(at) == Some(&false) {
                    seen[at] = true;
                    reached.extend(self.plan.nodes[at].from.iter().map(|(node, _)| *node));
                }
            }
            false
        };
        let of = |(at, node): (usize, &Node)| match node.step {
            Step::Book { book: slot, verify } if leads(at) => Some(book(slot).map(|book| (book, verify))),
            _ => None,
        };
        self.plan.nodes.iter().enumerate().filter_map(of).collect()
    }

    /// A book of a market that no source before it has would stay empty, and say nothing.
    fn market(&self, at: usize, known: &[Arc<Instrument>]) -> Result<(Vec<u16>, Scales), Thrown> {
        let of_this = |book: &L2Book| known.contains(book.instrument());
        let books = self.books_behind(at)?;
        if let Some((book, _)) = books.iter().find(|(book, _)| !of_this(book))
            && self.plan.sources() == 1
        {
            let wanted = book.instrument();
            let known: Vec<_> = known.iter().map(|i| format!("{} ({})", i.symbol(), i.venue())).collect();
            let expected = format!("a book of a market of the source: {}", known.join(", "));
            let got = format!("one of {} ({})", wanted.symbol(), wanted.venue());
            return Err(Thrown::value("book", &expected, got));
        }
        let checked: Vec<u16> = books
            .iter()
            .filter(|(book, verify)| *verify && of_this(book))
            .map(|(book, _)| book.instrument().id())
            .collect();
        let scales = match known {
            [only] => Scales { tick: Some(only.tick()), lot: Some(only.lot()) },
            _ => Scales::default(),
        };
        Ok((checked, scales))
    }

    fn paced(&mut self, at: usize, name: &str, arrivals: Box<dyn Arrivals>, pace: &PacePlan) -> Result<Head, Thrown> {
        let (checked, scales) = self.market(at, arrivals.instruments())?;
        let port = self.graph.source(name, Paced::new(arrivals, pace.pace(), &checked));
        Ok(Head::new(port, scales))
    }

    fn instruments_behind(&self, at: usize) -> Result<Vec<Arc<Instrument>>, Thrown> {
        Ok(self.books_behind(at)?.iter().map(|(book, _)| Arc::clone(book.instrument())).collect())
    }

    fn surroundings(&self, node: &Node) -> Result<Surroundings, Thrown> {
        let param = |at: &usize| self.params.get(*at).cloned().ok_or_else(misplaced);
        let value = |BookPlan { node, value, levels }: &BookPlan| {
            let Some(Node { step: Step::Book { book: slot, .. }, .. }) = self.plan.nodes.get(*node) else {
                return Err(misplaced());
            };
            let value = match value.as_str() {
                "bid" => BookValue::Bid,
                "ask" => BookValue::Ask,
                "spread" => BookValue::Spread,
                "mid" => BookValue::Mid,
                _ => BookValue::Imbalance(*levels),
            };
            Ok((book(*slot)?, value))
        };
        Ok(Surroundings {
            params: node.params.iter().map(param).collect::<Result<_, _>>()?,
            books: node.books.iter().map(value).collect::<Result<_, _>>()?,
        })
    }

    /// Adds a source; `false` where the node is none.
    fn source(&mut self, at: usize, node: &Node) -> Result<bool, Thrown> {
        let head = match &node.step {
            Step::Replay(plan) => {
                // A book's own instrument says what its prices mean, unless the source was given another.
                let arrivals = plan.open_for(self.instruments_behind(at)?)?;
                self.paced(at, &node.name, Box::new(arrivals), &plan.pace)?
            }
            Step::Live(plan) => {
                let options = plan.options(&self.instruments_behind(at)?)?;
                let (_, scales) = self.market(at, &options.instruments)?;
                let live = Live::new(options).map_err(EngineError::Live)?;
                self.live.push((node.name.clone(), live.stats()));
                Head::new(self.graph.source(&node.name, LiveSource::new(live)), scales)
            }
            Step::Poisson { per_second, count, seed, pace } => {
                let options = PoissonOptions { per_second: *per_second, count: *count, seed: *seed };
                let arrivals = Poisson::new(options).map_err(EngineError::Feed)?;
                self.paced(at, &node.name, Box::new(arrivals), pace)?
            }
            Step::RingSource { ring, bell: slot } => {
                let (memory, bell) = (memory(*ring)?, slot.map(bell).transpose()?);
                let mut site = site(&mut self.graph, node, Scales::default(), Surroundings::default());
                Head::from_ring(&mut site, &memory, bell)?
            }
            _ => return Ok(false),
        };
        self.heads.insert((at, 0), head);
        Ok(true)
    }

    fn add(&mut self, at: usize, node: &Node) -> Result<(), Thrown> {
        if self.source(at, node)? {
            return Ok(());
        }
        let surroundings = self.surroundings(node)?;
        let from = *node.from.first().ok_or_else(misplaced)?;
        let mut graph = std::mem::take(&mut self.graph);
        let head = self.head(from)?;
        let made = self.step(node, head, &mut site(&mut graph, node, head.scales, surroundings));
        self.graph = graph;
        for (output, head) in made?.into_iter().enumerate() {
            if output == 0 {
                for BookPlan { node: book, .. } in &node.books {
                    let state = self.head((*book, 0))?.node(&self.graph);
                    head.watch(&mut self.graph, state)?;
                }
            }
            self.heads.insert((at, output), head);
        }
        Ok(())
    }

    /// A file that the pipeline reads, or writes twice, would be spoilt.
    fn check_file(&self, node: &Node, path: &Path) -> Result<(), Thrown> {
        let own = fs::canonicalize(path).ok();
        let is_same = |other: &&Node| match &other.step {
            Step::Replay(ReplayPlan { path, .. })
            | Step::Live(LivePlan { record: Some(path), .. })
            | Step::File { path, .. } => {
                !std::ptr::eq(*other, node) && own.is_some() && fs::canonicalize(path).ok() == own
            }
            _ => false,
        };
        match self.plan.nodes.iter().find(is_same) {
            None => Ok(()),
            Some(other) => {
                let expected = format!("a file other than that of the step {}", other.name);
                Err(Thrown::value("path", &expected, path.display().to_string()))
            }
        }
    }

    fn step(&self, node: &Node, head: &Head, site: &mut Site<'_>) -> Result<Vec<Head>, Thrown> {
        let (name, edge, scales) = (site.name, site.edge, site.scales);
        Ok(vec![match &node.step {
            Step::Book { book: slot, verify } => {
                let by = format!("the pipeline {}", self.plan.name);
                let book = slots::with(*slot, of!(L2Book), |handle| Ok(handle.hand_on()))?;
                let stage = BookStage::new(&by, &book, *verify)?;
                Head::new(site.graph.stage(head.typed::<MarketEvent>()?, name, stage, edge), scales)
            }
            Step::Trades => Head::new(site.graph.stage(head.typed()?, name, Trades, edge), scales),
            Step::Transactions => Head::new(site.graph.stage(head.typed()?, name, Transactions, edge), scales),
            Step::Bundle { max, timeout_micros } => {
                let options = BundleOptions { max: *max, timeout: Duration::from_micros(*timeout_micros) };
                let port = head.typed::<Transaction>()?;
                let stage = BundleStage::new(options, site.graph.has_record_time(port)).map_err(|_| misplaced())?;
                Head::new(site.graph.stage(port, name, stage, edge), scales)
            }
            Step::Filter { expr } => head.filter(site, expr)?,
            Step::Map { to, fields } => head.map(site, to, fields)?,
            Step::Tee => return Ok(head.tee(site).into()),
            Step::Split { expr } => return Ok(head.split(site, expr)?.into()),
            Step::Merge { by, late } => {
                let others = node.from[1..].iter().map(|from| self.head(*from)).collect::<Result<Vec<_>, _>>()?;
                let late = if late == "drop" { Late::Drop } else { Late::Emit };
                let is_one = others.iter().all(|other| other.scales == scales);
                let mut merged = head.merge(site, &others, by, late)?;
                merged.scales = if is_one { scales } else { Scales::default() };
                merged
            }
            Step::SampleEvery { n } => head.sample_every(site, *n)?,
            Step::RateLimit { per_second } => head.rate_limit(site, *per_second)?,
            Step::Dedupe { key, window_micros, max_keys } => {
                let options = DedupeOptions { window: Duration::from_micros(*window_micros), max_keys: *max_keys };
                head.dedupe(site, key, options)?
            }
            Step::Conflate { key, max_keys } => head.conflate(site, key, ConflateOptions { max_keys: *max_keys })?,
            Step::Stage { output } => head.script(site, output)?,
            Step::Count => {
                head.count(site);
                return Ok(Vec::new());
            }
            Step::File { path, format } => {
                let format = if format == "csv" { FileFormat::Csv } else { FileFormat::Velox };
                head.file(site, path, format)?;
                self.check_file(node, path)?;
                return Ok(Vec::new());
            }
            Step::Ring { ring, bell: slot, drops } => {
                head.ring(site, &memory(*ring)?, slot.map(bell).transpose()?, *drops)?;
                return Ok(Vec::new());
            }
            Step::Replay(_) | Step::Live(_) | Step::Poisson { .. } | Step::RingSource { .. } => return Err(misplaced()),
        }])
    }
}

fn site<'a>(graph: &'a mut Graph, node: &'a Node, scales: Scales, surroundings: Surroundings) -> Site<'a> {
    let when_full = if node.when_full.as_deref() == Some("drop") { WhenFull::Drop } else { WhenFull::Block };
    let edge = EdgeOptions { when_full, capacity: node.capacity };
    Site { graph, name: &node.name, edge, of: &node.of, scales, surroundings }
}

impl Plan {
    fn sources(&self) -> usize {
        self.nodes.iter().filter(|node| node.from.is_empty()).count()
    }

    /// Opens the sources and builds the graph. Nothing runs yet.
    pub(crate) fn build(&self) -> Result<Built, Thrown> {
        let params = self.params.iter().map(|param| Param::new(&param.name, param.initial)).collect();
        let mut building =
            Building { plan: self, graph: Graph::new(), heads: HashMap::new(), params, live: Vec::new() };
        for (at, node) in self.nodes.iter().enumerate() {
            building.add(at, node)?;
        }
        let books = self.nodes.iter().filter_map(|node| match node.step {
            Step::Book { book: slot, .. } => Some(book(slot).map(|book| (node.name.clone(), book))),
            _ => None,
        });
        Ok(Built {
            graph: building.graph,
            books: books.collect::<Result<_, _>>()?,
            params: building.params,
            live: building.live,
        })
    }

    pub(crate) fn options(&self) -> StartOptions {
        StartOptions {
            name: self.name.clone(),
            threads: self.threads.threads(),
            wait: wait(&self.wait),
            metrics: self.metrics,
            ..StartOptions::default()
        }
    }
}

/// Where stages would run.
#[derive(Deserialize)]
pub(crate) struct PlacementPlan {
    names: Vec<String>,
    /// Of each node, the nodes of the books that it looks at.
    books: Vec<Vec<usize>>,
    threads: ThreadsPlan,
    wait: String,
}

impl PlacementPlan {
    pub(crate) fn place(&self) -> Result<Vec<Placement>, Thrown> {
        let units = units(self.books.iter().map(|books| books.iter().copied().min()));
        Ok(place(&self.names, &units, &self.threads.threads(), wait(&self.wait), &Machine::now())?)
    }
}

impl ThreadsPlan {
    fn threads(&self) -> Threads {
        match self {
            Self::Auto(_) => Threads::Auto,
            Self::Count(count) => Threads::Count(*count),
            Self::Named(specs) => Threads::Named(
                specs
                    .iter()
                    .map(|spec| ThreadSpec {
                        stages: spec.stages.clone(),
                        core: spec.core,
                        wait: spec.wait.as_deref().map(wait),
                    })
                    .collect(),
            ),
        }
    }
}
