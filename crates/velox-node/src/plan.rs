//! A pipeline as TypeScript declares it (`src/pipeline/plan.ts`), and the native pipeline it becomes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use velox_engine::expr::{Expr, Scales};
use velox_engine::feed::{Arrivals, Poisson, PoissonOptions, Replay, ReplayOptions};
use velox_engine::pipeline::{EngineError, Nothing, Pace, Paced, Pipeline, StartOptions, ThreadSpec, Threads, Wait};
use velox_engine::stages::{BookStage, BundleOptions};
use velox_engine::{Instrument, L2Book, MarketEvent, Trade, Transaction};

use crate::chain::Chain;
use crate::errors::Thrown;
use crate::instrument::instrument;
use crate::memory::SharedMemory;
use crate::slots::{self, of};

#[derive(Deserialize)]
pub(crate) struct Plan {
    name: String,
    source: Source,
    steps: Vec<Step>,
    threads: ThreadsPlan,
    wait: String,
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
enum Source {
    Replay(ReplayPlan),
    Poisson { per_second: f64, count: Option<u64>, seed: u64, pace: PacePlan },
    Ring { ring: usize },
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Step {
    Book { name: String, book: usize, verify: bool },
    Trades { name: String },
    Transactions { name: String },
    Bundle { name: String, max: usize, timeout_micros: u64 },
    Filter { name: String, expr: Expr },
    Stage { name: String, output: String },
    Count { name: String },
    Ring { name: String, ring: usize },
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

fn book(slot: usize) -> Result<L2Book, Thrown> {
    slots::with(slot, of!(L2Book), |book| Ok(book.clone()))
}

/// A step that the TypeScript types would not have let through.
pub(crate) fn misplaced() -> Thrown {
    Thrown::value("pipeline", "each step behind one of its input type", "another order")
}

impl Plan {
    /// The book steps: their names, their books, and whether the quotes are to check them.
    fn book_steps(&self) -> Result<Vec<(String, L2Book, bool)>, Thrown> {
        let of = |step: &Step| match step {
            Step::Book { name, book: slot, verify } => Some(book(*slot).map(|book| (name.clone(), book, *verify))),
            _ => None,
        };
        self.steps.iter().filter_map(of).collect()
    }

    /// A book of a market that the source doesn't have would stay empty, and say nothing.
    fn paced(&self, name: &str, arrivals: Box<dyn Arrivals>, pace: &PacePlan) -> Result<(Chain, Scales), Thrown> {
        let books = self.book_steps()?;
        for (_, book, _) in &books {
            let wanted = book.instrument();
            if !arrivals.instruments().contains(wanted) {
                let known: Vec<_> =
                    arrivals.instruments().iter().map(|i| format!("{} ({})", i.symbol(), i.venue())).collect();
                let expected = format!("a book of a market of the source: {}", known.join(", "));
                let got = format!("one of {} ({})", wanted.symbol(), wanted.venue());
                return Err(Thrown::value("book", &expected, got));
            }
        }
        let checked: Vec<u16> =
            books.iter().filter(|(.., verify)| *verify).map(|(_, book, _)| book.instrument().id()).collect();
        let scales = match arrivals.instruments() {
            [only] => Scales { tick: Some(only.tick()), lot: Some(only.lot()) },
            _ => Scales::default(),
        };
        Ok((Chain::new(Pipeline::from(name, Paced::new(arrivals, pace.pace(), &checked))), scales))
    }

    /// The source, and what decimal text counts in where it has one market.
    fn source(&self) -> Result<(Chain, Scales), Thrown> {
        match &self.source {
            Source::Replay(plan) => {
                // A book's own instrument says what its prices mean, unless the source was given another.
                let books = self.book_steps()?.into_iter().map(|(_, book, _)| Arc::clone(book.instrument()));
                self.paced("replay", Box::new(plan.open_for(books.collect())?), &plan.pace)
            }
            Source::Poisson { per_second, count, seed, pace } => {
                let options = PoissonOptions { per_second: *per_second, count: *count, seed: *seed };
                self.paced("poisson", Box::new(Poisson::new(options).map_err(EngineError::Feed)?), pace)
            }
            Source::Ring { ring } => Ok((Chain::from_ring(&memory(*ring)?)?, Scales::default())),
        }
    }

    fn step(&self, chain: Chain, step: &Step, scales: &Scales) -> Result<Chain, Thrown> {
        Ok(match step {
            Step::Book { name, book: slot, verify } => {
                let by = format!("the pipeline {}", self.name);
                let stage = BookStage::new(&by, &book(*slot)?, *verify)?;
                Chain::new(chain.typed::<MarketEvent>()?.stage(name, stage))
            }
            Step::Trades { name } => Chain::new(chain.typed::<MarketEvent>()?.trades(name)),
            Step::Transactions { name } => Chain::new(chain.typed::<Trade>()?.transactions(name)),
            Step::Bundle { name, max, timeout_micros } => {
                let options = BundleOptions { max: *max, timeout: Duration::from_micros(*timeout_micros) };
                Chain::new(chain.typed::<Transaction>()?.bundle(name, options).map_err(|_| misplaced())?)
            }
            Step::Filter { name, expr } => chain.filter(name, expr, scales)?,
            Step::Stage { name, output } => chain.script(name, output)?,
            Step::Count { name } => chain.count(name),
            Step::Ring { name, ring } => chain.ring(name, &memory(*ring)?)?,
        })
    }

    /// Opens the source and builds the chain. Nothing runs yet.
    pub(crate) fn build(&self) -> Result<Pipeline<Nothing>, Thrown> {
        let (mut chain, scales) = self.source()?;
        for step in &self.steps {
            chain = self.step(chain, step, &scales)?;
        }
        chain.typed::<Nothing>()
    }

    /// The books of the pipeline by the names of their steps, for its scripts.
    pub(crate) fn books(&self) -> Result<Vec<(String, L2Book)>, Thrown> {
        Ok(self.book_steps()?.into_iter().map(|(name, book, _)| (name, book)).collect())
    }

    pub(crate) fn options(&self) -> StartOptions {
        let threads = match &self.threads {
            ThreadsPlan::Auto(_) => Threads::Auto,
            ThreadsPlan::Count(count) => Threads::Count(*count),
            ThreadsPlan::Named(specs) => Threads::Named(
                specs
                    .iter()
                    .map(|spec| ThreadSpec {
                        stages: spec.stages.clone(),
                        core: spec.core,
                        wait: spec.wait.as_deref().map(wait),
                    })
                    .collect(),
            ),
        };
        StartOptions { threads, wait: wait(&self.wait), ..StartOptions::default() }
    }
}
