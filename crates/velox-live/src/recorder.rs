//! What is received, appended to a file by a thread of its own: a slow disk doesn't hold up the socket.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use velox_feed::{Feed, MessageWriter};

use crate::LiveError;
use crate::stats::Counters;

/// How a recording begins.
const BEGIN: &[u8] = br#"{"velox":"messages""#;
/// So many bytes are handed over at once, or what came within [`OFTEN`].
const CHUNK: usize = 64 << 10;
const OFTEN: Duration = Duration::from_millis(100);
/// The system is asked this often to put what it has on the disk.
const SYNC: Duration = Duration::from_secs(1);
/// A disk that is further behind than this, in bytes, loses the recording.
const MOST_BEHIND: usize = 64 << 20;

/// A recording under way: what killing the process costs is the last [`OFTEN`]. Dropping it writes what is there.
pub(crate) struct Recorder {
    path: String,
    writer: MessageWriter<Spool>,
}

impl Recorder {
    /// Begins a recording, or goes on with one of the same markets, where a line that a crash cut off goes.
    pub(crate) fn open(path: &Path, feed: &Feed, counters: &Arc<Counters>) -> Result<Self, LiveError> {
        let path_text = path.display().to_string();
        let refused = |error: io::Error| LiveError::Unwritable { path: path_text.clone(), reason: error.to_string() };
        let spool = Spool::open(path, Arc::clone(counters)).map_err(refused)?;
        let goes_on = spool.header.is_some();
        let mut writer = MessageWriter::new(spool, feed.venue(), feed.instruments()).map_err(refused)?;
        if goes_on {
            let now = velox_clock::to_epoch_nanos(velox_clock::now());
            writer.disconnected(now).map_err(refused)?;
        }
        Ok(Self { path: path_text, writer })
    }

    /// A message that was decoded.
    pub(crate) fn message(&mut self, receive_ts: u64, message: &[u8]) {
        // The spool takes every line; what becomes of it is said by `tick`.
        let _ = self.writer.message(receive_ts, message);
    }

    /// A snapshot that was decoded.
    pub(crate) fn snapshot(&mut self, receive_ts: u64, symbol: &str, body: &[u8]) {
        let _ = self.writer.snapshot(receive_ts, symbol, body);
    }

    pub(crate) fn disconnected(&mut self, receive_ts: u64) {
        let _ = self.writer.disconnected(receive_ts);
    }

    /// Called often: hands over what is due.
    ///
    /// # Errors
    /// The recording has failed.
    pub(crate) fn tick(&mut self) -> Result<(), LiveError> {
        let failed = self.writer.get_mut().tick();
        failed.map_or(Ok(()), |reason| Err(LiveError::Unwritable { path: self.path.clone(), reason }))
    }
}

/// What both threads see.
#[derive(Debug)]
struct Shared {
    /// Bytes handed over and not yet written.
    behind: AtomicUsize,
    failure: Mutex<Option<String>>,
    counters: Arc<Counters>,
}

/// Lines on their way to the file.
#[derive(Debug)]
struct Spool {
    /// The first line of a recording that goes on, until ours was found to be the same.
    header: Option<Vec<u8>>,
    buffer: Vec<u8>,
    handed_over: Instant,
    full: Option<Sender<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Spool {
    fn open(path: &Path, counters: Arc<Counters>) -> io::Result<Self> {
        let (file, header) = open_whole(path)?;
        let (full, filled) = channel::<Vec<u8>>();
        let (emptied, empty) = channel();
        let shared = Arc::new(Shared { behind: AtomicUsize::new(0), failure: Mutex::new(None), counters });
        let seen = Arc::clone(&shared);
        let body = move || {
            if let Err(error) = write_all(file, &filled, &emptied, &seen) {
                *seen.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }
        };
        let thread = std::thread::Builder::new().name("velox-record".into()).spawn(body)?;
        let buffer = Vec::with_capacity(2 * CHUNK);
        Ok(Self { header, buffer, handed_over: Instant::now(), full: Some(full), empty, shared, thread: Some(thread) })
    }

    fn tick(&mut self) -> Option<String> {
        if !self.buffer.is_empty() && self.handed_over.elapsed() >= OFTEN {
            self.hand_over();
        }
        let failure = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Relaxed: a count.
        let behind = self.shared.behind.load(Ordering::Relaxed);
        failure.or_else(|| (behind > MOST_BEHIND).then(|| format!("a disk that is {behind} bytes behind")))
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

impl Write for Spool {
    /// Takes a line, as `MessageWriter` gives it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.header.take() {
            Some(header) if header == line => return Ok(line.len()),
            Some(_) => return Err(other_file()),
            None => self.buffer.extend_from_slice(line),
        }
        if self.buffer.len() >= CHUNK {
            self.hand_over();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_over();
        Ok(())
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.hand_over();
        self.full = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The file, and its first line where it is a recording that goes on; a line that was cut off at its end goes. Another
/// file is left alone.
fn open_whole(path: &Path) -> io::Result<(File, Option<Vec<u8>>)> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut end = file.metadata()?.len();
    if end == 0 {
        return Ok((file, None));
    }
    let mut header = Vec::new();
    BufReader::new(&file).read_until(b'\n', &mut header)?;
    if !header.starts_with(BEGIN) || !header.ends_with(b"\n") {
        return Err(other_file());
    }
    let mut block = [0; 8 << 10];
    loop {
        let start = end.saturating_sub(block.len() as u64);
        let block = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(block)?;
        // The header ends with one.
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            file.set_len(start + at as u64 + 1)?;
            return Ok((file, Some(header)));
        }
        end = start;
    }
}

fn other_file() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "a file that is no recording of these markets")
}

fn write_all(mut file: File, filled: &Receiver<Vec<u8>>, emptied: &Sender<Vec<u8>>, shared: &Shared) -> io::Result<()> {
    let (mut synced, mut dirty) = (Instant::now(), false);
    loop {
        match filled.recv_timeout(SYNC) {
            Ok(mut bytes) => {
                file.write_all(&bytes)?;
                dirty = true;
                shared.behind.fetch_sub(bytes.len(), Ordering::Relaxed);
                shared.counters.recorded.fetch_add(bytes.len() as u64, Ordering::Relaxed);
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
