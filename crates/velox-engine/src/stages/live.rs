use velox_live::{Live, LiveEvents, LiveStats, Place};
use velox_record::MarketEvent;
use velox_ring::Waker;

use crate::pipeline::{BATCH, EngineError, Feed, Notes, Source};

/// A live market as a pipeline's source. It connects when the run goes, on a thread of its own, and that thread wakes the
/// pipeline's. Where books lose their synchronisation the events say so, and book stages go stale; only what another
/// connection would not mend fails the run.
///
/// Bundles behind it close by the clock. Latency counts from when the bytes of a message were read.
pub struct LiveSource {
    /// Until the first poll.
    market: Option<Live>,
    /// From then on.
    events: Option<LiveEvents>,
    stats: LiveStats,
    waker: Option<Waker>,
    records: Vec<MarketEvent>,
}

impl LiveSource {
    /// A market that will be connected. Allocates its buffer here, once.
    pub fn new(live: Live) -> Self {
        let (stats, records) = (live.stats(), Vec::with_capacity(BATCH));
        Self { market: Some(live), events: None, stats, waker: None, records }
    }

    fn give(&mut self, feed: &mut Feed<'_, MarketEvent>, most: usize) -> usize {
        let Some(events) = &mut self.events else { return 0 };
        self.records.clear();
        events.pop_into(&mut self.records, most);
        // Behind the look, so that no record is younger.
        let now = velox_clock::now();
        let epoch = velox_clock::to_epoch_nanos(now);
        for record in &self.records {
            feed.push(*record, now.saturating_sub(epoch.saturating_sub(record.receive_ts)));
        }
        feed.pass_time(now);
        feed.follow_clock(0);
        self.records.len()
    }
}

impl Source for LiveSource {
    type Out = MarketEvent;

    fn poll(&mut self, feed: &mut Feed<'_, MarketEvent>, stopping: bool) -> Result<bool, EngineError> {
        if let Some(live) = self.market.take_if(|_| !stopping) {
            self.events = Some(live.start(self.waker.take())?);
        }
        let Some(events) = &self.events else { return Ok(true) };
        if stopping {
            // What was received before arrives: the end is where it says that it is.
            events.end();
        }
        if events.is_finished() {
            return events.failure().map_or(Ok(true), |error| Err(error.into()));
        }
        let room = feed.room().min(BATCH);
        self.give(feed, room);
        Ok(false)
    }

    fn has_record_time(&self) -> bool {
        false
    }

    fn market(&self) -> Option<(&'static str, Vec<String>)> {
        self.market.as_ref().map(Live::market)
    }

    fn counts_in(&mut self, place: Place) {
        if let Some(market) = &self.market {
            market.counts_in(place);
        }
    }

    fn woken_by(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }

    fn notes(&mut self) -> Notes {
        Notes {
            left_out: self.stats.report().dropped,
            non_deterministic: Some("live: what the venue sent is not sent again".into()),
            ..Notes::default()
        }
    }
}
