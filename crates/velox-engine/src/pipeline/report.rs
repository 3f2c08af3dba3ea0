//! What a run did: the accounts of its stages and edges, and what adds up.

use std::fmt;

use super::agent::StageEnd;
use super::graph::WhenFull;
use super::placement::Placement;
use super::run::RunHandle;
use super::stage::ParamChange;
use super::stats::{EdgeReport, StageReport, Stats};
use super::thread::{Stalls, ThreadEnd};
use super::topology::Topology;

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
    /// Parameters that changed while the run went: the stage that saw it, and what it saw. The first 1,024 of each stage;
    /// how many more there were is said in `non_deterministic`.
    pub changes: Vec<(String, ParamChange)>,
    /// Why the same input might not give the same output; empty where it does.
    pub non_deterministic: Vec<String>,
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
        let mut report = Self { placement: handle.placement(), ..Self::default() };
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
                if notes.more_changes > 0 {
                    let (stage, more) = (&handle.names()[index], notes.more_changes);
                    let reason = format!("{stage} saw more changes of parameters than are listed: {more}");
                    report.non_deterministic.push(reason);
                }
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
    // The ring's cursors are the script's to write, and it may hold what was there before the run.
    let unread = unread.min(report.consumed);
    (report.taken, report.consumed) = (report.taken.saturating_sub(unread), report.consumed - unread);
    let links = handle.topology.links.iter().zip(&mut stats.edges);
    for (_, edge) in links.filter(|(link, _)| link.to == stage) {
        let left = |count: u64| count.saturating_sub(unread);
        (edge.popped, edge.pushed, edge.dropped) = (left(edge.popped), left(edge.pushed), edge.dropped + unread);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::text::report(self, f)
    }
}
