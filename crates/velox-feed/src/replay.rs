use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use velox_record::{Instrument, MarketEvent};

use crate::ahead::AheadLines;
use crate::error::Fault;
use crate::line_replay::LineReplay;
use crate::recording::{Form, RecordingReplay};
use crate::velox_file::{MAGIC, VeloxReader, VeloxReplay};
use crate::{Arrivals, Counts, FeedError, LineReader, lines};

/// The formats there are.
const FORMATS: [&str; 4] = ["binance", "capture", "messages", "velox"];

/// How to read a recorded file.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// `binance` (lines), `messages` (what a live source recorded, [`MessageWriter`](crate::MessageWriter)), `capture` (raw
    /// captures of cryptofeed) or `velox` (what a pipeline wrote, [`VeloxWriter`](crate::VeloxWriter)). `None`: recognised by content.
    pub format: Option<String>,
    /// The symbols that are wanted, as the venue spells them; empty for all.
    pub symbols: Vec<String>,
    /// Instruments to use, found by symbol; for the others a table of known markets says the decimals, and 8 where it
    /// doesn't know the market. A `.velox` file has its own: those given must have the same tick and lot.
    pub instruments: Vec<Arc<Instrument>>,
}

/// A recorded file, one message a call. Of a `.velox` file, whose events know no messages, those with the same receive
/// time are one. Streamed: memory doesn't grow with the file, and nothing is allocated per
/// message once its buffers are warm.
///
/// ```
/// use velox_feed::{Arrivals, Replay, ReplayOptions};
///
/// let day = concat!(
///     r#"1000 {"lastUpdateId":7,"T":1,"bids":[["61800.10","2.5"]],"asks":[["61800.30","1"]]}"#, "\n",
///     r#"2000 {"data":{"e":"depthUpdate","s":"BTCUSDT","T":2,"U":6,"u":9,"pu":5,"b":[["61800.20","1.25"]],"a":[]}}"#, "\n",
/// );
/// let mut replay = Replay::from_reader("day.txt", day.as_bytes(), ReplayOptions::default()).unwrap();
/// assert_eq!(replay.venue(), "binance-usdm");
///
/// let mut events = Vec::new();
/// assert_eq!(replay.next(&mut events).unwrap(), Some(1000));
/// assert_eq!(replay.next(&mut events).unwrap(), Some(2000));
/// assert_eq!((events.len(), events[2].price, events[2].qty), (3, 6_180_020, 1_250));
/// assert_eq!(replay.next(&mut events).unwrap(), None);
/// ```
pub struct Replay(Of);

enum Of {
    Lines(Box<LineReplay>),
    Recording(Box<RecordingReplay>),
    Velox(Box<VeloxReplay>),
}

impl Replay {
    /// Opens a recorded file, lines (plain or gzip) or `.velox`, and reads its beginning to learn the venue and the symbols.
    ///
    /// # Errors
    /// [`FeedError`]: no such file, not readable, no message of a known venue in the first lines, an unknown format, a
    /// symbol that the beginning doesn't name, a `.velox` file of other records, an instrument with other steps than its.
    pub fn open(path: impl AsRef<Path>, options: ReplayOptions) -> Result<Self, FeedError> {
        let (name, file) = lines::open_file(path.as_ref())?;
        Self::from_reader(name, file, options)
    }

    /// Like [`Self::open`], from anywhere else; `path` is the name that errors carry.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_reader(
        path: impl Into<String>,
        mut reader: impl Read + Send + 'static,
        options: ReplayOptions,
    ) -> Result<Self, FeedError> {
        let path = path.into();
        if let Some(format) = options.format.as_ref().filter(|format| !FORMATS.contains(&format.as_str())) {
            let known = FORMATS.map(str::to_owned).to_vec();
            return Err(FeedError::UnknownFormat { format: format.clone(), known });
        }
        let mut magic = Vec::with_capacity(MAGIC.len());
        reader
            .by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut magic)
            .map_err(|error| FeedError::Io { path: path.clone(), reason: error.to_string() })?;
        let is_velox = magic == MAGIC;
        if is_velox && options.format.as_deref() == Some("binance") {
            return Err(Fault::new("a message of Binance", magic).at(&path, 1));
        }
        let is_velox = is_velox || options.format.as_deref() == Some("velox");
        let reader = Cursor::new(magic).chain(reader);
        Ok(Self(if is_velox {
            Of::Velox(Box::new(VeloxReplay::new(VeloxReader::from_reader(path, reader)?, options)?))
        } else {
            Self::lines(AheadLines::new(LineReader::from_reader(path, reader)?), &options)?
        }))
    }

    fn lines(lines: AheadLines, options: &ReplayOptions) -> Result<Of, FeedError> {
        let form = Form::of(&lines);
        match (options.format.as_deref(), form) {
            (None, Some(form)) => Ok(Of::Recording(Box::new(RecordingReplay::new(form, lines, options)?))),
            (Some(format), Some(form)) if format == form.name() => {
                Ok(Of::Recording(Box::new(RecordingReplay::new(form, lines, options)?)))
            }
            (None | Some("binance"), _) => Ok(Of::Lines(Box::new(LineReplay::new(lines, options)?))),
            (Some(format), _) => {
                let got = lines.ahead().next().unwrap_or(b"an empty file");
                Err(Fault::new(format!("a first line of the format {format}"), got).at(lines.path(), 1))
            }
        }
    }

    /// The name of the venue; of a `.velox` file the venue of its first instrument.
    pub fn venue(&self) -> &str {
        match &self.0 {
            Of::Lines(replay) => replay.venue(),
            Of::Recording(replay) => replay.venue(),
            Of::Velox(replay) => replay.venue(),
        }
    }

    /// The instrument of a symbol, or the only one there is.
    ///
    /// # Errors
    /// [`FeedError::UnknownSymbol`]: not in the file, or filtered out; without a symbol where there are several.
    pub fn instrument(&self, symbol: Option<&str>) -> Result<Arc<Instrument>, FeedError> {
        let found = match (symbol, self.instruments()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(symbol), all) => all.iter().find(|instrument| instrument.symbol() == symbol),
        };
        found.cloned().ok_or_else(|| FeedError::UnknownSymbol {
            symbol: symbol.unwrap_or("none, of several").to_owned(),
            known: match &self.0 {
                Of::Lines(replay) => replay.symbols().to_vec(),
                Of::Recording(replay) => replay.symbols().to_vec(),
                Of::Velox(replay) => replay.symbols(),
            },
        })
    }

    /// What became of the messages that gave no event, so far.
    pub fn counts(&self) -> Counts {
        match &self.0 {
            Of::Lines(replay) => replay.counts(),
            Of::Recording(replay) => replay.counts(),
            Of::Velox(replay) => replay.counts(),
        }
    }

    fn arrivals(&self) -> &dyn Arrivals {
        match &self.0 {
            Of::Lines(replay) => &**replay,
            Of::Recording(replay) => &**replay,
            Of::Velox(replay) => &**replay,
        }
    }
}

impl Arrivals for Replay {
    /// A blank line is no arrival. After a line that can't be decoded the next call goes on with the line after it;
    /// after one that can't be read, and after any error of a `.velox` file, every call gives the same error.
    fn next(&mut self, out: &mut Vec<MarketEvent>) -> Result<Option<u64>, FeedError> {
        match &mut self.0 {
            Of::Lines(replay) => replay.next(out),
            Of::Recording(replay) => replay.next(out),
            Of::Velox(replay) => replay.next(out),
        }
    }

    fn comparable(&self, instrument: u16) -> u64 {
        self.arrivals().comparable(instrument)
    }

    fn left_out(&self) -> u64 {
        self.arrivals().left_out()
    }

    fn instruments(&self) -> &[Arc<Instrument>] {
        self.arrivals().instruments()
    }
}
