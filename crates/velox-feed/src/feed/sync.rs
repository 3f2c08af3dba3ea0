//! When a depth event may touch the book of a venue whose snapshot comes by REST: the rules of Binance and KuCoin, for
//! one instrument.
//!
//! Sources: "How to manage a local order book correctly", in the documentation of the [spot], [USD-M] and [COIN-M]
//! streams. Depth events are buffered until a snapshot; those that the snapshot already has are dropped; the first one
//! applied must reach back to it; each later one must follow the one before it.
//!
//! | | has been seen | reaches back to a snapshot `L` | follows `last` |
//! |---|---|---|---|
//! | futures | `u < L` | `U <= L <= u` | `pu == last` |
//! | spot | `u <= L` | `U <= L + 1 <= u` | `U == last + 1` |
//! | KuCoin | `u <= L` | `U <= L + 1 <= u` | `U <= last + 1` |
//!
//! On futures an event with `pu <= L < U` reaches back too: the numbers between `pu` and `U` are other markets', so a
//! snapshot that falls there lacks nothing. (An event without `pu <= L` always lacks `U <= L`.)
//!
//! [spot]: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
//! [USD-M]: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/How-to-manage-a-local-order-book-correctly
//! [COIN-M]: https://developers.binance.com/docs/derivatives/coin-margined-futures/websocket-market-streams/How-to-manage-a-local-order-book-correctly

use std::collections::VecDeque;

use velox_record::{EventKind, MarketEvent, flags};

use super::comparable::Comparable;
use super::level::{mark_event, mark_snapshot};
use super::{Applied, FeedState};

/// The most depth events that wait for a snapshot.
pub(crate) const MOST_EVENTS: usize = 10_000;
/// The most levels that wait for a snapshot: 16 MiB of them.
pub(crate) const MOST_LEVELS: usize = 1 << 18;

/// How events are chained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Futures,
    Spot,
    /// KuCoin's: an event may begin with what the one before it had.
    Overlapping,
}

/// The numbers of one depth event, and an event that carries its instrument, sequence and times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Update {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// `pu`; 0 on spot.
    pub(crate) previous: u64,
    pub(crate) stamp: MarketEvent,
}

/// What happens to the oldest events where the first snapshot doesn't come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// It is an error: a recording without a snapshot is of no use.
    Refused,
    /// They make room: a snapshot that needs them is then too old, and a newer one can be fetched.
    Forgets,
}

/// More events than are kept came before the first snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoSnapshot;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// For a snapshot.
    Waiting,
    /// The snapshot stands; the next event must reach back to it.
    Placed,
    /// The next event must follow the last.
    Live,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Old,
    Next,
    Gap,
}

#[derive(Debug)]
pub(crate) struct Sync {
    rule: Rule,
    late: Late,
    stage: Stage,
    /// The `lastUpdateId` of the snapshot, then the `u` of the event applied last.
    last: u64,
    /// `last` before it was that: no event can lie between the two.
    before: u64,
    /// The highest `u` of a depth event so far, applied or not.
    seen: u64,
    /// Whether it was ever synchronised.
    begun: bool,
    waiting: VecDeque<(Update, usize)>,
    /// The levels of `waiting`, in one buffer: a waiting event allocates nothing once it is warm.
    levels: VecDeque<MarketEvent>,
    pub(crate) pairs: Comparable,
    /// The pairs before the first synchronisation: what could have been checked where none ever comes.
    unsynchronised: Comparable,
    /// Depth events and snapshots that brought nothing new.
    pub(crate) repeated: u64,
    pub(crate) gaps: u64,
    /// Depth events let go while waiting for a snapshot after a gap.
    pub(crate) discarded: u64,
}

impl Sync {
    pub(crate) fn new(rule: Rule, late: Late) -> Self {
        Self {
            rule,
            late,
            stage: Stage::Waiting,
            last: 0,
            before: 0,
            seen: 0,
            begun: false,
            waiting: VecDeque::new(),
            levels: VecDeque::new(),
            pairs: Comparable::default(),
            unsynchronised: Comparable::begun(),
            repeated: 0,
            gaps: 0,
            discarded: 0,
        }
    }

    /// A quote at `update`.
    pub(crate) fn ticker(&mut self, update: u64) {
        self.pairs.ticker(update);
        if !self.begun {
            self.unsynchronised.ticker(update);
        }
    }

    /// The data is over: where no snapshot ever came, every pair counts, and none of them was checked.
    pub(crate) fn end(&mut self) {
        if !self.begun {
            self.pairs = std::mem::take(&mut self.unsynchronised);
        }
    }

    pub(crate) fn state(&self) -> FeedState {
        match (self.stage, self.begun) {
            (Stage::Waiting, false) => FeedState::Syncing,
            (Stage::Waiting, true) => FeedState::Stale,
            _ => FeedState::Live,
        }
    }

    /// The connection is gone. What waited is of no use: nobody knows what is missing behind it.
    pub(crate) fn disconnected(&mut self, stamp: MarketEvent, out: &mut Vec<MarketEvent>) {
        self.waiting.clear();
        self.levels.clear();
        // A venue that was down may count from the beginning.
        self.seen = 0;
        if self.stage != Stage::Waiting {
            self.stage = Stage::Waiting;
            self.report_gap(MarketEvent { sequence: self.last, ..stamp }, out);
        }
    }

    /// Judges a depth event whose levels are `out[start..]`: they stay, they go, or they give way to a gap.
    pub(crate) fn depth(
        &mut self,
        update: Update,
        out: &mut Vec<MarketEvent>,
        start: usize,
    ) -> Result<Applied, NoSnapshot> {
        mark_event(out, start);
        let waits = self.stage == Stage::Waiting;
        let verdict = match self.stage {
            Stage::Waiting if update.last <= self.seen => Verdict::Old,
            Stage::Waiting => Verdict::Gap,
            // One of the two numbers is wrong, and nothing says which.
            Stage::Live if self.before < update.last && update.last < self.last => {
                self.pairs.forget();
                Verdict::Gap
            }
            stage => self.judge(&update, stage, self.last),
        };
        let applied = match verdict {
            Verdict::Old => {
                self.repeated += 1;
                out.truncate(start);
                return Ok(Applied::Ignored);
            }
            Verdict::Next => {
                self.stage = Stage::Live;
                self.before = std::mem::replace(&mut self.last, update.last);
                Applied::Applied
            }
            Verdict::Gap => {
                self.wait(update, &out[start..])?;
                out.truncate(start);
                if waits {
                    Applied::Buffered
                } else {
                    self.stage = Stage::Waiting;
                    self.report_gap(update.stamp, out);
                    Applied::Gap
                }
            }
        };
        self.seen = update.last;
        if self.begun {
            self.pairs.depth(update.last);
        } else {
            self.unsynchronised.depth(update.last);
        }
        Ok(applied)
    }

    /// Judges a snapshot whose levels are `out[start..]`: it stands, with what waited for it appended; or it is older
    /// than the book and goes; or it is too old for what waited, which is a gap.
    pub(crate) fn snapshot(
        &mut self,
        id: u64,
        stamp: MarketEvent,
        out: &mut Vec<MarketEvent>,
        start: usize,
    ) -> Applied {
        if self.stage != Stage::Waiting && id < self.last {
            self.repeated += 1;
            out.truncate(start);
            return Applied::Ignored;
        }
        let verdicts = self.waiting.iter().map(|(update, _)| self.judge(update, Stage::Placed, id));
        if verdicts.into_iter().find(|&verdict| verdict != Verdict::Old) == Some(Verdict::Gap) {
            out.truncate(start);
            self.report_gap(stamp, out);
            return Applied::Gap;
        }
        mark_snapshot(out, start, stamp);
        self.stage = Stage::Placed;
        self.last = id;
        self.release(out)
    }

    /// Appends what waited and follows the snapshot.
    fn release(&mut self, out: &mut Vec<MarketEvent>) -> Applied {
        let first_time = !std::mem::replace(&mut self.begun, true);
        if first_time {
            self.pairs.begin();
        }
        while let Some(&(update, levels)) = self.waiting.front() {
            match self.judge(&update, self.stage, self.last) {
                Verdict::Old => drop(self.levels.drain(..levels)),
                Verdict::Next => {
                    out.extend(self.levels.drain(..levels));
                    self.stage = Stage::Live;
                    self.before = std::mem::replace(&mut self.last, update.last);
                    if first_time {
                        self.pairs.depth(update.last);
                    }
                }
                Verdict::Gap => {
                    self.stage = Stage::Waiting;
                    self.report_gap(update.stamp, out);
                    if first_time {
                        self.waiting.iter().for_each(|(update, _)| self.pairs.depth(update.last));
                    }
                    return Applied::Gap;
                }
            }
            self.waiting.pop_front();
        }
        Applied::Applied
    }

    fn judge(&self, update: &Update, stage: Stage, last: u64) -> Verdict {
        let futures = self.rule == Rule::Futures;
        let old = if futures && stage == Stage::Placed { update.last < last } else { update.last <= last };
        let follows = match (stage, futures) {
            (Stage::Placed, true) => update.first <= last || update.previous <= last,
            (Stage::Placed, false) => update.first <= last.saturating_add(1),
            _ if self.rule == Rule::Overlapping => update.first <= last.saturating_add(1),
            (_, true) => update.previous == last,
            (_, false) => update.first == last.saturating_add(1),
        };
        match (old, follows) {
            (true, _) => Verdict::Old,
            (_, true) => Verdict::Next,
            _ => Verdict::Gap,
        }
    }

    fn report_gap(&mut self, stamp: MarketEvent, out: &mut Vec<MarketEvent>) {
        self.gaps += 1;
        out.push(MarketEvent { kind: EventKind::STATUS, flags: flags::GAP, ..stamp });
    }

    /// Keeps an event for the next snapshot. The first snapshot must come in time; after a gap, which was reported,
    /// the oldest event makes room: a snapshot that would have needed it is then too old, and says so.
    fn wait(&mut self, update: Update, levels: &[MarketEvent]) -> Result<(), NoSnapshot> {
        let is_full = |events: usize, levels: usize| events > MOST_EVENTS || levels > MOST_LEVELS;
        if self.late == Late::Refused
            && !self.begun
            && is_full(self.waiting.len() + 1, self.levels.len() + levels.len())
        {
            return Err(NoSnapshot);
        }
        self.waiting.push_back((update, levels.len()));
        self.levels.extend(levels);
        while is_full(self.waiting.len(), self.levels.len()) {
            let Some((_, levels)) = self.waiting.pop_front() else { break };
            self.levels.drain(..levels);
            self.discarded += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event of one level, whose price is its `u`.
    fn depth(sync: &mut Sync, previous: u64, first: u64, last: u64) -> Vec<MarketEvent> {
        let stamp = MarketEvent { sequence: last, receive_ts: last * 10, ..MarketEvent::default() };
        let mut out = vec![MarketEvent { price: last as i64, ..stamp }];
        sync.depth(Update { first, last, previous, stamp }, &mut out, 0).unwrap();
        out
    }

    fn snapshot(sync: &mut Sync, id: u64) -> Vec<MarketEvent> {
        let stamp = MarketEvent { sequence: id, ..MarketEvent::default() };
        let mut out = vec![stamp, stamp];
        sync.snapshot(id, stamp, &mut out, 0);
        out
    }

    fn sequences(out: &[MarketEvent]) -> Vec<u64> {
        out.iter().map(|event| event.sequence).collect()
    }

    fn is_gap(out: &[MarketEvent]) -> bool {
        out.len() == 1 && out[0].kind == EventKind::STATUS && out[0].flags == flags::GAP
    }

    fn futures() -> Sync {
        Sync::new(Rule::Futures, Late::Refused)
    }

    #[test]
    fn nothing_of_depth_comes_before_the_snapshot_and_what_waited_comes_right_after_it() {
        let mut sync = futures();
        for (previous, first, last) in [(0, 1, 4), (4, 8, 9), (9, 10, 12)] {
            assert!(depth(&mut sync, previous, first, last).is_empty());
        }
        let out = snapshot(&mut sync, 8);
        assert_eq!(sequences(&out), [8, 8, 9, 12]);
        assert_eq!(out.iter().map(|event| event.flags).collect::<Vec<_>>(), [2, 1, 1, 1]);
        assert_eq!(out[2].receive_ts, 90);
        assert_eq!(sequences(&depth(&mut sync, 12, 13, 15)), [15]);
    }

    #[test]
    fn the_first_event_reaches_back_to_the_snapshot_by_the_rule_of_its_market() {
        // previous, first, last; whether it is dropped, applied, or a gap against a snapshot at 100.
        for (rule, previous, first, last, expected) in [
            (Rule::Futures, 80, 90, 99, Verdict::Old),
            (Rule::Futures, 80, 90, 100, Verdict::Next),
            (Rule::Futures, 80, 100, 105, Verdict::Next),
            (Rule::Futures, 100, 103, 105, Verdict::Next),
            (Rule::Futures, 99, 103, 105, Verdict::Next),
            (Rule::Futures, 101, 103, 105, Verdict::Gap),
            (Rule::Spot, 0, 90, 100, Verdict::Old),
            (Rule::Spot, 0, 90, 101, Verdict::Next),
            (Rule::Spot, 0, 101, 101, Verdict::Next),
            (Rule::Spot, 0, 102, 105, Verdict::Gap),
        ] {
            for waits in [false, true] {
                let mut sync = Sync::new(rule, Late::Refused);
                let out = if waits {
                    assert!(depth(&mut sync, previous, first, last).is_empty());
                    let out = snapshot(&mut sync, 100);
                    if is_gap(&out) { out } else { out[2..].to_vec() }
                } else {
                    assert_eq!(snapshot(&mut sync, 100).len(), 2);
                    depth(&mut sync, previous, first, last)
                };
                let got = match &out[..] {
                    [] => Verdict::Old,
                    out if is_gap(out) => Verdict::Gap,
                    _ => Verdict::Next,
                };
                assert_eq!(got, expected, "{rule:?} {previous} {first} {last}, waits: {waits}");
            }
        }
    }

    #[test]
    fn a_gap_is_told_once_and_silences_depth_until_a_snapshot_that_reaches_it() {
        for rule in [Rule::Futures, Rule::Spot] {
            let mut sync = Sync::new(rule, Late::Refused);
            snapshot(&mut sync, 10);
            assert_eq!(depth(&mut sync, 10, 11, 12).len(), 1);
            assert!(is_gap(&depth(&mut sync, 13, 14, 15)));
            assert!(depth(&mut sync, 15, 16, 17).is_empty());
            // Older than what is missing: no use.
            assert!(is_gap(&snapshot(&mut sync, 12)));
            assert_eq!(sequences(&snapshot(&mut sync, 14)), [14, 14, 15, 17]);
            assert_eq!(sequences(&depth(&mut sync, 17, 18, 20)), [20]);
            assert_eq!((sync.gaps, sync.repeated), (2, 0));
        }
    }

    #[test]
    fn a_gap_among_what_waited_is_told_in_its_place() {
        let mut sync = futures();
        depth(&mut sync, 0, 1, 4);
        depth(&mut sync, 4, 5, 6);
        depth(&mut sync, 8, 9, 10);
        let out = snapshot(&mut sync, 3);
        assert_eq!(sequences(&out), [3, 3, 4, 6, 10]);
        assert!(is_gap(&out[4..]));
        assert_eq!(sequences(&snapshot(&mut sync, 9)), [9, 9, 10]);
    }

    #[test]
    fn an_event_or_a_snapshot_that_is_old_changes_nothing() {
        let mut sync = futures();
        depth(&mut sync, 0, 5, 8);
        assert!(depth(&mut sync, 0, 5, 8).is_empty());
        snapshot(&mut sync, 6);
        depth(&mut sync, 8, 9, 12);
        assert!(depth(&mut sync, 8, 9, 12).is_empty() && depth(&mut sync, 0, 5, 8).is_empty());
        assert!(snapshot(&mut sync, 11).is_empty());
        assert_eq!(depth(&mut sync, 12, 13, 14).len(), 1);
        assert_eq!((sync.repeated, sync.gaps), (4, 0));
    }

    #[test]
    fn a_number_that_contradicts_the_chain_is_a_gap_and_no_repetition() {
        for rule in [Rule::Futures, Rule::Spot] {
            let mut sync = Sync::new(rule, Late::Refused);
            snapshot(&mut sync, 10);
            assert_eq!(depth(&mut sync, 10, 11, 12).len(), 1);
            assert_eq!(depth(&mut sync, 12, 13, 9_000_000).len(), 1);
            assert!(is_gap(&depth(&mut sync, 14, 15, 16)));
            assert_eq!(sequences(&snapshot(&mut sync, 15)), [15, 15, 16]);
            assert_eq!(depth(&mut sync, 16, 17, 18).len(), 1);
        }
    }

    #[test]
    fn a_newer_snapshot_takes_over_a_live_book() {
        let mut sync = futures();
        snapshot(&mut sync, 10);
        depth(&mut sync, 10, 11, 12);
        assert_eq!(snapshot(&mut sync, 20).len(), 2);
        assert!(depth(&mut sync, 12, 13, 18).is_empty());
        assert_eq!(depth(&mut sync, 18, 19, 25).len(), 1);
        assert_eq!(sync.gaps, 0);
    }

    #[test]
    fn an_empty_snapshot_still_voids_the_book() {
        let mut sync = futures();
        let mut out = Vec::new();
        sync.snapshot(5, MarketEvent::default(), &mut out, 0);
        assert!(out.len() == 1 && out[0].qty == 0 && out[0].flags == flags::SNAPSHOT | flags::LAST);
    }

    #[test]
    fn a_snapshot_that_never_comes_is_an_error_at_first_and_costs_no_memory_after_a_gap() {
        let mut sync = futures();
        let waits = MOST_EVENTS as u64;
        (1..=waits).for_each(|u| assert!(depth(&mut sync, u - 1, u, u).is_empty()));
        let update = Update { first: 10_001, last: 10_001, previous: 10_000, stamp: MarketEvent::default() };
        assert_eq!(sync.depth(update, &mut vec![MarketEvent::default()], 0), Err(NoSnapshot));
        assert_eq!(snapshot(&mut sync, 1).len() as u64, 2 + waits);

        assert!(is_gap(&depth(&mut sync, 10_001, 10_002, 10_002)));
        (10_003..30_000).for_each(|u| assert!(depth(&mut sync, u - 1, u, u).is_empty()));
        assert!(sync.waiting.len() == MOST_EVENTS && sync.levels.len() == MOST_EVENTS && sync.discarded == 9_998);
        assert!(is_gap(&snapshot(&mut sync, 10_002)));
        assert_eq!(sequences(&snapshot(&mut sync, 29_998))[2..], [29_998, 29_999]);
    }

    #[test]
    fn without_any_snapshot_every_pair_counts_at_the_end_of_the_data() {
        let mut sync = futures();
        sync.ticker(8);
        depth(&mut sync, 0, 5, 8);
        assert_eq!(sync.pairs.count(), 0);
        sync.end();
        assert_eq!(sync.pairs.count(), 1);
    }

    #[test]
    fn a_pair_counts_by_the_depth_event_even_where_the_book_is_lost() {
        let mut sync = futures();
        sync.ticker(12);
        sync.ticker(20);
        depth(&mut sync, 0, 5, 8);
        sync.ticker(8);
        depth(&mut sync, 8, 9, 12);
        snapshot(&mut sync, 9);
        assert_eq!(sync.pairs.count(), 1);
        assert!(is_gap(&depth(&mut sync, 15, 16, 20)));
        depth(&mut sync, 20, 21, 22);
        sync.ticker(22);
        assert_eq!(sync.pairs.count(), 3);
    }
}
