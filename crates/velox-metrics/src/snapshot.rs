//! What the words of a run said at one moment.

use crate::buckets::Buckets;
use crate::histogram;
use crate::layout::{Counts, LINE, Offsets, book, edge, header, market, stage, symbol, thread};
use crate::market::{LiveState, SymbolState};
use crate::state::RunState;

/// The numbers of a run at one moment, in the order of its [`Shape`](crate::Shape).
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// When it was taken, on the engine's clock.
    pub now_ns: u64,
    /// Since the sources were let go, until now or the end; 0 before.
    pub elapsed_ns: u64,
    /// Whether the run goes, and how it ended.
    pub state: RunState,
    /// Accounts of the stages.
    pub stages: Vec<StageWords>,
    /// Accounts of the edges.
    pub edges: Vec<EdgeWords>,
    /// Threads.
    pub threads: Vec<ThreadWords>,
    /// Books.
    pub books: Vec<BookWords>,
    /// Live markets.
    pub markets: Vec<MarketWords>,
    /// Their symbols.
    pub symbols: Vec<SymbolWords>,
    /// Histograms.
    pub histograms: Vec<Buckets>,
}

/// The account of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names are the account's")]
pub struct StageWords {
    pub taken: u64,
    pub out: u64,
    pub consumed: u64,
    pub filtered: u64,
    pub conflated: u64,
    pub errors: u64,
    pub held: u64,
    /// For how long it was at work, in ns.
    pub busy_ns: u64,
}

/// The account of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names are the account's")]
pub struct EdgeWords {
    pub offered: u64,
    /// Found no room, or were taken off unread.
    pub dropped: u64,
    pub high_water: u64,
    pub popped: u64,
}

/// What a thread was at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ThreadWords {
    /// How long ago its round began, in ns; none while it sleeps, and before its first.
    pub beat_age_ns: Option<u64>,
    /// Whether it sleeps.
    pub asleep: bool,
    /// The number of the stage that was at work.
    pub at: u64,
    /// Pauses over 10 µs of a spinning thread.
    pub stalls: u64,
    /// Their sum in ns.
    pub stall_total_ns: u64,
    /// The longest in ns.
    pub stall_max_ns: u64,
}

/// Whether a book can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BookState {
    /// Nothing was ever applied.
    #[default]
    Empty = 0,
    /// It says what the exchange said last.
    Live = 1,
    /// Events are missing; waits for a snapshot.
    Stale = 2,
}

impl BookState {
    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Live => "live",
            Self::Stale => "stale",
        }
    }
}

/// How a book stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BookWords {
    /// Whether it can be believed.
    pub state: BookState,
    /// The number of its last event.
    pub sequence: u64,
    /// How long ago it changed, in ns; none for never.
    pub age_ns: Option<u64>,
}

/// What a live market has been through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarketWords {
    /// How its connection stands.
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
    /// Messages that could not be decoded.
    pub errors: u64,
    /// How often the connection was given up for a pipeline too far behind.
    pub overflows: u64,
    /// Messages that found no room.
    pub dropped: u64,
    /// REST snapshots that were fetched.
    pub snapshots: u64,
    /// REST calls that failed.
    pub rest_errors: u64,
    /// Bytes of the recording.
    pub recorded: u64,
    /// How often a connection could not be made, or broke, and was tried again.
    pub failures: u64,
    /// How long ago the last message was received, in ns; none before the first.
    pub age_ns: Option<u64>,
}

/// How a symbol of a live market stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SymbolWords {
    /// Whether its book can be believed.
    pub state: SymbolState,
    /// How long ago its last event was received, in ns; none before the first.
    pub age_ns: Option<u64>,
}

impl Snapshot {
    /// The same moment, its histograms with what was recorded since an earlier snapshot of the same run. Allocates.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let both = self.histograms.iter().zip(&before.histograms);
        Self { histograms: both.map(|(now, then)| now.since(then)).collect(), ..self.clone() }
    }

    /// Whether the run has ended.
    pub fn ended(&self) -> bool {
        self.state != RunState::Running
    }

    /// The stages whose threads have not come back from their work for longer than this. A thread that sleeps is none.
    pub fn stuck(&self, longer_than_ns: u64) -> impl Iterator<Item = usize> {
        let stuck = move |thread: &&ThreadWords| thread.beat_age_ns.is_some_and(|age| age > longer_than_ns);
        self.threads.iter().filter(stuck).map(|thread| thread.at as usize)
    }

    /// Of a copy of all words, taken at `now_ns` of the engine's clock, which was `epoch_ns`. What is missing reads as zeros.
    pub(crate) fn read(words: &[u64], counts: &Counts, at: &Offsets, now_ns: u64, epoch_ns: u64) -> Self {
        let word = |i: usize| words.get(i).copied().unwrap_or(0);
        let (started, ended) = (word(header::STARTED), word(header::ENDED));
        let until = if ended == 0 { now_ns } else { ended };
        let age = |then: u64| (then != 0).then(|| now_ns.saturating_sub(then));
        let stage = |i: usize| {
            let of = |word_of: usize| word(at.stages + i * LINE + word_of);
            StageWords {
                taken: of(stage::TAKEN),
                out: of(stage::OUT),
                consumed: of(stage::CONSUMED),
                filtered: of(stage::FILTERED),
                conflated: of(stage::CONFLATED),
                errors: of(stage::ERRORS),
                held: of(stage::HELD),
                busy_ns: of(stage::BUSY),
            }
        };
        let edge = |i: usize| {
            let of = |word_of: usize| word(at.edges + i * 2 * LINE + word_of);
            EdgeWords {
                offered: of(edge::OFFERED),
                dropped: of(edge::DROPPED).saturating_add(of(edge::DISCARDED)),
                high_water: of(edge::HIGH_WATER),
                popped: of(edge::POPPED),
            }
        };
        let thread = |i: usize| {
            let of = |word_of: usize| word(at.threads + i * LINE + word_of);
            let beat = of(thread::BEAT);
            ThreadWords {
                beat_age_ns: age(beat).filter(|_| beat != u64::MAX),
                asleep: beat == u64::MAX,
                at: of(thread::AT),
                stalls: of(thread::STALLS),
                stall_total_ns: of(thread::STALL_TOTAL),
                stall_max_ns: of(thread::STALL_MAX),
            }
        };
        let book = |i: usize| {
            let of = |word_of: usize| word(at.books + i * LINE + word_of);
            let state = match of(book::STATE) {
                1 => BookState::Live,
                2 => BookState::Stale,
                _ => BookState::Empty,
            };
            BookWords { state, sequence: of(book::SEQUENCE), age_ns: age(of(book::UPDATED)) }
        };
        let since = |then: u64| (then != 0).then(|| epoch_ns.saturating_sub(then));
        let market = |i: usize| {
            let of = |word_of: usize| word(at.markets + i * LINE + word_of);
            MarketWords {
                state: LiveState::of(of(market::STATE)),
                messages: of(market::MESSAGES),
                bytes: of(market::BYTES),
                events: of(market::EVENTS),
                connections: of(market::CONNECTIONS),
                gaps: of(market::GAPS),
                checksums: of(market::CHECKSUMS),
                errors: of(market::ERRORS),
                overflows: of(market::OVERFLOWS),
                dropped: of(market::DROPPED),
                snapshots: of(market::SNAPSHOTS),
                rest_errors: of(market::REST_ERRORS),
                recorded: of(market::RECORDED),
                failures: of(market::FAILURES),
                age_ns: since(of(market::LAST_MESSAGE)),
            }
        };
        let symbol = |i: usize| {
            let of = |word_of: usize| word(at.symbols + i * LINE + word_of);
            SymbolWords { state: SymbolState::of(of(symbol::STATE)), age_ns: since(of(symbol::LAST_EVENT)) }
        };
        let histogram = |i: usize| {
            let begins = at.histograms + i * histogram::WORDS;
            Buckets::read(words.get(begins..(begins + histogram::WORDS).min(words.len())).unwrap_or_default())
        };
        Self {
            now_ns,
            elapsed_ns: if started == 0 { 0 } else { until.saturating_sub(started) },
            state: RunState::of(word(header::STATE)),
            stages: (0..counts.stages).map(stage).collect(),
            edges: (0..counts.edges).map(edge).collect(),
            threads: (0..counts.threads).map(thread).collect(),
            books: (0..counts.books).map(book).collect(),
            markets: (0..counts.markets).map(market).collect(),
            symbols: (0..counts.symbols).map(symbol).collect(),
            histograms: (0..counts.histograms).map(histogram).collect(),
        }
    }
}
