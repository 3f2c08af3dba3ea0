//! What a live market has been through, readable from any thread while it goes on.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use velox_feed::{FeedState, Venue};
use velox_metrics::layout::market;
use velox_metrics::{LiveState, MarketCounters, SymbolCounters, SymbolState};
use velox_record::Instrument;

/// Where the numbers of a live market lie: in this process, or in memory that others can read.
#[derive(Clone, Default)]
pub struct Place {
    /// Of the market.
    pub market: MarketCounters,
    /// Of each symbol, in the order of the options; those that are missing are not told.
    pub symbols: Vec<SymbolCounters>,
}

/// The counters of a live market.
pub(crate) struct Counters {
    /// None until the market begins, or was given one.
    place: OnceLock<Place>,
    last_error: Mutex<Option<String>>,
    venue: Venue,
    instruments: Vec<Arc<Instrument>>,
}

/// What was counted so far, at one moment or nearly so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveReport {
    /// The venue.
    pub venue: Venue,
    /// How the connection stands.
    pub state: LiveState,
    /// Messages received, of any kind.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Events that they gave to the pipeline.
    pub events: u64,
    /// Connections that were made, the first one too.
    pub connections: u64,
    /// How often a connection could not be made, or broke, and was tried again.
    pub failures: u64,
    /// How often events of a book were missing.
    pub gaps: u64,
    /// How often a book was not what the venue said it was.
    pub checksums: u64,
    /// Messages that could not be decoded; they changed nothing.
    pub errors: u64,
    /// How often the pipeline was so far behind that the connection was given up.
    pub overflows: u64,
    /// Messages that found no room then, or were on their way when the pipeline stopped.
    pub dropped: u64,
    /// REST snapshots that were fetched.
    pub snapshots: u64,
    /// REST calls that failed, or whose answer was of no use.
    pub rest_errors: u64,
    /// Bytes handed to the operating system for the recording.
    pub recorded: u64,
    /// When the last message was received, epoch ns; 0 before the first.
    pub last_message: u64,
    /// Why the last connection, call or message failed.
    pub last_error: Option<String>,
    /// Each symbol, in the order of the options.
    pub symbols: Vec<SymbolReport>,
}

/// How one book stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolReport {
    /// Whose.
    pub instrument: Arc<Instrument>,
    /// Whether it can be believed.
    pub state: FeedState,
    /// When its last event (level, trade or quote) was received, epoch ns; 0 before the first.
    pub last_event: u64,
}

impl fmt::Display for LiveReport {
    /// A line of what it has been through, and one of each book.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { messages, connections, gaps, checksums, errors, dropped, .. } = self;
        write!(
            f,
            "{}, connections {connections}, messages {messages}: gaps {gaps}, wrong checksums {checksums}, errors {errors}, \
             dropped {dropped}",
            self.state.name()
        )?;
        let now = velox_clock::to_epoch_nanos(velox_clock::now());
        for symbol in &self.symbols {
            write!(f, "\n  {} {}", symbol.instrument.symbol(), symbol.state.name())?;
            if let Some(age) = symbol.age(now) {
                write!(f, ", {:.1} ms old", age as f64 / 1e6)?;
            }
        }
        self.last_error.as_ref().map_or(Ok(()), |error| write!(f, "\n  last error: {error}"))
    }
}

impl SymbolReport {
    /// How long ago its last event was received, in ns, at this epoch time; `None` before the first.
    pub fn age(&self, now: u64) -> Option<u64> {
        (self.last_event > 0).then(|| now.saturating_sub(self.last_event))
    }
}

/// A look at a live market from any thread; clones look at the same one. No lock is held while it works.
#[derive(Debug, Clone)]
pub struct LiveStats(pub(crate) Arc<Counters>);

impl Counters {
    pub(crate) fn new(venue: Venue, instruments: &[Arc<Instrument>]) -> Arc<Self> {
        let (place, last_error) = (OnceLock::new(), Mutex::default());
        Arc::new(Self { place, last_error, venue, instruments: instruments.to_vec() })
    }

    /// Counts there from now on, if it hasn't begun to count elsewhere.
    pub(crate) fn lie_in(&self, place: Place) {
        let _ = self.place.set(place);
    }

    fn place(&self) -> &Place {
        self.place.get_or_init(|| {
            let symbols = self.instruments.iter().map(|_| SymbolCounters::new()).collect();
            Place { symbols, ..Place::default() }
        })
    }

    /// What its threads count.
    pub(crate) fn market(&self) -> &MarketCounters {
        &self.place().market
    }

    pub(crate) fn stands(&self, state: LiveState) {
        self.market().stands(state);
    }

    /// A connection could not be made, or broke, and was tried again.
    pub(crate) fn disconnected(&self, reason: &impl ToString) {
        self.market().add(market::FAILURES, 1);
        self.failed(reason);
    }

    pub(crate) fn failed(&self, reason: &impl ToString) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_string());
    }

    pub(crate) fn book_stands(&self, market: usize, state: FeedState) {
        if let Some(symbol) = self.place().symbols.get(market) {
            symbol.stands(match state {
                FeedState::Syncing => SymbolState::Syncing,
                FeedState::Live => SymbolState::Live,
                FeedState::Stale => SymbolState::Stale,
            });
        }
    }

    pub(crate) fn event(&self, market: usize, receive_ts: u64) {
        if let Some(symbol) = self.place().symbols.get(market) {
            symbol.event(receive_ts);
        }
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counters").field("instruments", &self.instruments).finish_non_exhaustive()
    }
}

impl LiveStats {
    /// What was counted so far. Allocates.
    pub fn report(&self) -> LiveReport {
        let Counters { place, last_error, venue, instruments } = &*self.0;
        let of = |word| place.get().map_or(0, |place| place.market.get(word));
        let symbol = |(at, instrument): (usize, &Arc<Instrument>)| {
            let told = place.get().and_then(|place| place.symbols.get(at));
            let (state, last_event) = told.map_or_else(Default::default, SymbolCounters::get);
            let state = match state {
                SymbolState::Syncing => FeedState::Syncing,
                SymbolState::Live => FeedState::Live,
                SymbolState::Stale => FeedState::Stale,
            };
            SymbolReport { instrument: Arc::clone(instrument), state, last_event }
        };
        LiveReport {
            venue: *venue,
            state: LiveState::of(of(market::STATE)),
            messages: of(market::MESSAGES),
            bytes: of(market::BYTES),
            events: of(market::EVENTS),
            connections: of(market::CONNECTIONS),
            failures: of(market::FAILURES),
            gaps: of(market::GAPS),
            checksums: of(market::CHECKSUMS),
            errors: of(market::ERRORS),
            overflows: of(market::OVERFLOWS),
            dropped: of(market::DROPPED),
            snapshots: of(market::SNAPSHOTS),
            rest_errors: of(market::REST_ERRORS),
            recorded: of(market::RECORDED),
            last_message: of(market::LAST_MESSAGE),
            last_error: last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            symbols: instruments.iter().enumerate().map(symbol).collect(),
        }
    }
}
