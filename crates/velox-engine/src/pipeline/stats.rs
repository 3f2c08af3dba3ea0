//! The accounts of a run at one moment, of this or another process.

use std::fmt;

use velox_metrics::{BookState, Buckets, Hop, Percentiles, Shape, Snapshot};

use super::thread::STUCK_NS;

/// One stage's account: `taken = consumed + filtered + conflated + errors + held`, at rest.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the names are the account's")]
pub struct StageReport {
    pub name: String,
    pub taken: u64,
    pub out: u64,
    pub consumed: u64,
    pub filtered: u64,
    pub conflated: u64,
    pub errors: u64,
    pub held: u64,
    /// The first refused record.
    pub first_error: Option<String>,
    /// Records that came out of order, of a merge.
    pub late: u64,
    /// Whether it has not come back from its work for a second. Live only.
    pub stuck: bool,
    /// For how long it was at work, in ns: between the looks at the clock before and after a bit of work. Live, up to its
    /// last one.
    pub busy_ns: u64,
    /// The same as a share of the run's time. Range: 0 ..= 1.
    pub busy: f64,
    /// From a record's arrival until this stage was through with it.
    pub latency: Option<Percentiles>,
}

/// One edge's account: `offered = pushed + dropped`, `pushed = popped + in_flight`. `high_water` is the most that were ever in
/// flight at once, as the edge's writer saw it; what it dropped at once is no part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the account's")]
pub struct EdgeReport {
    pub from: String,
    pub to: String,
    pub offered: u64,
    pub pushed: u64,
    pub popped: u64,
    pub dropped: u64,
    pub in_flight: u64,
    pub high_water: u64,
}

/// What a thread is at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThreadReport {
    /// The names of its stages.
    pub stages: Vec<String>,
    /// What share of the run's time they were at work. Range: 0 ..= 1.
    pub busy: f64,
    /// How long ago its round began, in ns; none while it sleeps and before its first.
    pub beat_age_ns: Option<u64>,
    /// Whether it sleeps. A thread that has ended does.
    pub asleep: bool,
    /// Pauses over 10 µs while it spun: how many, their sum and the longest in ns.
    pub stalls: u64,
    #[expect(missing_docs, reason = "told above")]
    pub stall_total_ns: u64,
    #[expect(missing_docs, reason = "told above")]
    pub stall_max_ns: u64,
}

/// How a book stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookReport {
    /// The stage that keeps it.
    pub name: String,
    /// Its instrument.
    pub symbol: String,
    /// Whether it can be believed.
    pub state: BookState,
    /// How long ago it changed, in ns; none for never.
    pub age_ns: Option<u64>,
    /// The number of its last event.
    pub sequence: u64,
}

/// A whole histogram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HopBuckets {
    /// The stage that recorded it; none for the hiccup meter.
    pub stage: Option<String>,
    /// What it measures.
    pub hop: Hop,
    /// What it holds.
    pub buckets: Buckets,
}

/// The accounts at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// Since the source was let go.
    pub elapsed_ns: u64,
    /// In the order of the pipeline.
    pub stages: Vec<StageReport>,
    /// In the order of the stages that they lead to.
    pub edges: Vec<EdgeReport>,
    /// In the order of the placement.
    pub threads: Vec<ThreadReport>,
    /// In the order of the stages that keep them.
    pub books: Vec<BookReport>,
    /// From the arrival to the end of the pipeline (the last of several that has any), the wait for a full bundle left out.
    pub end_to_end: Option<Percentiles>,
    /// What transactions waited in open bundles.
    pub bundle_wait: Option<Percentiles>,
    /// By how much a thread that sleeps for 1 ms woke late while the run went: what the machine takes, and not the run.
    /// None where threads that never sleep have every core: they tell their own stalls.
    pub hiccup: Option<Percentiles>,
}

impl Stats {
    /// Of the numbers of a run of this or another process.
    pub fn of(shape: &Shape, numbers: &Snapshot) -> Self {
        let share = |busy_ns: u64| (busy_ns as f64 / numbers.elapsed_ns.max(1) as f64).min(1.0);
        let name = |stage: usize| shape.stages.get(stage).cloned().unwrap_or_default();
        // The last that has any: of several ends the report shows one.
        let latency = |stage: Option<usize>, hop: Hop| {
            let all = shape.histograms.iter().zip(&numbers.histograms).rev();
            let mut of = all.filter(|(of, _)| of.hops.contains(&hop) && (stage.is_none() || of.stage == stage));
            of.find_map(|(_, buckets)| buckets.percentiles())
        };
        let stuck: Vec<usize> = numbers.stuck(STUCK_NS).collect();
        let stages = shape.stages.iter().zip(&numbers.stages).enumerate().map(|(at, (name, words))| StageReport {
            name: name.clone(),
            taken: words.taken,
            out: words.out,
            consumed: words.consumed,
            filtered: words.filtered,
            conflated: words.conflated,
            errors: words.errors,
            held: words.held,
            stuck: !numbers.ended() && stuck.contains(&at),
            busy_ns: words.busy_ns,
            busy: share(words.busy_ns),
            latency: latency(Some(at), Hop::Stage),
            ..StageReport::default()
        });
        let edges = shape.edges.iter().zip(&numbers.edges).map(|(edge, words)| {
            let pushed = words.offered.saturating_sub(words.dropped);
            EdgeReport {
                from: name(edge.from),
                to: name(edge.to),
                offered: words.offered,
                pushed,
                popped: words.popped,
                dropped: words.dropped,
                in_flight: pushed.saturating_sub(words.popped),
                high_water: words.high_water,
            }
        });
        let stages: Vec<StageReport> = stages.collect();
        let threads = shape.threads.iter().zip(&numbers.threads).map(|(thread, words)| {
            let own = stages.iter().filter(|stage| thread.stages.contains(&stage.name));
            ThreadReport {
                stages: thread.stages.clone(),
                busy: share(own.fold(0, |sum, stage| sum.saturating_add(stage.busy_ns))),
                beat_age_ns: words.beat_age_ns,
                asleep: words.asleep,
                stalls: words.stalls,
                stall_total_ns: words.stall_total_ns,
                stall_max_ns: words.stall_max_ns,
            }
        });
        let books = shape.books.iter().zip(&numbers.books).map(|(book, words)| BookReport {
            name: name(book.stage),
            symbol: book.symbol.clone(),
            state: words.state,
            age_ns: words.age_ns,
            sequence: words.sequence,
        });
        Self {
            elapsed_ns: numbers.elapsed_ns,
            edges: edges.collect(),
            threads: threads.collect(),
            books: books.collect(),
            stages,
            end_to_end: latency(None, Hop::EndToEnd),
            bundle_wait: latency(None, Hop::BundleWait),
            hiccup: latency(None, Hop::Hiccup),
        }
    }

    /// The stage of this name.
    pub fn stage(&self, name: &str) -> Option<&StageReport> {
        self.stages.iter().find(|stage| stage.name == name)
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::text::stats(self, f)
    }
}
