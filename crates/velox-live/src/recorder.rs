//! What is received, appended to a file by a thread of its own: a slow disk doesn't hold up the socket.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fs4::{FileExt, TryLockError};
use velox_feed::{Feed, MessageWriter};
use velox_metrics::layout::market;

use crate::LiveError;
use crate::stats::Counters;

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
    /// Begins a recording, or goes on with one of the same markets, where a line that a crash cut off goes. While it is
    /// there, no other run records into the file.
    pub(crate) fn open(path: &Path, feed: &Feed, counters: &Arc<Counters>) -> Result<Self, LiveError> {
        let path_text = path.display().to_string();
        let refused = |error: io::Error| LiveError::Unwritable { path: path_text.clone(), reason: error.to_string() };
        let header = MessageWriter::new(Vec::new(), feed.venue(), feed.instruments()).map_err(refused)?.into_inner();
        let (file, goes_on) = open_whole(path, &header).map_err(refused)?;
        let spool = Spool::start(file, goes_on, Arc::clone(counters)).map_err(refused)?;
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
        self.told(failed)
    }

    /// Writes what is there, and waits until the disk has it.
    ///
    /// # Errors
    /// The recording has failed, at its end or before.
    pub(crate) fn close(mut self) -> Result<(), LiveError> {
        self.writer.get_mut().close();
        self.tick()
    }

    fn told(&self, failed: Option<String>) -> Result<(), LiveError> {
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
    /// Whether the file has the first line already.
    goes_on: bool,
    buffer: Vec<u8>,
    handed_over: Instant,
    full: Option<Sender<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Spool {
    fn start(file: File, goes_on: bool, counters: Arc<Counters>) -> io::Result<Self> {
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
        Ok(Self { goes_on, buffer, handed_over: Instant::now(), full: Some(full), empty, shared, thread: Some(thread) })
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

    /// Hands over all that is there, and waits for the thread's end.
    fn close(&mut self) {
        self.hand_over();
        self.full = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
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
        if std::mem::take(&mut self.goes_on) {
            return Ok(line.len());
        }
        self.buffer.extend_from_slice(line);
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
        self.close();
    }
}

/// The file, locked, and whether it has a recording under this header that goes on; a line that was cut off at its end
/// goes. Any other file is left alone.
fn open_whole(path: &Path, header: &[u8]) -> io::Result<(File, bool)> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    // The system lets go of it with the file, also where the process is killed.
    match FileExt::try_lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(io::Error::other("another run that records into it")),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut end = file.metadata()?.len();
    if end == 0 {
        return Ok((file, false));
    }
    let mut begin = Vec::new();
    BufReader::new(&file).take(header.len() as u64).read_to_end(&mut begin)?;
    if begin.len() < header.len() && header.starts_with(&begin) {
        // A header that a crash cut off.
        file.set_len(0)?;
        return Ok((file, false));
    }
    if begin != header {
        return Err(io::Error::new(ErrorKind::InvalidData, "a file that is no recording of these markets"));
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
            return Ok((file, true));
        }
        end = start;
    }
}

fn write_all(mut file: File, filled: &Receiver<Vec<u8>>, emptied: &Sender<Vec<u8>>, shared: &Shared) -> io::Result<()> {
    let (mut synced, mut dirty) = (Instant::now(), false);
    loop {
        match filled.recv_timeout(SYNC) {
            Ok(mut bytes) => {
                file.write_all(&bytes)?;
                dirty = true;
                shared.behind.fetch_sub(bytes.len(), Ordering::Relaxed);
                shared.counters.market().add(market::RECORDED, bytes.len() as u64);
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
