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

    /// The time from when each was ready until `now`. Stamps that are the same, as those of one message are, count at once.
    pub(crate) fn record_stamps<S: Stamp>(&self, stamps: &[S], now: u64) {
        let (Some(first), true) = (stamps.first().map(Stamp::ready), self.0.is_some()) else { return };
        // A loop without branches first: at the greatest pace a whole batch arrives at once.
        if stamps.iter().fold(0, |differs, stamp| differs | (stamp.ready() ^ first)) == 0 {
            return self.record(now.saturating_sub(first), stamps.len() as u64);
        }
        for same in stamps.chunk_by(|a, b| a.ready() == b.ready()) {
            self.record(now.saturating_sub(same[0].ready()), same.len() as u64);
        }
    }

    /// The ways of all arrivals behind these stamps; equal ones that follow each other count at once.
    pub(crate) fn record_paths<S: Stamp>(&self, stamps: &[S], now: u64) {
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
