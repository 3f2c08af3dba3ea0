//! The way from the clock's timeline to the calendar's, which the system may correct at any time.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Looks at the system's clock are at least this far apart, and a difference is taken in over this long, in ns.
const SPAN: u64 = 1_000_000_000;
/// The narrowest of so many reads is the look.
const TRIES: usize = 20;

/// Epoch time from `from` on: runs with the clock, and takes `slew` in over the first [`SPAN`].
#[derive(Debug, Clone, Copy, Default)]
struct Segment {
    from: u64,
    epoch: u64,
    /// In ns. Never below -SPAN / 2, so that time always moves on.
    slew: i64,
}

impl Segment {
    fn at(&self, ns: u64) -> u64 {
        if ns < self.from {
            return self.epoch.saturating_sub(self.from - ns);
        }
        let run = ns - self.from;
        let slewed = i128::from(self.slew) * i128::from(run.min(SPAN)) / i128::from(SPAN);
        (i128::from(self.epoch) + i128::from(run) + slewed) as u64
    }
}

/// The last look at the system's clock, and the one before, for instants in between.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    now: Segment,
    before: Segment,
}

impl Anchor {
    fn first(ns: u64, epoch: u64) -> Self {
        let now = Segment { from: ns, epoch, slew: 0 };
        Self { now, before: now }
    }

    fn is_due(&self, ns: u64) -> bool {
        ns.saturating_sub(self.now.from) >= SPAN
    }

    /// Takes in that the system's clock says `epoch` at `ns`. A clock that was set forward by more than a second is
    /// followed at once.
    fn correct(&mut self, ns: u64, epoch: u64) {
        let runs = self.now.at(ns);
        let off = i128::from(epoch) - i128::from(runs);
        let span = i128::from(SPAN);
        let (start, slew) = if off > span { (epoch, 0) } else { (runs, off.max(-span / 2) as i64) };
        self.before = self.now;
        self.now = Segment { from: ns, epoch: start, slew };
    }

    fn at(&self, ns: u64) -> u64 {
        if ns < self.now.from { self.before.at(ns) } else { self.now.at(ns) }
    }
}

pub(crate) struct Epoch(Mutex<Option<Anchor>>);

impl Epoch {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn of(&self, ns: u64) -> u64 {
        let mut anchor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if anchor.is_none_or(|anchor| anchor.is_due(crate::now())) {
            let (now, epoch) = look();
            match anchor.as_mut() {
                Some(anchor) => anchor.correct(now, epoch),
                None => *anchor = Some(Anchor::first(now, epoch)),
            }
        }
        anchor.map_or(0, |anchor| anchor.at(ns))
    }
}

/// One instant on both timelines.
fn look() -> (u64, u64) {
    let one = || {
        let before = crate::now();
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        let bracket = crate::now() - before;
        (bracket, before + bracket / 2, epoch)
    };
    let (_, ns, epoch) = (0..TRIES).map(|_| one()).min().unwrap_or_else(one);
    (ns, epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_700_000_000 * SPAN;

    #[test]
    fn it_follows_a_system_clock_that_drifts() {
        let mut anchor = Anchor::first(0, START);
        for second in 1..=100u64 {
            // 50 µs a second fast.
            anchor.correct(second * SPAN, START + second * (SPAN + 50_000));
        }
        let off = anchor.at(101 * SPAN) as i64 - (START + 101 * (SPAN + 50_000)) as i64;
        assert!(off.abs() <= 50_000, "{off}");
    }

    #[test]
    fn a_clock_set_back_slows_it_and_never_turns_it_back() {
        let mut anchor = Anchor::first(0, START);
        let (mut last, mut ns) = (0, 0);
        while ns < 200 * SPAN {
            if anchor.is_due(ns) {
                anchor.correct(ns, START + ns - 60 * SPAN);
            }
            let epoch = anchor.at(ns);
            assert!(epoch >= last);
            (last, ns) = (epoch, ns + SPAN / 7);
        }
        assert!(anchor.at(ns).abs_diff(START + ns - 60 * SPAN) < 1_000);
    }

    #[test]
    fn a_clock_set_forward_is_followed_at_once_and_older_instants_keep_their_time() {
        let mut anchor = Anchor::first(0, START);
        let old = anchor.at(SPAN - 1);
        anchor.correct(SPAN, START + 3_600 * SPAN);
        assert_eq!(anchor.at(SPAN), START + 3_600 * SPAN);
        assert_eq!(anchor.at(SPAN - 1), old);
    }

    #[test]
    fn it_says_what_the_system_says() {
        let ours = crate::to_epoch_nanos(crate::now());
        let theirs = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        assert!(theirs.abs_diff(ours) < 100_000_000, "{ours} {theirs}");
    }
}
