//! What a run is made of, as data.

use serde::{Deserialize, Serialize};

use crate::layout::Counts;

/// A run's stages, edges, threads, books, live markets and histograms, each by the number under which its words lie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The run's name.
    pub run: String,
    /// The names of the stages.
    pub stages: Vec<String>,
    /// What leads where.
    pub edges: Vec<EdgeOf>,
    /// Which threads run which stages.
    pub threads: Vec<ThreadOf>,
    /// Books.
    pub books: Vec<BookOf>,
    /// Live markets.
    pub markets: Vec<MarketOf>,
    /// Their symbols.
    pub symbols: Vec<SymbolOf>,
    /// Histograms.
    pub histograms: Vec<HistogramOf>,
}

/// An edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeOf {
    /// The number of the stage that it comes from.
    pub from: usize,
    /// The number of the stage that it leads to.
    pub to: usize,
    /// Whether it drops what finds no room.
    pub drops: bool,
    /// Whether it leads from one thread to another.
    pub crosses: bool,
    /// How many records it holds at most.
    pub capacity: usize,
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadOf {
    /// The names of its stages.
    pub stages: Vec<String>,
    /// The core that it is kept on.
    pub core: Option<usize>,
    /// How it waits: `spin`, `yield`, `backoff` or `block`.
    pub wait: String,
    /// Why it is placed so.
    pub why: String,
}

/// A book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookOf {
    /// The number of the stage that keeps it.
    pub stage: usize,
    /// The symbol of its instrument.
    pub symbol: String,
}

/// A live market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketOf {
    /// The number of the stage that it is the source of.
    pub stage: usize,
    /// The venue's name.
    pub venue: String,
}

/// A symbol of a live market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolOf {
    /// The number of its market.
    pub market: usize,
    /// As the venue spells it.
    pub symbol: String,
}

/// A histogram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistogramOf {
    /// The number of the stage that records it; none for the hiccup meter's.
    pub stage: Option<usize>,
    /// What it measures: several hops where they are the same, as at an end that takes single records.
    pub hops: Vec<Hop>,
}

/// What a histogram measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Hop {
    /// From a record's scheduled arrival until the stage was through with it.
    Stage,
    /// From the scheduled arrival to the end of the pipeline, the wait for a full bundle left out.
    EndToEnd,
    /// What records waited in an open bundle.
    BundleWait,
    /// By how much a thread that sleeps for 1 ms wakes late: what the machine takes, and not the run.
    Hiccup,
}

impl Hop {
    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::EndToEnd => "endToEnd",
            Self::BundleWait => "bundleWait",
            Self::Hiccup => "hiccup",
        }
    }
}

impl Shape {
    /// How many of each part it has; the words of its own are for its writer to say.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            shape_words: 0,
            stages: self.stages.len(),
            edges: self.edges.len(),
            threads: self.threads.len(),
            books: self.books.len(),
            markets: self.markets.len(),
            symbols: self.symbols.len(),
            histograms: self.histograms.len(),
        }
    }

    /// Whether every number in it is one of what it has.
    pub(crate) fn is_whole(&self) -> bool {
        let stages = self.stages.len();
        self.edges.iter().all(|edge| edge.from < stages && edge.to < stages)
            && self.books.iter().all(|book| book.stage < stages)
            && self.markets.iter().all(|market| market.stage < stages)
            && self.symbols.iter().all(|symbol| symbol.market < self.markets.len())
            && self.histograms.iter().all(|of| of.stage.is_none_or(|stage| stage < stages))
    }

    /// The number of the histogram of a stage (none: of the process) and hop.
    pub fn histogram(&self, stage: Option<usize>, hop: Hop) -> Option<usize> {
        self.histograms.iter().position(|of| of.stage == stage && of.hops.contains(&hop))
    }
}
