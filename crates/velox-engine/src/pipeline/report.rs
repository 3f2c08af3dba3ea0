//! What a run did: the accounts of its stages and edges, and what adds up.

use std::fmt;

use velox_metrics::{BookState, Buckets, Hop, Percentiles, Shape, Snapshot};

use super::agent::StageEnd;
use super::graph::WhenFull;
use super::placement::Placement;
use super::run::RunHandle;
use super::stage::ParamChange;
use super::thread::{STUCK_NS, Stalls, ThreadEnd};
use super::topology::Topology;

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

/// One edge's account: `offered = pushed + dropped`, `pushed = popped + in_flight`.
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
    pub hiccup: Option<Percentiles>,
}

/// How often a book was held to the exchange's own quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Quotes that the books saw.
    pub quotes: u64,
    /// Quotes that a right book must agree with, counted by the source, apart from the book.
    pub checked: u64,
    /// Quotes that it agreed with.
    pub agreed: u64,
    /// The first that it did not agree with.
    pub first_disagreement: Option<String>,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The accounts at its end.
    pub stats: Stats,
    /// Whether all accounts add up.
    pub balanced: bool,
    /// Source records a second.
    pub per_second: f64,
    /// Book checks; none where the data has no quotes.
    pub verified: Option<Verified>,
    /// Gaps in the data.
    pub gaps: u64,
    /// Messages of the data that reached nobody: of other kinds or symbols, repeated, or between a gap and a snapshot.
    pub left_out: u64,
    /// What the machine took from spinning threads.
    pub stalls: Vec<Stalls>,
    /// Which threads ran which stages.
    pub placement: Vec<Placement>,
    /// Parameters that changed while the run went: the stage that saw it, and what it saw.
    pub changes: Vec<(String, ParamChange)>,
    /// Why the same input might not give the same output; empty where it does.
    pub non_deterministic: Vec<String>,
}

impl Stats {
    /// Of the numbers of a run of this or another process.
    pub fn of(shape: &Shape, numbers: &Snapshot) -> Self {
        let share = |busy_ns: u64| (busy_ns as f64 / numbers.elapsed_ns.max(1) as f64).min(1.0);
        let name = |stage: usize| shape.stages.get(stage).cloned().unwrap_or_default();
        // The last that has any: of several ends the report shows one.
        let latency = |stage: Option<usize>, hop: Hop| {
            let all = shape.histograms.iter().zip(&numbers.histograms).rev();
            let mut of = all.filter(|(of, _)| of.hop == hop && (stage.is_none() || of.stage == stage));
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
            stuck: !numbers.ended && stuck.contains(&at),
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

fn adds_up(stats: &Stats, topology: &Topology) -> bool {
    let stage = |(at, s): (usize, &StageReport)| {
        let from = |at: usize| topology.links.iter().zip(&stats.edges).filter(move |(link, _)| link.from == at);
        let into = topology.links.iter().zip(&stats.edges).filter(|(link, _)| link.to == at);
        let given = from(at).map(|(_, edge)| edge.offered).sum::<u64>();
        s.taken == s.consumed + s.filtered + s.conflated + s.errors + s.held
            && (topology.sources.contains(&at) || into.map(|(_, edge)| edge.popped).sum::<u64>() == s.taken)
            && if topology.every[at] { from(at).all(|(_, edge)| edge.offered == s.out) } else { given == s.out }
    };
    let edge = |e: &EdgeReport| e.offered == e.pushed + e.dropped && e.pushed == e.popped + e.in_flight;
    stats.stages.iter().enumerate().all(stage) && stats.edges.iter().all(edge)
}

impl Report {
    /// The account of the stage of this name.
    pub fn stage(&self, name: &str) -> Option<&StageReport> {
        self.stats.stage(name)
    }

    pub(crate) fn assemble(handle: &RunHandle, ends: Vec<ThreadEnd>) -> Self {
        let mut stats = handle.stats();
        // At rest the records in flight are counted where they lie, not inferred: that is what `balanced` checks.
        for edge in &mut stats.edges {
            edge.in_flight = 0;
        }
        let mut report = Self { placement: handle.placement.to_vec(), ..Self::default() };
        let (mut comparable, mut agreed, mut disagreement) = (None::<u64>, None::<(u64, u64)>, None);
        for thread in ends {
            report.stalls.push(thread.stalls);
            for end in thread.agents {
                let ring = end.ring_left.map(|(edge, count)| (edge, count()));
                for (edge, left) in end.left.into_iter().chain(ring) {
                    if let Some(edge) = stats.edges.get_mut(edge) {
                        edge.in_flight += left as u64;
                    }
                }
                let Some(StageEnd { index, first_error, notes }) = end.stage else { continue };
                stats.stages[index].first_error = first_error;
                stats.stages[index].late = notes.late;
                if notes.unread > 0 {
                    unread(&mut stats, handle, index, notes.unread);
                }
                report.changes.extend(notes.changes.into_iter().map(|change| (handle.names()[index].clone(), change)));
                if let Some(of_source) = notes.comparable {
                    comparable = Some(comparable.unwrap_or(0) + of_source);
                }
                if let Some((quotes, agrees)) = notes.agreed {
                    let (all, agreed_so_far) = agreed.unwrap_or_default();
                    agreed = Some((all + quotes, agreed_so_far + agrees));
                }
                report.left_out += notes.left_out;
                disagreement = disagreement.or(notes.first_disagreement);
                report.gaps += notes.gaps;
                report.non_deterministic.extend(notes.non_deterministic);
            }
        }
        report.verified = agreed.map(|(quotes, agreed)| Verified {
            quotes,
            checked: comparable.unwrap_or(agreed),
            agreed,
            first_disagreement: disagreement,
        });
        report.balanced = adds_up(&stats, &handle.topology);
        for link in handle.topology.links.iter().filter(|link| link.options.when_full == WhenFull::Drop) {
            report
                .non_deterministic
                .push(format!("the edge before {} drops what finds no room", handle.names()[link.to]));
        }
        for change in &report.changes {
            let reason = format!("the parameter {} was set while the run went", change.1.name);
            if !report.non_deterministic.contains(&reason) {
                report.non_deterministic.push(reason);
            }
        }
        let given: u64 = handle.topology.sources.iter().map(|at| stats.stages[*at].out).sum();
        report.per_second = given as f64 * 1e9 / stats.elapsed_ns.max(1) as f64;
        report.stats = stats;
        report
    }
}

/// What was left for a script that never read it has not arrived: it counts as dropped on the edge before.
fn unread(stats: &mut Stats, handle: &RunHandle, stage: usize, unread: u64) {
    let report = &mut stats.stages[stage];
    (report.taken, report.consumed) = (report.taken - unread, report.consumed - unread);
    let links = handle.topology.links.iter().zip(&mut stats.edges);
    for (_, edge) in links.filter(|(link, _)| link.to == stage) {
        (edge.popped, edge.pushed, edge.dropped) = (edge.popped - unread, edge.pushed - unread, edge.dropped + unread);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::text::report(self, f)
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::text::stats(self, f)
    }
}
