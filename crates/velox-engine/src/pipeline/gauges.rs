//! Where the numbers of a run lie: made of its graph before anything runs, handed to the threads that write them.

use std::sync::Arc;

use velox_book::{L2Book, Standing};
use velox_live::Place;
use velox_metrics::{
    BookCounters, BookOf, BookState, EdgeOf, HistogramOf, Hop, Memory, Metrics, Shape, StageCounters, ThreadOf,
};

use super::graph::{Graph, WhenFull};
use super::latency::Latency;
use super::markets;
use super::placement::Placement;
use super::run::StartOptions;

/// What one stage writes to.
pub(crate) struct Gauges {
    pub counters: StageCounters,
    pub latency: Latency,
    /// None where it is the stage's latency too.
    pub end_to_end: Latency,
    pub waits: Latency,
    pub book: Option<BookGauge>,
    pub market: Option<Place>,
}

/// How a book stands, told where that has changed.
pub(crate) struct BookGauge {
    counters: BookCounters,
    told: Option<(Standing, u64)>,
}

impl BookGauge {
    pub(crate) fn look(&mut self, book: &L2Book, now: u64) {
        let stands = book.stands_at();
        // What the book held before the run is no change of the run's.
        let is_first = self.told.is_none();
        if self.told.replace(stands) == Some(stands) || (is_first && stands.0 == Standing::Empty) {
            return;
        }
        let state = match stands.0 {
            Standing::Empty => BookState::Empty,
            Standing::Live => BookState::Live,
            Standing::Stale => BookState::Stale,
        };
        self.counters.changed(state, stands.1, now);
    }
}

/// The threads of a run, as its metrics tell them.
pub(crate) fn threads(placement: &[Placement]) -> Vec<ThreadOf> {
    let one = |p: &Placement| ThreadOf {
        stages: p.stages.clone(),
        core: p.core,
        wait: p.wait.name().into(),
        why: p.why.clone(),
    };
    placement.iter().map(one).collect()
}

/// Memory for the metrics of a run.
pub(crate) fn metrics(graph: &Graph, placement: &[Placement], cores: usize, options: &StartOptions) -> Arc<Metrics> {
    let thread_of = |stage: usize| placement.iter().position(|p| p.stages.contains(&graph.nodes[stage].name));
    let edges = graph.edges.iter().map(|edge| EdgeOf {
        from: edge.from,
        to: edge.to,
        drops: edge.options.when_full == WhenFull::Drop,
        crosses: thread_of(edge.from) != thread_of(edge.to),
        capacity: edge.options.holds(thread_of(edge.from) != thread_of(edge.to)),
    });
    let (markets, symbols) = markets::of(graph);
    let (mut books, mut histograms) = (Vec::new(), Vec::new());
    for (stage, node) in graph.nodes.iter().enumerate() {
        books.extend(node.book.iter().map(|symbol| BookOf { stage, symbol: symbol.clone() }));
        let mut add = |hops: &[Hop]| histograms.push(HistogramOf { stage: Some(stage), hops: hops.into() });
        let (takes, ends) = (!node.inputs.is_empty(), node.outputs.is_empty());
        // Of single records both are the time since their arrival, so one histogram is both.
        if takes && ends && node.arrivals {
            add(&[Hop::Stage, Hop::EndToEnd]);
        } else {
            for (has, hop) in [(takes, Hop::Stage), (ends, Hop::EndToEnd)] {
                if has {
                    add(&[hop]);
                }
            }
        }
        if node.waits {
            add(&[Hop::BundleWait]);
        }
    }
    // A meter beside threads that never sleep, and have all cores, would measure itself, and halve their pace.
    if placement.iter().filter(|placed| placed.wait.never_sleeps()).count() < cores {
        histograms.push(HistogramOf { stage: None, hops: vec![Hop::Hiccup] });
    }
    if !options.metrics {
        histograms.clear();
    }
    let name = if options.name.is_empty() { "pipeline".into() } else { options.name.clone() };
    let shape = Shape {
        run: name,
        stages: graph.names(),
        edges: edges.collect(),
        threads: threads(placement),
        books,
        markets,
        symbols,
        histograms,
    };
    Metrics::new(shape, if options.metrics { Memory::Shared } else { Memory::Heap })
}

impl Gauges {
    pub(crate) fn of(metrics: &Metrics, shape: &Shape, stage: usize) -> Self {
        let at = |hop| shape.histogram(Some(stage), hop);
        let latency = |hop| Latency(at(hop).and_then(|at| metrics.histogram(at)));
        let is_one = at(Hop::Stage) == at(Hop::EndToEnd);
        let book = shape.books.iter().position(|book| book.stage == stage);
        Self {
            counters: metrics.stage(stage),
            latency: latency(Hop::Stage),
            end_to_end: if is_one { Latency::default() } else { latency(Hop::EndToEnd) },
            waits: latency(Hop::BundleWait),
            book: book.map(|at| BookGauge { counters: metrics.book(at), told: None }),
            market: markets::place(metrics, shape, stage),
        }
    }
}
