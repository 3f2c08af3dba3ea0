//! Latency histograms: recorded on one thread, read when it is over.

use hdrhistogram::Histogram;

use super::flow::Stamp;

/// The longest latency that is told apart: 60 s.
const HIGHEST: u64 = 60_000_000_000;

/// Nanoseconds, 1 to 60 s, three digits. Memory (about 220 kB) comes with the first value or [`Latency::ready`].
#[derive(Debug, Default, Clone)]
pub(crate) struct Latency(Option<Histogram<u64>>);

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, HIGHEST, 3).expect("bounds and digits are in range")
}

/// Percentiles of a latency, in ns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the percentiles")]
pub struct Percentiles {
    pub min: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
    pub mean: f64,
    pub count: u64,
}

impl Latency {
    /// With its memory there, so that recording never allocates.
    pub(crate) fn ready() -> Self {
        Self(Some(histogram()))
    }

    pub(crate) fn record(&mut self, nanos: u64, times: u64) {
        self.0.get_or_insert_with(histogram).saturating_record_n(nanos.max(1), times);
    }

    /// The time from when each was ready until `now`. Stamps that are the same, as those of one message are, count at once.
    pub(crate) fn record_stamps<S: Stamp>(&mut self, stamps: &[S], now: u64) {
        let Some(first) = stamps.first().map(Stamp::ready) else { return };
        // A loop without branches first: at the greatest pace a whole batch arrives at once.
        if stamps.iter().fold(0, |differs, stamp| differs | (stamp.ready() ^ first)) == 0 {
            return self.record(now.saturating_sub(first), stamps.len() as u64);
        }
        for same in stamps.chunk_by(|a, b| a.ready() == b.ready()) {
            self.record(now.saturating_sub(same[0].ready()), same.len() as u64);
        }
    }

    /// The ways of all arrivals behind these stamps; equal ones that follow each other count at once.
    pub(crate) fn record_paths<S: Stamp>(&mut self, stamps: &[S], now: u64) {
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

    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        let h = self.0.as_ref().filter(|h| !h.is_empty())?;
        Some(Percentiles {
            min: h.min(),
            p50: h.value_at_quantile(0.5),
            p90: h.value_at_quantile(0.9),
            p99: h.value_at_quantile(0.99),
            p999: h.value_at_quantile(0.999),
            max: h.max(),
            mean: h.mean(),
            count: h.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let mut latency = Latency::ready();
        assert!(latency.percentiles().is_none(), "nothing recorded");
        for nanos in 1..=1_000 {
            latency.record(nanos, 1);
        }
        let p = latency.percentiles().unwrap();
        assert_eq!((p.min, p.p50, p.p90, p.p99, p.max, p.count), (1, 500, 900, 990, 1_000, 1_000));
    }

    #[test]
    fn what_is_off_the_scale_counts_at_its_ends() {
        let mut latency = Latency::default();
        latency.record(0, 1);
        latency.record(u64::MAX, 1);
        let p = latency.percentiles().unwrap();
        assert_eq!((p.min, p.count), (1, 2));
        assert!(p.max >= HIGHEST);
    }
}
