use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use velox_feed::Feed;
use velox_metrics::LiveState;
use velox_record::MarketEvent;
use velox_ring::{Consumer, Waker, ring};

use crate::books::Books;
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::outbox::Outbox;
use crate::stats::{Counters, LiveStats, Place};
use crate::stop::Stop;
use crate::{LiveError, LiveOptions};

/// A live market that is not connected yet.
pub struct Live {
    feed: Feed,
    options: LiveOptions,
    counters: Arc<Counters>,
}

impl Live {
    /// Checks what was asked for. Connects to nothing.
    ///
    /// ```
    /// use velox_feed::Venue;
    /// use velox_live::{Live, LiveOptions, LiveState};
    ///
    /// let xbt = Venue::Kraken.instrument("XBT/USD").unwrap();
    /// let options = LiveOptions::new(Venue::Kraken, vec![xbt]);
    /// let live = Live::new(options.clone()).unwrap();
    /// assert_eq!(live.stats().report().state, LiveState::Idle);
    ///
    /// let error = Live::new(LiveOptions { url: Some("http://127.0.0.1".into()), ..options }).unwrap_err();
    /// assert_eq!(error.code(), "VELOX_INVALID_VALUE");
    /// ```
    ///
    /// # Errors
    /// [`LiveError::InvalidUrl`]; [`LiveError::Feed`]: no instruments, one twice, or a capacity that can't be.
    pub fn new(options: LiveOptions) -> Result<Self, LiveError> {
        if let Some(url) = &options.url {
            Endpoint::websocket("url", url)?;
        }
        let mut feed = Feed::new(options.venue, options.instruments.clone())?;
        if let Some(url) = &options.rest_url {
            Endpoint::http("restUrl", url)?;
            feed.set_rest_url(url)?;
        }
        let counters = Counters::new(options.venue, &options.instruments);
        Ok(Self { feed, options, counters })
    }

    /// What it goes through, for any thread.
    pub fn stats(&self) -> LiveStats {
        LiveStats(Arc::clone(&self.counters))
    }

    /// Counts there from now on: for memory that others can read. Before the start; each place is for one market.
    pub fn counts_in(&self, place: Place) {
        self.counters.lie_in(place);
    }

    /// The venue's name, and the symbols as it spells them.
    pub fn market(&self) -> (&'static str, Vec<String>) {
        let symbols = self.options.instruments.iter().map(|instrument| instrument.symbol().to_string());
        (self.options.venue.name(), symbols.collect())
    }

    /// Starts its thread, which connects. `waker` is woken when events wait.
    ///
    /// # Errors
    /// [`LiveError::Unwritable`]: the recording; [`LiveError::Thread`]; [`LiveError::Feed`]: the capacity.
    pub fn start(self, waker: Option<Waker>) -> Result<LiveEvents, LiveError> {
        let Self { feed, options, counters } = self;
        let (producer, consumer) = ring(options.capacity).map_err(|_| {
            LiveError::Feed(velox_feed::FeedError::InvalidValue {
                field: "capacity",
                expected: "a power of two from 1 to 2^31".into(),
                got: options.capacity.to_string(),
            })
        })?;
        let stop = Arc::new(Stop::default());
        let ending = Arc::new(Mutex::new(Ending::default()));
        let outbox = Outbox::new(producer, waker.clone(), options.capacity);
        let books = Books::new(feed, &options, outbox, Arc::clone(&counters))?;
        let mut connection = Connection::new(books, options, Arc::clone(&stop), Arc::clone(&counters))?;
        let (told, stats) = (Arc::clone(&ending), LiveStats(Arc::clone(&counters)));
        let body = move || {
            // Unwind safety: after a panic nothing of it is used again.
            let ended = catch_unwind(AssertUnwindSafe(|| {
                let ended = connection.run();
                let (rest, closed) = connection.end();
                (ended.and(closed), rest)
            }));
            let (ended, rest) = ended.unwrap_or_else(|panic| (Err(LiveError::Panic(panic_text(&*panic))), Vec::new()));
            if let Err(error) = &ended {
                counters.failed(error);
            }
            *lock(&told) = Ending { failure: ended.err(), rest: rest.into() };
            counters.stands(LiveState::Ended);
            // Only now the ring's end is seen: by then its reason stands.
            drop(connection);
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        let thread = std::thread::Builder::new().name("velox-live".into()).spawn(body);
        let thread = thread.map_err(|error| LiveError::Thread { reason: error.to_string() })?;
        Ok(LiveEvents { consumer, stop, ending, stats, thread: Some(thread) })
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What the thread leaves.
#[derive(Debug, Default)]
struct Ending {
    failure: Option<LiveError>,
    /// Events that the ring had no room for, oldest first.
    rest: VecDeque<MarketEvent>,
}

fn lock(ending: &Mutex<Ending>) -> MutexGuard<'_, Ending> {
    ending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What comes from a live market. Dropping it ends the connection: in at most 100 ms its threads are gone, and where it is
/// recorded, when the disk has the end of it.
#[derive(Debug)]
pub struct LiveEvents {
    consumer: Consumer<MarketEvent>,
    stop: Arc<Stop>,
    ending: Arc<Mutex<Ending>>,
    stats: LiveStats,
    thread: Option<JoinHandle<()>>,
}

impl LiveEvents {
    /// Takes up to `most` events, oldest first, to the end of `out`; says how many. Never waits. Allocates where `out`
    /// has no room.
    pub fn pop_into(&mut self, out: &mut Vec<MarketEvent>, most: usize) -> usize {
        let taken = self.consumer.pop_into(out, most);
        if taken > 0 || !self.consumer.is_finished() {
            return taken;
        }
        let rest = &mut lock(&self.ending).rest;
        let taken = most.min(rest.len());
        out.extend(rest.drain(..taken));
        taken
    }

    /// Whether it has ended and everything was taken.
    pub fn is_finished(&self) -> bool {
        self.consumer.is_finished() && lock(&self.ending).rest.is_empty()
    }

    /// Why it has ended by itself; `None` while it goes on. A short lock.
    pub fn failure(&self) -> Option<LiveError> {
        lock(&self.ending).failure.clone()
    }

    /// What it goes through.
    pub fn stats(&self) -> LiveStats {
        self.stats.clone()
    }

    /// Orders the end and returns at once: what was received before can still be taken, until [`Self::is_finished`].
    pub fn end(&self) {
        self.stop.ask();
    }

    /// Ends the connection and waits for its threads; what was received before can still be taken.
    pub fn stop(&mut self) {
        self.end();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for LiveEvents {
    fn drop(&mut self) {
        self.stop();
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".into())
}
