//! What is received, appended to a file by a thread of its own: a slow disk doesn't hold up the socket.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::LiveError;

/// So many bytes are handed over at once, or what came within [`OFTEN`].
const CHUNK: usize = 64 << 10;
const OFTEN: Duration = Duration::from_millis(100);
/// The system is asked this often to put what it has on the disk.
const SYNC: Duration = Duration::from_secs(1);
/// A disk that is further behind than this, in bytes, loses the recording.
const MOST_BEHIND: usize = 64 << 20;

/// What both threads see.
#[derive(Debug, Default)]
struct Shared {
    /// Bytes handed over and not yet written.
    behind: AtomicUsize,
    failure: Mutex<Option<String>>,
}

/// A file under way. Dropping it writes what is there.
#[derive(Debug)]
pub(crate) struct Recorder {
    path: String,
    buffer: Vec<u8>,
    handed_over: Instant,
    full: Option<Sender<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Opens a file to append to; a line that a crash cut off goes.
    pub(crate) fn open(path: &Path) -> Result<Self, LiveError> {
        let name = path.display().to_string();
        let refused = |error: std::io::Error| LiveError::Unwritable { path: name.clone(), reason: error.to_string() };
        let file = open_whole(path).map_err(refused)?;
        let (full, filled) = channel::<Vec<u8>>();
        let (emptied, empty) = channel();
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let body = move || {
            if let Err(error) = write_all(file, &filled, &emptied, &seen) {
                *seen.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }
        };
        let thread = std::thread::Builder::new().name("velox-record".into()).spawn(body);
        let thread = thread.map_err(|error| LiveError::Thread { reason: error.to_string() })?;
        Ok(Self {
            path: name,
            buffer: Vec::with_capacity(2 * CHUNK),
            handed_over: Instant::now(),
            full: Some(full),
            empty,
            shared,
            thread: Some(thread),
        })
    }

    /// Appends a line. A line break inside it, which in JSON means as much as a space, becomes one.
    pub(crate) fn line(&mut self, parts: &[&[u8]]) {
        for part in parts {
            let start = self.buffer.len();
            self.buffer.extend_from_slice(part);
            self.buffer[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        }
        self.buffer.push(b'\n');
        if self.buffer.len() >= CHUNK {
            self.hand_over();
        }
    }

    /// Called often: hands over what is due, and says what went wrong. Gives the bytes handed over.
    pub(crate) fn tick(&mut self) -> Result<(), LiveError> {
        if !self.buffer.is_empty() && self.handed_over.elapsed() >= OFTEN {
            self.hand_over();
        }
        // Relaxed: a count.
        let behind = self.shared.behind.load(Ordering::Relaxed);
        let failure = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        let reason = match failure {
            Some(reason) => reason,
            None if behind > MOST_BEHIND => format!("a disk that is {behind} bytes behind"),
            None => return Ok(()),
        };
        Err(LiveError::Unwritable { path: self.path.clone(), reason })
    }

    fn hand_over(&mut self) {
        let next = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(2 * CHUNK));
        let full = std::mem::replace(&mut self.buffer, next);
        self.handed_over = Instant::now();
        self.shared.behind.fetch_add(full.len(), Ordering::Relaxed);
        if let Some(to) = &self.full {
            // It only fails where the thread has failed, and said so.
            let _ = to.send(full);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.hand_over();
        self.full = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn open_whole(path: &Path) -> std::io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut end = file.metadata()?.len();
    let mut block = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let block = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            file.set_len(start + at as u64 + 1)?;
            return Ok(file);
        }
        end = start;
    }
    file.set_len(0)?;
    Ok(file)
}

fn write_all(
    mut file: File,
    filled: &Receiver<Vec<u8>>,
    emptied: &Sender<Vec<u8>>,
    shared: &Shared,
) -> std::io::Result<()> {
    let (mut synced, mut dirty) = (Instant::now(), false);
    loop {
        match filled.recv_timeout(SYNC) {
            Ok(mut bytes) => {
                file.write_all(&bytes)?;
                dirty = true;
                shared.behind.fetch_sub(bytes.len(), Ordering::Relaxed);
                bytes.clear();
                let _ = emptied.send(bytes);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return file.sync_data(),
        }
        if dirty && synced.elapsed() >= SYNC {
            file.sync_data()?;
            (synced, dirty) = (Instant::now(), false);
        }
    }
}
