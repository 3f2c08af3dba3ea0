//! How a file of metrics lies in memory: 64-bit words in the byte order of the machine, version 3.
//!
//! | part | words | what |
//! |---|---|---|
//! | header | 64 | see [`header`] |
//! | shape | as many as its JSON needs | UTF-8: the run's name; stages, edges, threads, books, live markets and histograms by number ([`Shape`](crate::Shape)) |
//! | stages | 16 each | [`stage`]: written by the stage's thread, once a batch |
//! | edges | 32 each | [`edge`]: 16 of the thread that writes to it, then 16 of the one that reads from it |
//! | threads | 16 each | [`thread`]: written by the thread, once a round |
//! | books | 16 each | [`book`]: written by the thread of the book's stage, where the book has changed |
//! | live markets | 16 each | [`market`]: written by the market's own threads, the recorder's word by the recorder's |
//! | symbols | 16 each | [`symbol`]: written by the thread of its market |
//! | histograms | 3,824 each | [`histogram_words`]: written by the thread of its stage, the hiccup meter's by the meter |
//!
//! Each part begins where the one before it ends; the numbers in the header say how long each is. 16 words are 128 bytes:
//! one cache line of Apple's processors, and the two that x86-64's fetch together. No two threads write to the same, but
//! those of one live market: its own, and its recorder's.
//!
//! Times are ns on the engine's clock, which only the process itself can read: [`header::BEAT_CLOCK`] and
//! [`header::BEAT_EPOCH`] say what it was when by the system's. Those of live markets are epoch ns, as messages are stamped.
//! A reader copies the words last to first, so that it has what is counted later (consumed, popped) before what is counted
//! first (taken, offered), and of stages the last first.
//!
//! A file is made under another name and renamed when it is complete, so a reader never sees half a header. It is removed
//! when the run ends; a process that is killed leaves it, and the next run of this user removes it.

use crate::histogram;

/// `VELOXMET` as bytes, on a machine that puts the low byte first.
pub const MAGIC: u64 = u64::from_le_bytes(*b"VELOXMET");
/// Grows with each change of what is told here.
pub const VERSION: u64 = 3;
/// Words that no two writers share.
pub const LINE: usize = 16;
/// Words of the header.
pub const HEADER: usize = 64;

/// Words of the header. The first line is written once, when the run starts.
#[expect(missing_docs, reason = "each is told beside it")]
pub mod header {
    /// [`MAGIC`](super::MAGIC).
    pub const MAGIC: usize = 0;
    /// [`VERSION`](super::VERSION).
    pub const VERSION: usize = 1;
    pub const PID: usize = 2;
    /// When the process began, in the system's ticks: a process number is given anew. 0: not known.
    pub const PROCESS_START: usize = 3;
    /// Words of the whole file.
    pub const WORDS: usize = 4;
    /// Bytes of the JSON, and words that there are for it.
    pub const SHAPE_BYTES: usize = 5;
    pub const SHAPE_WORDS: usize = 6;
    /// How many of each.
    pub const STAGES: usize = 7;
    pub const EDGES: usize = 8;
    pub const THREADS: usize = 9;
    pub const BOOKS: usize = 10;
    pub const HISTOGRAMS: usize = 11;
    /// When the file was made, in epoch ns.
    pub const MADE_EPOCH: usize = 12;
    /// How many of each, too.
    pub const MARKETS: usize = 13;
    pub const SYMBOLS: usize = 14;
    /// When the sources were let go, on the clock; 0 before.
    pub const STARTED: usize = 16;
    /// When the run ended, on the clock; 0 before.
    pub const ENDED: usize = 17;
    /// 0 while it goes; then how it ended: 1 done, 2 aborted, 3 and the number of the stage that failed.
    pub const STATE: usize = 18;
    /// The last beat of the process, ten a second: on the clock, and in epoch ns.
    pub const BEAT_CLOCK: usize = 32;
    pub const BEAT_EPOCH: usize = 33;
}

/// Words of a stage: its account.
#[expect(missing_docs, reason = "the names are the account's")]
pub mod stage {
    pub const TAKEN: usize = 0;
    pub const OUT: usize = 1;
    pub const CONSUMED: usize = 2;
    pub const FILTERED: usize = 3;
    pub const CONFLATED: usize = 4;
    pub const ERRORS: usize = 5;
    pub const HELD: usize = 6;
    /// For how long it was at work, in ns.
    pub const BUSY: usize = 7;
}

/// Words of an edge.
#[expect(missing_docs, reason = "the names are the account's")]
pub mod edge {
    pub const OFFERED: usize = 0;
    pub const DROPPED: usize = 1;
    pub const HIGH_WATER: usize = 2;
    pub const POPPED: usize = super::LINE;
    pub const DISCARDED: usize = super::LINE + 1;
}

/// Words of a thread.
pub mod thread {
    /// When its round began; [`u64::MAX`] while it sleeps, 0 before the first.
    pub const BEAT: usize = 0;
    /// The stage that is at work.
    pub const AT: usize = 1;
    /// Pauses over 10 µs of a spinning thread: how many, their sum and the longest in ns.
    pub const STALLS: usize = 2;
    #[expect(missing_docs, reason = "told above")]
    pub const STALL_TOTAL: usize = 3;
    #[expect(missing_docs, reason = "told above")]
    pub const STALL_MAX: usize = 4;
}

/// Words of a book.
pub mod book {
    /// 0 empty, 1 live, 2 stale.
    pub const STATE: usize = 0;
    /// The number of its last event.
    pub const SEQUENCE: usize = 1;
    /// When it changed last; 0 for never.
    pub const UPDATED: usize = 2;
}

/// Words of a live market.
#[expect(missing_docs, reason = "told beside those that their names don't tell")]
pub mod market {
    /// A [`LiveState`](crate::LiveState).
    pub const STATE: usize = 0;
    /// Messages received, and their bytes.
    pub const MESSAGES: usize = 1;
    pub const BYTES: usize = 2;
    /// Events that they gave to the pipeline.
    pub const EVENTS: usize = 3;
    /// Connections that were made, the first one too.
    pub const CONNECTIONS: usize = 4;
    /// How often events of a book were missing, and how often a book was not what the venue said it was.
    pub const GAPS: usize = 5;
    pub const CHECKSUMS: usize = 6;
    /// Messages that could not be decoded.
    pub const ERRORS: usize = 7;
    /// How often the connection was given up for a pipeline too far behind, and the messages that found no room then.
    pub const OVERFLOWS: usize = 8;
    pub const DROPPED: usize = 9;
    /// REST snapshots that were fetched, and calls that failed.
    pub const SNAPSHOTS: usize = 10;
    pub const REST_ERRORS: usize = 11;
    /// Bytes handed to the operating system for the recording.
    pub const RECORDED: usize = 12;
    /// When the last message was received, epoch ns; 0 before the first.
    pub const LAST_MESSAGE: usize = 13;
    /// How often a connection could not be made, or broke, and was tried again.
    pub const FAILURES: usize = 14;
}

/// Words of a symbol of a live market.
pub mod symbol {
    /// A [`SymbolState`](crate::SymbolState).
    pub const STATE: usize = 0;
    /// When its last event was received, epoch ns; 0 before the first.
    pub const LAST_EVENT: usize = 1;
}

/// Words of a histogram.
pub mod histogram_words {
    /// The sum of all, in ns; wraps.
    pub const SUM: usize = super::histogram::SUM;
    /// The complement of the least.
    pub const LEAST: usize = super::histogram::LEAST;
    /// The most.
    pub const MOST: usize = super::histogram::MOST;
    /// The first of 3,808 buckets: values up to 255 one each, then 128 for each power of two.
    pub const FIRST: usize = super::histogram::FIRST;
}

/// How many of each part there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names are the parts'")]
pub struct Counts {
    pub shape_words: usize,
    pub stages: usize,
    pub edges: usize,
    pub threads: usize,
    pub books: usize,
    pub markets: usize,
    pub symbols: usize,
    pub histograms: usize,
}

/// Where each part begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offsets {
    pub stages: usize,
    pub edges: usize,
    pub threads: usize,
    pub books: usize,
    pub markets: usize,
    pub symbols: usize,
    pub histograms: usize,
    pub words: usize,
}

impl Offsets {
    /// `None` where the sum is too large to be.
    pub fn of(counts: &Counts) -> Option<Self> {
        let mut at = HEADER;
        let mut part = |count: usize, words: usize| {
            let begins = at;
            at = at.checked_add(count.checked_mul(words)?)?;
            Some(begins)
        };
        part(counts.shape_words.checked_next_multiple_of(LINE)?, 1)?;
        let stages = part(counts.stages, LINE)?;
        let edges = part(counts.edges, 2 * LINE)?;
        let threads = part(counts.threads, LINE)?;
        let books = part(counts.books, LINE)?;
        let markets = part(counts.markets, LINE)?;
        let symbols = part(counts.symbols, LINE)?;
        let histograms = part(counts.histograms, histogram::WORDS)?;
        Some(Self { stages, edges, threads, books, markets, symbols, histograms, words: at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_begins_on_a_line_of_its_own_whatever_is_before_it() {
        // 0, 1 or 2 of each part, in all combinations.
        for nth in 0..3usize.pow(7) {
            let of = |part: u32| nth / 3usize.pow(part) % 3;
            for shape_words in [0, 1, LINE - 1, LINE, LINE + 1, 1_000] {
                let [stages, edges, threads, books, markets, symbols, histograms] = [0, 1, 2, 3, 4, 5, 6].map(of);
                let counts = Counts { shape_words, stages, edges, threads, books, markets, symbols, histograms };
                let at = Offsets::of(&counts).unwrap();
                let begins =
                    [at.stages, at.edges, at.threads, at.books, at.markets, at.symbols, at.histograms, at.words];
                assert!(begins[0] >= HEADER + shape_words, "{counts:?}: {at:?}");
                assert!(begins.is_sorted() && begins.iter().all(|begin| begin % LINE == 0), "{counts:?}: {at:?}");
            }
        }
        assert_eq!((HEADER % LINE, histogram::WORDS % LINE), (0, 0));
    }
}
