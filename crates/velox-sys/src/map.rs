//! 64-bit words in a mapped file, or on the heap: one type for both.
//!
//! Invariants that the unsafe blocks rest on:
//! 1. A map's memory begins at a multiple of 8 (a page, or an allocation of `AtomicU64`), holds `words` words, and stays
//!    where it is until the last handle is gone.
//! 2. It is only ever read and written as `AtomicU64`: whoever else maps the file (any process of this user) races with
//!    nobody, and every pattern of bits is a value. What the values mean is for the reader to doubt.
//! 3. Nothing here outlives its map: each [`Block`] holds it.
//!
//! A process of the same user can also shorten the file. Touching a page that is then beyond its end is SIGBUS, which ends
//! the process. For the one that made the file there is no remedy but not to do that: whoever could, could also kill it.
//! A reader looks at the size before each copy, so that only a file that is cut in the microseconds after is its end.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::ops::Deref;
use std::path::Path;
use std::ptr::NonNull;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};

/// The largest file that is made or opened, in words: 1 GB.
const MOST_WORDS: usize = 1 << 27;
const _: () = assert!(usize::BITS == 64, "sizes of files are counted in usize");

/// The smallest page of the systems that this runs on, in words.
const PAGE_WORDS: usize = 512;

enum Memory {
    Mapped(MmapRaw),
    Heap(Box<[AtomicU64]>),
}

/// Zeroed words that many threads, and where they are a file other processes, read while each is written.
///
/// ```
/// use std::sync::atomic::Ordering::Relaxed;
/// let map = velox_sys::WordMap::heap(16);
/// let block = map.block::<8>(8).unwrap();
/// block[0].store(7, Relaxed);
/// assert_eq!(map.words()[8].load(Relaxed), 7);
/// assert!(map.block::<8>(9).is_none());
/// ```
pub struct WordMap {
    memory: Memory,
    words: usize,
}

impl WordMap {
    /// Words that only this process sees.
    pub fn heap(words: usize) -> Arc<Self> {
        let memory = Memory::Heap((0..words).map(|_| AtomicU64::new(0)).collect());
        Arc::new(Self { memory, words })
    }

    /// Words in a new file that only this user may read and write (0600). The file is written whole, so that a full disk
    /// is an error here and no SIGBUS later.
    ///
    /// # Errors
    /// No words, or more than 1 GB of them ([`io::ErrorKind::InvalidInput`]); the file is there; the system refuses it, or
    /// has no room for it.
    pub fn create(path: &Path, words: usize) -> io::Result<Arc<Self>> {
        if words == 0 || words > MOST_WORDS {
            let expected = format!("expected 1 to {MOST_WORDS} words, got {words}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, expected));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let map = fill(&mut file, words).and_then(|()| MmapOptions::new().len(words * 8).map_raw(&file));
        match map {
            Ok(map) => {
                let map = Self { memory: Memory::Mapped(map), words };
                // The first write to a page is a fault: here, and not where the numbers are counted.
                map.words().iter().step_by(PAGE_WORDS).for_each(|word| word.store(0, Ordering::Relaxed));
                Ok(Arc::new(map))
            }
            Err(error) => {
                let _ = std::fs::remove_file(path);
                Err(error)
            }
        }
    }

    /// All words.
    pub fn words(&self) -> &[AtomicU64] {
        match &self.memory {
            // SAFETY: invariants 1 and 2; the slice borrows the map.
            Memory::Mapped(map) => unsafe { slice::from_raw_parts(map.as_ptr().cast(), map.len() / 8) },
            Memory::Heap(words) => words,
        }
    }

    /// `N` words from `at` on; `None` where there are fewer.
    pub fn block<const N: usize>(self: &Arc<Self>, at: usize) -> Option<Block<N>> {
        let words = self.words().get(at..)?.first_chunk::<N>()?;
        let words = NonNull::from(words);
        Some(Block { words, map: Arc::clone(self) })
    }
}

fn fill(file: &mut File, words: usize) -> io::Result<()> {
    let zeros = [0; 1 << 12];
    let mut left = words * 8;
    while left > 0 {
        let part = left.min(zeros.len());
        file.write_all(&zeros[..part])?;
        left -= part;
    }
    Ok(())
}

/// Some words of a [`WordMap`], which they keep: their number is known when this is compiled, so that reaching one by a
/// constant costs no check.
#[derive(Clone)]
pub struct Block<const N: usize> {
    words: NonNull<[AtomicU64; N]>,
    map: Arc<WordMap>,
}

// SAFETY: what it points to may be used from any thread (invariant 2), as long as the map that it holds.
unsafe impl<const N: usize> Send for Block<N> {}
// SAFETY: as above.
unsafe impl<const N: usize> Sync for Block<N> {}

impl<const N: usize> Block<N> {
    /// The map that it is of.
    pub fn map(&self) -> &Arc<WordMap> {
        &self.map
    }
}

impl<const N: usize> Deref for Block<N> {
    type Target = [AtomicU64; N];

    #[inline]
    fn deref(&self) -> &[AtomicU64; N] {
        // SAFETY: invariants 1 to 3.
        unsafe { self.words.as_ref() }
    }
}

/// The words of a file that another process made, to read only.
pub struct FileWords {
    file: File,
    map: WordMap,
}

impl FileWords {
    /// Maps a file to read; words that are not whole at its end are left out.
    ///
    /// # Errors
    /// The system refuses it; it is no plain file ([`io::ErrorKind::InvalidInput`]), empty, or larger than 1 GB ([`io::ErrorKind::InvalidData`]).
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_if(path, |_| true)
    }

    /// As [`open`](Self::open), of a file that is as it should be: what `is_right` looks at is what is mapped, whatever the
    /// path leads to by then. A symbolic link is not followed on Unix.
    ///
    /// # Errors
    /// As for [`open`](Self::open); a file that isn't right is refused by [`io::ErrorKind::PermissionDenied`].
    pub fn open_if(path: &Path, is_right: impl FnOnce(&Metadata) -> bool) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true);
        // Opening a pipe would wait for its other end.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let file = options.open(path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if !is_right(&found) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let words = usize::try_from(found.len() / 8).unwrap_or(usize::MAX);
        if words == 0 || words > MOST_WORDS {
            let expected = format!("expected a file of 8 bytes to 1 GB, got {} bytes", found.len());
            return Err(io::Error::new(io::ErrorKind::InvalidData, expected));
        }
        let memory = Memory::Mapped(MmapOptions::new().len(words * 8).map_raw_read_only(&file)?);
        Ok(Self { file, map: WordMap { memory, words } })
    }

    /// How many words it has.
    pub fn len(&self) -> usize {
        self.map.words
    }

    /// Whether it has none: never.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of all words, each whole, the last one first: what a writer counts later it keeps further on.
    ///
    /// # Errors
    /// The file has become shorter: nothing was read.
    pub fn copy(&self) -> io::Result<Vec<u64>> {
        let now = self.file.metadata()?.len();
        if now < self.map.words as u64 * 8 {
            let expected = format!("expected {} bytes, got {now}: the file was cut", self.map.words * 8);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, expected));
        }
        // A relaxed load of a word that this process may not write is allowed on 64-bit targets, where it is one plain load:
        // https://doc.rust-lang.org/std/sync/atomic/#atomic-accesses-to-read-only-memory
        Ok(self.map.copy())
    }
}

impl WordMap {
    /// A copy of all words, each whole, the last one first. Relaxed: a reader wants recent values.
    pub fn copy(&self) -> Vec<u64> {
        let mut copied = vec![0; self.words];
        for (to, from) in copied.iter_mut().zip(self.words()).rev() {
            *to = from.load(Ordering::Relaxed);
        }
        copied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("velox-map-{name}-{}", std::process::id()))
    }

    #[test]
    fn a_reader_sees_what_is_written_and_a_second_file_of_that_name_is_refused() {
        let path = path("seen");
        let map = WordMap::create(&path, 20_000).unwrap();
        let reader = FileWords::open(&path).unwrap();
        assert_eq!(reader.copy().unwrap(), vec![0; 20_000]);
        map.block::<8>(19_992).unwrap()[7].store(u64::MAX, Ordering::Relaxed);
        map.words()[0].store(3, Ordering::Relaxed);
        let seen = reader.copy().unwrap();
        assert_eq!((seen[0], seen[19_999], seen.len()), (3, u64::MAX, reader.len()));
        assert!(WordMap::create(&path, 8).is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(reader.copy().unwrap()[0], 3, "what is mapped stays");
    }

    #[test]
    fn more_words_than_can_be_are_refused_and_leave_no_file() {
        let path = path("most");
        for words in [0, MOST_WORDS + 1, 1 << 61, usize::MAX] {
            assert_eq!(WordMap::create(&path, words).err().unwrap().kind(), io::ErrorKind::InvalidInput);
        }
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_a_pipe_are_refused_and_nobody_waits() {
        let (file, link, pipe) = (path("linked"), path("link"), path("pipe"));
        let _map = WordMap::create(&file, 8).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(FileWords::open(&link).is_err());
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(FileWords::open(&pipe).err().unwrap().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(FileWords::open_if(&file, |_| false).err().unwrap().kind(), io::ErrorKind::PermissionDenied);
        for path in [file, link, pipe] {
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_file_that_was_cut_is_refused_and_not_touched() {
        let path = path("cut");
        let _map = WordMap::create(&path, 2_048).unwrap();
        let reader = FileWords::open(&path).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(8).unwrap();
        assert_eq!(reader.copy().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_is_no_file_of_words_is_refused() {
        let path = path("empty");
        std::fs::write(&path, "1234567").unwrap();
        assert_eq!(FileWords::open(&path).err().unwrap().kind(), io::ErrorKind::InvalidData);
        std::fs::remove_file(&path).unwrap();
        assert!(FileWords::open(&std::env::temp_dir()).is_err());
        assert!(FileWords::open(&path).is_err());
    }
}
