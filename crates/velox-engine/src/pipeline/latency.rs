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
        let Some(histogram) = &self.0 else { return };
        match stamps {
            [] => {}
            [one] => histogram.record(now.saturating_sub(one.ready()), 1),
            many => record_many(histogram, many, now),
        }
    }

    /// The ways of all arrivals behind these stamps.
    #[inline]
    pub(crate) fn record_paths<S: Stamp>(&self, stamps: &[S], now: u64) {
        if let Some(histogram) = &self.0 {
            record_ways(histogram, stamps, now);
        }
    }
}

/// Those that say the same and follow each other, as those of one message do, count at once. A call of its own: a record that
/// comes alone would pay for its registers.
#[inline(never)]
fn record_many<S: Stamp>(histogram: &Histogram, stamps: &[S], now: u64) {
    let [first, rest @ ..] = stamps else { return };
    let first = first.ready();
    // A loop without branches first: at the greatest pace a whole batch arrives at once.
    if rest.iter().fold(0, |differs, stamp| differs | (stamp.ready() ^ first)) == 0 {
        return histogram.record(now.saturating_sub(first), stamps.len() as u64);
    }
    for same in stamps.chunk_by(|a, b| a.ready() == b.ready()) {
        histogram.record(now.saturating_sub(same[0].ready()), same.len() as u64);
    }
}

/// Equal ones that follow each other count at once.
#[inline(never)]
fn record_ways<S: Stamp>(histogram: &Histogram, stamps: &[S], now: u64) {
    let (mut last, mut times) = (0, 0);
    for stamp in stamps {
        stamp.paths(now, |nanos, more| {
            if nanos != last && times > 0 {
                histogram.record(last, times);
                times = 0;
            }
            (last, times) = (nanos, times + more);
        });
    }
    if times > 0 {
        histogram.record(last, times);
    }
}
