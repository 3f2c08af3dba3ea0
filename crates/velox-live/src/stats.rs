//! What a live market has been through, readable from any thread while it goes on.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use velox_feed::FeedState;
use velox_record::Instrument;

/// How the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveState {
    /// It was not started.
    Idle,
    /// There is none; one is being made, or waited for.
    Connecting,
    /// It stands.
    Connected,
    /// It has ended for good.
    Ended,
}

impl LiveState {
    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Ended => "ended",
        }
    }
}

/// The counters of a live market.
#[derive(Debug)]
pub(crate) struct Counters {
    state: AtomicU8,
    pub(crate) messages: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) gaps: AtomicU64,
    pub(crate) checksums: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) overflows: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) snapshots: AtomicU64,
    pub(crate) rest_errors: AtomicU64,
    pub(crate) recorded: AtomicU64,
    pub(crate) last_message: AtomicU64,
    last_error: Mutex<Option<String>>,
    symbols: Vec<SymbolCounters>,
}

#[derive(Debug)]
struct SymbolCounters {
    instrument: Arc<Instrument>,
    /// A [`FeedState`].
    state: AtomicU8,
    last_event: AtomicU64,
}

/// What was counted so far, at one moment or nearly so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveReport {
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

// All counters are relaxed: each stands for itself and orders nothing.
impl Counters {
    pub(crate) fn new(instruments: &[Arc<Instrument>]) -> Arc<Self> {
        let symbol = |instrument: &Arc<Instrument>| SymbolCounters {
            instrument: Arc::clone(instrument),
            state: AtomicU8::new(FeedState::Syncing as u8),
            last_event: AtomicU64::new(0),
        };
        Arc::new(Self {
            state: AtomicU8::new(LiveState::Idle as u8),
            messages: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            events: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            checksums: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            overflows: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            snapshots: AtomicU64::new(0),
            rest_errors: AtomicU64::new(0),
            recorded: AtomicU64::new(0),
            last_message: AtomicU64::new(0),
            last_error: Mutex::new(None),
            symbols: instruments.iter().map(symbol).collect(),
        })
    }

    pub(crate) fn stands(&self, state: LiveState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, reason: &impl ToString) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_string());
    }

    pub(crate) fn book_stands(&self, market: usize, state: FeedState) {
        self.symbols[market].state.store(state as u8, Ordering::Relaxed);
    }

    pub(crate) fn event(&self, market: usize, receive_ts: u64) {
        self.symbols[market].last_event.store(receive_ts, Ordering::Relaxed);
    }
}

/// Adds to a counter that one thread writes.
pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed) + count, Ordering::Relaxed);
}

impl LiveStats {
    /// What was counted so far. Allocates.
    pub fn report(&self) -> LiveReport {
        let Counters { symbols, .. } = &*self.0;
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let state = self.0.state.load(Ordering::Relaxed);
        let states = [LiveState::Idle, LiveState::Connecting, LiveState::Connected];
        let symbol = |it: &SymbolCounters| SymbolReport {
            instrument: Arc::clone(&it.instrument),
            state: book_state(it.state.load(Ordering::Relaxed)),
            last_event: of(&it.last_event),
        };
        LiveReport {
            state: states.into_iter().find(|it| *it as u8 == state).unwrap_or(LiveState::Ended),
            messages: of(&self.0.messages),
            bytes: of(&self.0.bytes),
            events: of(&self.0.events),
            connections: of(&self.0.connections),
            gaps: of(&self.0.gaps),
            checksums: of(&self.0.checksums),
            errors: of(&self.0.errors),
            overflows: of(&self.0.overflows),
            dropped: of(&self.0.dropped),
            snapshots: of(&self.0.snapshots),
            rest_errors: of(&self.0.rest_errors),
            recorded: of(&self.0.recorded),
            last_message: of(&self.0.last_message),
            last_error: self.0.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            symbols: symbols.iter().map(symbol).collect(),
        }
    }
}

fn book_state(byte: u8) -> FeedState {
    let states = [FeedState::Syncing, FeedState::Live];
    states.into_iter().find(|it| *it as u8 == byte).unwrap_or(FeedState::Stale)
}
