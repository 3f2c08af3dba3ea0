//! The metrics of another process.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use velox_sys::FileWords;

use crate::error::AttachError;
use crate::folder::{EXTENSION, files, folder};
use crate::layout::{Counts, HEADER, LINE, MAGIC, Offsets, VERSION, header};
use crate::shape::Shape;
use crate::snapshot::Snapshot;

/// The most of one part that is believed.
const MOST: u64 = 1 << 16;

/// Now, in epoch ns.
pub(crate) fn epoch_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// A file whose header makes sense.
pub(crate) struct Found {
    words: FileWords,
    pid: u32,
    process_start: u64,
    beat_epoch: u64,
    ended: bool,
    counts: Counts,
    at: Offsets,
    copied: Vec<u64>,
}

impl Found {
    pub(crate) fn process_lives(&self) -> bool {
        lives(self.pid, self.process_start)
    }

    /// Since its process's last beat.
    pub(crate) fn silent_for(&self) -> Duration {
        Duration::from_nanos(epoch_now().saturating_sub(self.beat_epoch))
    }
}

fn lives(pid: u32, start: u64) -> bool {
    // Where the system tells no beginnings the number has to do.
    velox_sys::process_lives(pid) && (start == 0 || velox_sys::process_start(pid).is_none_or(|found| found == start))
}

fn unreadable(path: &Path, error: &std::io::Error) -> AttachError {
    AttachError::Unreadable { path: path.into(), reason: error.to_string() }
}

/// Looks at a file without asking whether its run still goes.
pub(crate) fn look(path: &Path) -> Result<Found, AttachError> {
    let foreign = |got: &str| AttachError::Foreign { path: path.into(), got: got.into() };
    let damaged = |expected: String, got: String| AttachError::Damaged { path: path.into(), expected, got };
    // Where it is a link, so that this is told; the file itself is looked at once it is open.
    let at_path = fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
    if at_path.is_symlink() {
        return Err(foreign("no plain file"));
    }
    let mut is_own = true;
    let look_at = |file: &fs::Metadata| {
        is_own = velox_sys::is_own(file);
        is_own
    };
    let opened = FileWords::open_if(path, look_at);
    let words = opened.map_err(|error| match error.kind() {
        _ if !is_own => foreign("a file of another user"),
        ErrorKind::InvalidInput => foreign("no plain file"),
        ErrorKind::InvalidData => foreign("a file of another size"),
        _ => unreadable(path, &error),
    })?;
    let copied = words.copy().map_err(|error| damaged("a whole file".into(), error.to_string()))?;
    if copied[0] != MAGIC {
        return Err(foreign("something else"));
    }
    let word = |i: usize| copied.get(i).copied().unwrap_or(0);
    if word(header::VERSION) != VERSION {
        return Err(AttachError::OtherVersion { path: path.into(), expected: VERSION, got: word(header::VERSION) });
    }
    let part = |i: usize, name: &str| match word(i) {
        count if count <= MOST => Ok(count as usize),
        count => Err(damaged(format!("at most {MOST} {name}"), count.to_string())),
    };
    let counts = Counts {
        shape_words: part(header::SHAPE_WORDS, "words of JSON")?,
        stages: part(header::STAGES, "stages")?,
        edges: part(header::EDGES, "edges")?,
        threads: part(header::THREADS, "threads")?,
        books: part(header::BOOKS, "books")?,
        markets: part(header::MARKETS, "live markets")?,
        symbols: part(header::SYMBOLS, "symbols")?,
        histograms: part(header::HISTOGRAMS, "histograms")?,
    };
    let at = Offsets::of(&counts).filter(|at| at.words == copied.len() && at.words as u64 == word(header::WORDS));
    let Some(at) = at else {
        return Err(damaged(format!("{} words, as its header says", word(header::WORDS)), copied.len().to_string()));
    };
    let pid = u32::try_from(word(header::PID))
        .map_err(|_| damaged("the number of a process".into(), word(header::PID).to_string()))?;
    let (process_start, beat_epoch) = (word(header::PROCESS_START), word(header::BEAT_EPOCH));
    let ended = word(header::STATE) != 0;
    Ok(Found { words, pid, process_start, beat_epoch, ended, counts, at, copied })
}

fn shape(path: &Path, found: &Found) -> Result<Shape, AttachError> {
    let damaged = |got: String| AttachError::Damaged { path: path.into(), expected: "its shape as JSON".into(), got };
    let bytes = found.copied[header::SHAPE_BYTES] as usize;
    let section = found.copied.get(HEADER..HEADER + found.counts.shape_words).unwrap_or_default();
    let text: Vec<u8> = section.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let text = text.get(..bytes).ok_or_else(|| damaged(format!("{bytes} bytes")))?;
    let shape: Shape = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
    let counts = Counts { shape_words: found.counts.shape_words, ..shape.counts() };
    (counts == found.counts && shape.is_whole())
        .then_some(shape)
        .ok_or_else(|| damaged("one that has other numbers than the header".into()))
}

/// The metrics of a run in another process. Reading them costs that process nothing.
pub struct Attached {
    path: PathBuf,
    words: FileWords,
    counts: Counts,
    at: Offsets,
    shape: Shape,
    pid: u32,
    process_start: u64,
    made_epoch_ns: u64,
}

impl std::fmt::Debug for Attached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attached").field("path", &self.path).field("pid", &self.pid).finish_non_exhaustive()
    }
}

impl Attached {
    /// Maps the file of a run, which goes.
    ///
    /// # Errors
    /// [`AttachError`], for each reason one.
    pub fn open(path: &Path) -> Result<Self, AttachError> {
        let found = look(path)?;
        if found.ended {
            return Err(AttachError::Ended { path: path.into(), pid: found.pid });
        }
        if !found.process_lives() {
            return Err(AttachError::Stale { path: path.into(), pid: found.pid });
        }
        let shape = shape(path, &found)?;
        let made_epoch_ns = found.copied[header::MADE_EPOCH];
        let Found { words, pid, process_start, counts, at, .. } = found;
        Ok(Self { path: path.into(), words, counts, at, shape, pid, process_start, made_epoch_ns })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the run is made of.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// When it began, in epoch ns.
    pub fn made_epoch_ns(&self) -> u64 {
        self.made_epoch_ns
    }

    /// What it says now; of a run that has ended since, what it said last ([`Snapshot::state`]). Copies the file: about
    /// 10 µs for five stages. Allocates.
    ///
    /// # Errors
    /// [`AttachError::Stale`]: the process is gone, and has not ended the run. [`AttachError::Damaged`]: the file was cut.
    pub fn read(&self) -> Result<Snapshot, AttachError> {
        let copied = self.words.copy().map_err(|error| AttachError::Damaged {
            path: self.path.clone(),
            expected: "a whole file".into(),
            got: error.to_string(),
        })?;
        // As far as the engine's clock has come since its last beat. Both run at the same rate; a beat in the future is the
        // system's clock set back.
        let epoch = epoch_now();
        let since = epoch.saturating_sub(copied[header::BEAT_EPOCH]);
        let now = copied[header::BEAT_CLOCK].saturating_add(since);
        let snapshot = Snapshot::read(&copied, &self.counts, &self.at, now, epoch);
        if !snapshot.ended() && !lives(self.pid, self.process_start) {
            return Err(AttachError::Stale { path: self.path.clone(), pid: self.pid });
        }
        Ok(snapshot)
    }
}

const _: () = assert!(header::BEAT_EPOCH < HEADER && HEADER.is_multiple_of(LINE));

/// A file that was found.
#[derive(Debug)]
pub struct Running {
    /// Where.
    pub path: PathBuf,
    /// The run that it is of, or why it is none.
    pub run: Result<Attached, AttachError>,
}

/// The runs of this user, whatever their processes, in the order of their files' names; and what else lies there. Empty
/// where the folder isn't there.
pub fn running() -> Vec<Running> {
    folder().map(|folder| running_in(&folder)).unwrap_or_default()
}

/// [`running`] in another folder.
pub fn running_in(folder: &Path) -> Vec<Running> {
    let all = files(folder, EXTENSION).into_iter();
    all.map(|path| Running { run: Attached::open(&path), path }).collect()
}
