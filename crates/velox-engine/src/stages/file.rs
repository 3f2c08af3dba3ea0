//! Files as the end of a pipeline.

use std::fs::{File, OpenOptions};
use std::io;
use std::marker::PhantomData;
use std::path::Path;

use fs4::{FileExt, TryLockError};
use velox_feed::{CsvWriter, RecordWriter, Schema, VeloxWriter};

use crate::pipeline::{Batch, EngineError, Flow, Input, Nothing, Stage, Tally};

/// How a file holds records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// One line a record ([`CsvWriter`]).
    Csv,
    /// Binary, to be replayed ([`VeloxWriter`]).
    Velox,
}

/// A sink into a file: a buffer of 64 KiB, which its thread writes when it is full. What a file held before is gone when
/// the run goes; when it ends, all is written and on the disk.
///
/// ```
/// use velox_engine::feed::{Poisson, PoissonOptions, Replay, ReplayOptions, Schema};
/// use velox_engine::pipeline::{Pace, Paced, Pipeline, StartOptions};
/// use velox_engine::stages::{FileFormat, FileSink};
/// use velox_engine::MarketEvent;
///
/// let path = std::env::temp_dir().join(format!("velox-doc-{}.velox", std::process::id()));
/// let market = Poisson::new(PoissonOptions { per_second: 1e6, count: Some(1_000), seed: 1 })?;
/// Pipeline::from("poisson", Paced::new(Box::new(market), Pace::Max, &[]))
///     .to("file", FileSink::create(&path, FileFormat::Velox, &Schema::of::<MarketEvent>())?)
///     .start(StartOptions::default())?
///     .wait()?;
/// let replay = Replay::open(&path, ReplayOptions::default())?;
/// assert_eq!(replay.instrument(None)?.symbol(), "POISSON");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileSink<T: Flow> {
    path: String,
    file: File,
    begin: Option<Begin>,
    writer: Option<Box<dyn RecordWriter>>,
    words: Vec<u64>,
    of: PhantomData<fn(T)>,
}

/// What the first poll needs.
struct Begin {
    file: File,
    format: FileFormat,
    schema: Schema,
}

impl<T: Flow> FileSink<T> {
    /// Opens a file to be written, made where there is none. Its content goes when the run goes, so that a pipeline that
    /// is refused leaves it alone.
    ///
    /// # Errors
    /// [`EngineError::File`]: a folder, a named pipe, no permission, no such folder, another run that writes it, a schema of another length.
    pub fn create(path: impl AsRef<Path>, format: FileFormat, schema: &Schema) -> Result<Self, EngineError> {
        let (path, own, begin) = open(path.as_ref(), format, schema, T::WORDS)?;
        Ok(Self { path, file: own, begin: Some(begin), writer: None, words: vec![0; T::WORDS], of: PhantomData })
    }

    fn is_regular(&self) -> bool {
        self.file.metadata().is_ok_and(|found| found.is_file())
    }

    fn begin(&mut self) -> io::Result<()> {
        let Some(Begin { file, format, schema }) = self.begin.take() else { return Ok(()) };
        if self.is_regular() {
            file.set_len(0)?;
        }
        self.writer = Some(match format {
            FileFormat::Csv => Box::new(CsvWriter::new(file, &schema)),
            FileFormat::Velox => Box::new(VeloxWriter::new(file, &schema)?),
        });
        Ok(())
    }

    fn write(&mut self, records: &[T]) -> io::Result<()> {
        self.begin()?;
        let Some(writer) = &mut self.writer else { return Ok(()) };
        for record in records {
            record.to_words(&mut self.words);
            writer.push(&self.words)?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.begin()?;
        if let Some(writer) = &mut self.writer {
            writer.finish()?;
        }
        if self.is_regular() { self.file.sync_data() } else { Ok(()) }
    }

    fn refused(&self, error: &io::Error) -> EngineError {
        EngineError::File { path: self.path.clone(), reason: error.to_string() }
    }
}

/// The file, locked, and what its first poll needs. Not inlined: one for all types.
#[inline(never)]
fn open(path: &Path, format: FileFormat, schema: &Schema, words: usize) -> Result<(String, File, Begin), EngineError> {
    let name = path.display().to_string();
    let refused = |reason: String| EngineError::File { path: name.clone(), reason };
    if schema.words() != words {
        return Err(refused(format!("{words} words a record, and a schema of {}", schema.words())));
    }
    if is_pipe(path) {
        return Err(refused("a named pipe, which may have no reader".into()));
    }
    let open = || {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        // The system lets go of it with the file, also where the process is killed. What is no regular file, such as
        // a terminal, takes from several.
        if file.metadata()?.is_file() {
            match FileExt::try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(io::Error::other("another run that writes it")),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok((file.try_clone()?, file))
    };
    let (file, own) = open().map_err(|error: io::Error| refused(error.to_string()))?;
    Ok((name, own, Begin { file, format, schema: schema.clone() }))
}

/// Opening one to write waits for its reader.
#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|found| found.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

impl<T: Flow> Stage for FileSink<T> {
    type In = T;
    type Out = Nothing;

    fn poll(&mut self, input: &mut Input<'_, T>, _: &mut Batch<Nothing>, tally: &mut Tally) -> Result<(), EngineError> {
        let records = input.records();
        let count = records.len();
        let written = self.write(records);
        // All are taken: where they went after an error nobody knows, so they count as failed.
        input.advance(count);
        written.map_err(|error| self.refused(&error))?;
        tally.consumed += count as u64;
        Ok(())
    }

    fn finish(&mut self, _: &mut Batch<Nothing>, _: &mut Tally) -> Result<bool, EngineError> {
        self.end().map_err(|error| self.refused(&error))?;
        Ok(true)
    }
}
