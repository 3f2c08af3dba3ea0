//! What a run did: the accounts of its stages and edges, and what adds up.

use std::fmt;

use super::agent::StageEnd;
use super::latency::{Latency, Percentiles};
use super::placement::Placement;
use super::run::RunHandle;
use super::thread::{Stalls, ThreadEnd};

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
    /// Edge `i` leads from stage `i` to stage `i + 1`.
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
    /// Why the same input might not give the same output; empty where it does.
    pub non_deterministic: Vec<String>,
}

impl Stats {
    pub(crate) fn read(handle: &RunHandle) -> Self {
        let mut stages: Vec<StageReport> = Vec::new();
        let mut edges: Vec<EdgeReport> = Vec::new();
        for (i, name) in handle.names.iter().enumerate().rev() {
            let counters = &handle.stages[i];
            stages.push(StageReport {
                name: name.clone(),
                consumed: counters.consumed.get(),
                filtered: counters.filtered.get(),
                conflated: counters.conflated.get(),
                errors: counters.errors.get(),
                held: counters.held.get(),
                out: counters.out.get(),
                taken: counters.taken.get(),
                ..StageReport::default()
            });
            if let Some(before) = i.checked_sub(1) {
                let edge = &handle.edges[before];
                let popped = edge.popped.get();
                let pushed = edge.pushed.get();
                edges.push(EdgeReport {
                    from: handle.names[before].clone(),
                    to: name.clone(),
                    offered: pushed,
                    pushed,
                    popped,
                    dropped: 0,
                    in_flight: pushed.saturating_sub(popped),
                    high_water: edge.high_water.get(),
                });
            }
        }
        stages.reverse();
        edges.reverse();
        Self { elapsed_ns: handle.elapsed_ns(), stages, edges }
    }
}

fn adds_up(stages: &[StageReport], edges: &[EdgeReport]) -> bool {
    let stage = |s: &StageReport| s.taken == s.consumed + s.filtered + s.conflated + s.errors + s.held;
    let edge = |(i, e): (usize, &EdgeReport)| {
        e.offered == e.pushed + e.dropped
            && e.pushed == e.popped + e.in_flight
            && stages[i].out == e.offered
            && stages[i + 1].taken == e.popped
    };
    stages.iter().all(stage) && edges.iter().enumerate().all(edge)
}

impl Report {
    pub(crate) fn assemble(handle: &RunHandle, ends: Vec<ThreadEnd>) -> Self {
        let mut stats = Stats::read(handle);
        // At rest the records in flight are counted where they lie, not inferred: that is what `balanced` checks.
        for edge in &mut stats.edges {
            edge.in_flight = 0;
        }
        let mut report = Self { placement: handle.placement.to_vec(), ..Self::default() };
        let (mut waits, mut comparable, mut agreed, mut disagreement) =
            (Latency::default(), None, None::<(u64, u64)>, None);
        for thread in ends {
            report.stalls.push(thread.stalls);
            for end in thread.agents {
                let (edge, left) = end.left;
                let ring = end.ring_left.map(|(edge, count)| (edge, count()));
                for (edge, left) in [(edge, left)].into_iter().chain(ring) {
                    if let Some(edge) = stats.edges.get_mut(edge) {
                        edge.in_flight += left as u64;
                    }
                }
                let Some(StageEnd { index, latency, end_to_end, waits: own, first_error, notes }) = end.stage else {
                    continue;
                };
                stats.stages[index].latency = latency.percentiles();
                stats.stages[index].first_error = first_error;
                report.end_to_end = end_to_end.percentiles().or(report.end_to_end);
                if own.percentiles().is_some() {
                    waits = own;
                }
                comparable = comparable.or(notes.comparable);
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
        report.balanced = adds_up(&stats.stages, &stats.edges);
        report.per_second = stats.stages[0].out as f64 * 1e9 / stats.elapsed_ns.max(1) as f64;
        report.stats = stats;
        report
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
