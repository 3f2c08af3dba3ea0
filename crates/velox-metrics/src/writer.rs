//! The metrics of a run of this process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use velox_sys::{Block, WordMap};

use crate::counters::{BookCounters, EdgeCounters, MarketCounters, StageCounters, SymbolCounters, ThreadCounters};
use crate::folder::{self, EXTENSION, UNNAMED};
use crate::histogram::{self, Histogram};
use crate::layout::{Counts, HEADER, LINE, MAGIC, Offsets, VERSION, header};
use crate::reader::epoch_now;
use crate::shape::{Shape, ThreadOf};
use crate::snapshot::Snapshot;
use crate::state::RunState;

/// Where metrics lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memory {
    /// In this process alone.
    Heap,
    /// In a file of [`folder`](crate::folder()), where one can be made.
    Shared,
    /// In a file of this folder, where one can be made.
    In(PathBuf),
}

/// So many bytes more may a thread's placement become before the run goes: a refused pin is told there.
const MORE_A_THREAD: usize = 64;

/// The memory of one run's metrics, and the right to write there. Each of its parts is for one thread.
pub struct Metrics {
    map: Arc<WordMap>,
    counts: Counts,
    at: Offsets,
    shape: Mutex<Shape>,
    /// The file under the name that it is made with, and the one that it is found by.
    file: Mutex<Option<(PathBuf, PathBuf)>>,
}

/// Makes the file under a name that nobody looks for.
fn file(folder: &Path, words: usize) -> io::Result<(Arc<WordMap>, (PathBuf, PathBuf))> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    folder::ready(folder)?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let found = folder.join(format!("{}-{number}.{EXTENSION}", std::process::id()));
    let made = found.with_extension(UNNAMED);
    // What a process of the same number left when it was killed.
    let _ = fs::remove_file(&made);
    Ok((WordMap::create(&made, words)?, (made, found)))
}

impl Metrics {
    /// Memory for all that a run is made of. Where no file can be made it is on the heap: metrics never keep a run from
    /// starting. Allocates, and writes the file (30 kB a histogram).
    ///
    /// # Panics
    /// When the shape has more parts than there are addresses.
    pub fn new(shape: Shape, memory: Memory) -> Arc<Self> {
        let json = serde_json::to_vec(&shape).map_or(0, |json| json.len());
        let shape_words = (json + MORE_A_THREAD * shape.threads.len()).div_ceil(8);
        let counts = Counts { shape_words, ..shape.counts() };
        let at = Offsets::of(&counts).expect("fewer parts than addresses");
        let folder = match memory {
            Memory::Heap => None,
            Memory::Shared => folder::folder(),
            Memory::In(folder) => Some(folder),
        };
        let (map, file) = match folder.and_then(|folder| file(&folder, at.words).ok()) {
            Some((map, file)) => (map, Some(file)),
            None => (WordMap::heap(at.words), None),
        };
        Arc::new(Self { map, counts, at, shape: Mutex::new(shape), file: Mutex::new(file) })
    }

    fn word(&self, at: usize, value: u64) {
        // Relaxed, as for all words.
        self.map.words()[at].store(value, Ordering::Relaxed);
    }

    /// Writes what the run is made of, where it has room; says in how many bytes.
    fn tell(&self, threads: Vec<ThreadOf>) -> Option<usize> {
        let mut shape = self.shape.lock().unwrap_or_else(PoisonError::into_inner);
        shape.threads = threads;
        let json = serde_json::to_vec(&*shape).unwrap_or_default();
        if json.len() > self.counts.shape_words * 8 || shape.threads.len() != self.counts.threads {
            return None;
        }
        for (i, bytes) in json.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            self.word(HEADER + i, u64::from_ne_bytes(word));
        }
        Some(json.len())
    }

    /// Its threads are placed otherwise than was [published](Self::publish). Who attaches at this very moment may have to do so
    /// again.
    pub fn placed(&self, threads: Vec<ThreadOf>) {
        match self.tell(threads) {
            Some(bytes) => self.word(header::SHAPE_BYTES, bytes as u64),
            None => self.remove(),
        }
    }

    /// Tells the world: from now on [`running`](crate::running) finds it. `threads` as they are placed by now.
    pub fn publish(&self, threads: Vec<ThreadOf>) {
        let Some(bytes) = self.tell(threads) else { return self.remove() };
        let pid = std::process::id();
        for (at, value) in [
            (header::MAGIC, MAGIC),
            (header::VERSION, VERSION),
            (header::PID, u64::from(pid)),
            (header::PROCESS_START, velox_sys::process_start(pid).unwrap_or(0)),
            (header::WORDS, self.at.words as u64),
            (header::SHAPE_BYTES, bytes as u64),
            (header::SHAPE_WORDS, self.counts.shape_words as u64),
            (header::STAGES, self.counts.stages as u64),
            (header::EDGES, self.counts.edges as u64),
            (header::THREADS, self.counts.threads as u64),
            (header::BOOKS, self.counts.books as u64),
            (header::HISTOGRAMS, self.counts.histograms as u64),
            (header::MADE_EPOCH, epoch_now()),
            (header::MARKETS, self.counts.markets as u64),
            (header::SYMBOLS, self.counts.symbols as u64),
        ] {
            self.word(at, value);
        }
        self.beat();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, found)) = &mut *file
            && fs::rename(&made, &found).is_ok()
        {
            made.clone_from(found);
        }
    }

    /// The process lives.
    pub(crate) fn beat(&self) {
        self.word(header::BEAT_EPOCH, epoch_now());
        self.word(header::BEAT_CLOCK, velox_clock::now());
    }

    /// When it last beat, on the clock.
    #[cfg(test)]
    pub(crate) fn beaten(&self) -> u64 {
        self.map.words()[header::BEAT_CLOCK].load(Ordering::Relaxed)
    }

    /// The sources were let go, at this time of the clock.
    pub fn started(&self, at: u64) {
        self.word(header::STARTED, at);
    }

    /// The run is over, and so it ended: whoever is attached sees it, and nobody finds the file any more. Once.
    pub fn end(&self, state: RunState) {
        if self.map.words()[header::ENDED].load(Ordering::Relaxed) == 0 {
            self.word(header::ENDED, velox_clock::now());
            self.word(header::STATE, state.word());
        }
        self.beat();
        self.remove();
    }

    fn remove(&self) {
        if let Some((made, _)) = self.file.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = fs::remove_file(made);
        }
    }

    /// The file, while others find it.
    pub fn path(&self) -> Option<PathBuf> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.as_ref().filter(|(made, found)| made == found).map(|(_, found)| found.clone())
    }

    fn block<const N: usize>(&self, count: usize, i: usize, begins: usize) -> Block<N> {
        assert!(i < count, "expected a number below {count}, got {i}");
        self.map.block(begins + i * N).expect("the map has room for all parts")
    }

    /// The account of a stage.
    ///
    /// # Panics
    /// There is no such part; as those below.
    pub fn stage(&self, i: usize) -> StageCounters {
        StageCounters(self.block::<LINE>(self.counts.stages, i, self.at.stages))
    }

    /// The account of an edge.
    ///
    /// # Panics
    /// As [`stage`](Self::stage).
    pub fn edge(&self, i: usize) -> EdgeCounters {
        EdgeCounters(self.block::<{ 2 * LINE }>(self.counts.edges, i, self.at.edges))
    }

    /// What a thread is at.
    ///
    /// # Panics
    /// As [`stage`](Self::stage).
    pub fn thread(&self, i: usize) -> ThreadCounters {
        ThreadCounters(self.block::<LINE>(self.counts.threads, i, self.at.threads))
    }

    /// How a book stands.
    ///
    /// # Panics
    /// As [`stage`](Self::stage).
    pub fn book(&self, i: usize) -> BookCounters {
        BookCounters(self.block::<LINE>(self.counts.books, i, self.at.books))
    }

    /// What a live market has been through.
    ///
    /// # Panics
    /// As [`stage`](Self::stage).
    pub fn market(&self, i: usize) -> MarketCounters {
        MarketCounters(self.block::<LINE>(self.counts.markets, i, self.at.markets))
    }

    /// How a symbol of a live market stands.
    ///
    /// # Panics
    /// As [`stage`](Self::stage).
    pub fn symbol(&self, i: usize) -> SymbolCounters {
        SymbolCounters(self.block::<LINE>(self.counts.symbols, i, self.at.symbols))
    }

    /// A histogram; none where there is no such.
    pub fn histogram(&self, i: usize) -> Option<Histogram> {
        (i < self.counts.histograms)
            .then(|| Histogram::of(self.block::<{ histogram::WORDS }>(self.counts.histograms, i, self.at.histograms)))
    }

    /// What the run is made of.
    pub fn shape(&self) -> Shape {
        self.shape.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All numbers at `now_ns` of the clock. Copies the memory, last words first; allocates.
    pub fn snapshot(&self, now_ns: u64) -> Snapshot {
        Snapshot::read(&self.map.copy(), &self.counts, &self.at, now_ns, velox_clock::to_epoch_nanos(now_ns))
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.remove();
    }
}
