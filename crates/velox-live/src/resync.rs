//! When to ask for which snapshot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backoff::{Backoff, BackoffOptions};
use crate::quiet::Quiet;

/// On a new connection a snapshot is asked for once deltas come: one that is older than the first delta is of no use.
/// Where none come, the market is quiet, and it is asked for after this.
const QUIET: Duration = Duration::from_secs(1);
/// An answer on the connection that didn't come after this is asked for again.
const IN_BAND: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// On a new connection: not before deltas come, or this.
    Fresh(Instant),
    /// Not before this.
    At(Instant),
    /// The answer is awaited.
    Asked,
}

#[derive(Debug)]
struct Market {
    need: Need,
    backoff: Backoff,
    /// Whether it was ever live.
    begun: bool,
}

/// Which books wait for what. Times are given, never taken.
#[derive(Debug)]
pub(crate) struct Resync {
    markets: Vec<Market>,
    /// Whether the server asked to be left alone.
    quiet: Arc<Quiet>,
}

impl Resync {
    pub(crate) fn new(markets: usize, backoff: BackoffOptions, seed: u64, quiet: Arc<Quiet>, now: Instant) -> Self {
        let market = |index| Market {
            need: Need::At(now),
            backoff: Backoff::new(backoff, seed.wrapping_add(index as u64 + 1)),
            begun: false,
        };
        Self { markets: (0..markets).map(market).collect(), quiet }
    }

    /// There is a new connection. `by_rest`: whether snapshots are to be asked for, and not sent by themselves.
    pub(crate) fn connected(&mut self, by_rest: bool, now: Instant) {
        let need = if by_rest { Need::Fresh(now + QUIET) } else { Need::At(now + IN_BAND) };
        self.markets.iter_mut().for_each(|market| market.need = need);
    }

    /// Deltas wait for a snapshot.
    pub(crate) fn buffered(&mut self, now: Instant) {
        for market in self.markets.iter_mut().filter(|market| matches!(market.need, Need::Fresh(_))) {
            market.need = Need::At(now);
        }
    }

    /// Whether the book of a market, which is not live, is to be asked for now.
    pub(crate) fn is_due(&self, market: usize, now: Instant) -> bool {
        let due = match self.markets[market].need {
            Need::Fresh(at) | Need::At(at) => at <= now,
            Need::Asked => false,
        };
        due && self.quiet.left(now).is_none()
    }

    /// It was asked for by REST; an answer or a failure will come.
    pub(crate) fn asked(&mut self, market: usize) {
        self.markets[market].need = Need::Asked;
    }

    /// It was asked for on the connection, where nobody says whether an answer will come.
    pub(crate) fn asked_in_band(&mut self, market: usize, now: Instant) {
        let wait = IN_BAND + self.markets[market].backoff.next(now);
        self.markets[market].need = Need::At(now + wait);
    }

    /// The answer was of no use, or there was none: again, but not at once, and not before the time that the server
    /// asks for.
    pub(crate) fn failed(&mut self, market: usize, after: Option<Duration>, now: Instant) {
        let wait = self.markets[market].backoff.next(now);
        self.markets[market].need = Need::At(now + wait);
        if let Some(after) = after {
            self.quiet.extend(now + after.max(wait));
        }
    }

    /// A server that answers a call for a token, or one of a connection that has gone, asks to be left alone all the same.
    pub(crate) fn banned(&self, after: Duration, now: Instant) {
        self.quiet.extend(now + after);
    }

    /// How long the server is still to be left alone.
    pub(crate) fn quiet_for(&self, now: Instant) -> Option<Duration> {
        self.quiet.left(now)
    }

    /// The book is live: what it needs next it needs at once.
    pub(crate) fn live(&mut self, market: usize, now: Instant) {
        let market = &mut self.markets[market];
        market.begun = true;
        market.backoff.reset();
        market.need = Need::At(now);
    }

    /// Whether the book was ever live.
    pub(crate) fn has_begun(&self, market: usize) -> bool {
        self.markets[market].begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_snapshot_is_asked_for_once_deltas_come_or_the_market_is_quiet() {
        let now = Instant::now();
        let mut resync = Resync::new(2, BackoffOptions::default(), 1, Arc::default(), now);
        resync.connected(true, now);
        assert!(!resync.is_due(0, now + QUIET / 2) && resync.is_due(0, now + QUIET));
        resync.buffered(now + MS);
        assert!(resync.is_due(0, now + MS) && resync.is_due(1, now + MS));
        resync.asked(0);
        resync.buffered(now + MS);
        assert!(!resync.is_due(0, now + 100 * QUIET));
    }

    #[test]
    fn a_failure_waits_longer_each_time_and_a_server_that_asks_for_quiet_gets_it_for_all() {
        let now = Instant::now();
        let backoff = BackoffOptions { first: 8 * MS, most: 64 * MS };
        let mut resync = Resync::new(2, backoff, 1, Arc::default(), now);
        resync.failed(0, None, now);
        assert!(resync.is_due(0, now + 8 * MS));
        resync.failed(0, Some(1_000 * MS), now);
        assert!(!resync.is_due(0, now + 999 * MS) && !resync.is_due(1, now + 999 * MS));
        resync.failed(1, Some(10 * MS), now);
        assert!(!resync.is_due(1, now + 999 * MS), "the longest quiet holds");
        assert!(resync.is_due(0, now + 1_000 * MS) && resync.is_due(1, now + 1_000 * MS));
        resync.connected(true, now);
        resync.banned(2_000 * MS, now);
        assert!(!resync.is_due(1, now + 1_999 * MS), "nor does a new connection end it");
        assert_eq!((resync.quiet_for(now), resync.quiet_for(now + 2_000 * MS)), (Some(2_000 * MS), None));
        resync.live(0, now);
        assert!(resync.has_begun(0) && !resync.has_begun(1));
    }
}
