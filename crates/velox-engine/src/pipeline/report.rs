//! What a run did: the accounts of its stages and edges, and what adds up.

use std::fmt;
use std::sync::Arc;

use super::agent::StageEnd;
use super::counters::EdgeCounters;
use super::graph::WhenFull;
use super::latency::{Latency, Percentiles};
use super::placement::Placement;
use super::run::RunHandle;
use super::stage::ParamChange;
use super::thread::{Stalls, ThreadEnd};
use super::topology::{Link, Topology};

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
    /// From a record's arrival until this stage was through with it; known at the end.
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

/// The accounts at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// Since the source was let go.
    pub elapsed_ns: u64,
    /// In the order of the pipeline.
    pub stages: Vec<StageReport>,
    /// In the order of the stages that they lead to.
    pub edges: Vec<EdgeReport>,
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
    /// From the arrival to the end of the pipeline, the wait for a full bundle left out.
    pub end_to_end: Option<Percentiles>,
    /// What transactions waited in open bundles.
    pub bundle_wait: Option<Percentiles>,
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
    pub(crate) fn read(handle: &RunHandle) -> Self {
        let mut stages: Vec<StageReport> = Vec::new();
        let stuck = handle.stuck();
        for (name, counters) in handle.names.iter().zip(handle.stages.iter()).rev() {
            stages.push(StageReport {
                name: name.clone(),
                consumed: counters.consumed.get(),
                filtered: counters.filtered.get(),
                conflated: counters.conflated.get(),
                errors: counters.errors.get(),
                held: counters.held.get(),
                out: counters.out.get(),
                taken: counters.taken.get(),
                stuck: stuck.contains(&name.as_str()),
                ..StageReport::default()
            });
        }
        stages.reverse();
        let edge = |(link, edge): (&Link, &Arc<EdgeCounters>)| {
            let popped = edge.popped.get();
            let dropped = edge.dropped.get() + edge.discarded.get();
            let offered = edge.offered.get();
            let pushed = offered.saturating_sub(dropped);
            EdgeReport {
                from: handle.names[link.from].clone(),
                to: handle.names[link.to].clone(),
                offered,
                pushed,
                popped,
                dropped,
                in_flight: pushed.saturating_sub(popped),
                high_water: edge.high_water.get(),
            }
        };
        let edges = handle.topology.links.iter().zip(handle.edges.iter()).map(edge).collect();
        Self { elapsed_ns: handle.elapsed_ns(), stages, edges }
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
        let mut stats = Stats::read(handle);
        // At rest the records in flight are counted where they lie, not inferred: that is what `balanced` checks.
        for edge in &mut stats.edges {
            edge.in_flight = 0;
        }
        for stage in &mut stats.stages {
            stage.stuck = false;
        }
        let mut last_sink = 0;
        let mut report = Self { placement: handle.placement.to_vec(), ..Self::default() };
        let (mut waits, mut comparable, mut agreed, mut disagreement) =
            (Latency::default(), None::<u64>, None::<(u64, u64)>, None);
        for thread in ends {
            report.stalls.push(thread.stalls);
            for end in thread.agents {
                let ring = end.ring_left.map(|(edge, count)| (edge, count()));
                for (edge, left) in end.left.into_iter().chain(ring) {
                    if let Some(edge) = stats.edges.get_mut(edge) {
                        edge.in_flight += left as u64;
                    }
                }
                let Some(StageEnd { index, latency, end_to_end, waits: own, first_error, notes }) = end.stage else {
                    continue;
                };
                stats.stages[index].latency = latency.percentiles();
                stats.stages[index].first_error = first_error;
                if let (Some(percentiles), true) = (end_to_end.percentiles(), index >= last_sink) {
                    last_sink = index;
                    report.end_to_end = Some(percentiles);
                }
                stats.stages[index].late = notes.late;
                if notes.unread > 0 {
                    unread(&mut stats, handle, index, notes.unread);
                }
                report.changes.extend(notes.changes.into_iter().map(|change| (handle.names[index].clone(), change)));
                if own.percentiles().is_some() {
                    waits = own;
                }
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
        report.bundle_wait = waits.percentiles();
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
                .push(format!("the edge before {} drops what finds no room", handle.names[link.to]));
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
