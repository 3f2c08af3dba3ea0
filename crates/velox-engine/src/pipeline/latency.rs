//! Latencies from the stamps that travel beside records, into a histogram that anyone may read meanwhile.

use velox_metrics::Histogram;

use super::flow::Stamp;

/// A histogram, or none where the run was started without: then nothing is recorded.
#[derive(Debug, Default, Clone)]
pub(crate) struct Latency(pub Option<Histogram>);

impl Latency {
    #[inline]
    pub(crate) fn record(&self, nanos: u64, times: u64) {
        if let Some(histogram) = &self.0 {
            histogram.record(nanos, times);
        }
    }

    /// The time from when each was ready until `now`.
    #[inline]
    pub(crate) fn record_stamps<S: Stamp>(&self, stamps: &[S], now: u64) {
        if self.0.is_some() {
            runs(stamps, |ready, times| self.record(now.saturating_sub(ready), times));
        }
    }

    /// The same, and into `end_to_end` the ways of all arrivals behind these stamps.
    #[inline]
    pub(crate) fn record_end<S: Stamp>(&self, end_to_end: &Self, stamps: &[S], now: u64) {
        if !S::IS_ARRIVAL || self.0.is_none() || end_to_end.0.is_none() {
            self.record_stamps(stamps, now);
            return end_to_end.record_paths(stamps, now);
        }
        runs(stamps, |ready, times| {
            let nanos = now.saturating_sub(ready);
            self.record(nanos, times);
            end_to_end.record(nanos, times);
        });
    }

    /// The ways of all arrivals behind these stamps; equal ones that follow each other count at once.
    fn record_paths<S: Stamp>(&self, stamps: &[S], now: u64) {
        if self.0.is_none() {
            return;
        }
        let (mut last, mut times) = (0, 0);
        for stamp in stamps {
            stamp.paths(now, |nanos, more| {
                if nanos != last && times > 0 {
                    self.record(last, times);
                    times = 0;
                }
                (last, times) = (nanos, times + more);
            });
        }
        if times > 0 {
            self.record(last, times);
        }
    }
}

/// Calls `run` with when the stamps were ready, and how many that follow each other say the same, as those of one message do.
#[inline]
fn runs<S: Stamp>(stamps: &[S], mut run: impl FnMut(u64, u64)) {
    let [first, rest @ ..] = stamps else { return };
    let first = first.ready();
    // A loop without branches first: at the greatest pace a whole batch arrives at once.
    if rest.iter().fold(0, |differs, stamp| differs | (stamp.ready() ^ first)) == 0 {
        return run(first, stamps.len() as u64);
    }
    for same in stamps.chunk_by(|a, b| a.ready() == b.ready()) {
        run(same[0].ready(), same.len() as u64);
    }
}
