use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use velox_record::{Instrument, MarketEvent};

use crate::binance::{Counts, Decoder, Sniffed};
use crate::error::Fault;
use crate::{Arrivals, FeedError, LineReader, decimals};

/// The formats there are.
const FORMATS: [&str; 1] = ["binance"];

/// How much is read ahead to learn the venue and the symbols, at most, in lines and in bytes.
const HEAD_LINES: usize = 4_096;
const HEAD_BYTES: usize = 4 << 20;

/// How to read a recorded file.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// The format of the lines: `binance`. `None`: recognised by content.
    pub format: Option<String>,
    /// The symbols that are wanted, as the venue spells them; empty for all.
    pub symbols: Vec<String>,
    /// Instruments to use, found by symbol; for the others a table of known markets says the decimals, and 8 where it
    /// doesn't know the market.
    pub instruments: Vec<Arc<Instrument>>,
}

/// A recorded file, one message a call. Streamed: memory doesn't grow with the file, and nothing is allocated per
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
pub struct Replay {
    head: Head,
    lines: LineReader,
    decoder: Decoder,
    venue: &'static str,
    /// The symbols that the first lines name.
    symbols: Vec<String>,
}

/// The lines that were read ahead.
#[derive(Default)]
struct Head {
    text: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
    next: usize,
    /// What came instead of a further line.
    error: Option<FeedError>,
}

impl Head {
    fn read(lines: &mut LineReader, sniffed: &mut Sniffed) -> Self {
        let mut head = Self::default();
        while head.ends.len() < HEAD_LINES && head.text.len() < HEAD_BYTES {
            match lines.next_line() {
                Ok(Some(line)) => {
                    sniffed.look(line);
                    head.text.extend_from_slice(line);
                    head.ends.push(head.text.len());
                }
                Ok(None) => break,
                Err(error) => {
                    head.error = Some(error);
                    break;
                }
            }
        }
        head
    }

    fn line(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.ends.get(index).map(|&end| &self.text[start..end])
    }
}

impl Replay {
    /// Opens a recorded file, plain or gzip, and reads its first lines to learn the venue and the symbols.
    ///
    /// # Errors
    /// [`FeedError`]: no such file, not readable, no message of a known venue in the first lines, an unknown format, a
    /// symbol that the first lines don't name.
    pub fn open(path: impl AsRef<Path>, options: ReplayOptions) -> Result<Self, FeedError> {
        Self::from_lines(LineReader::open(path)?, options)
    }

    /// Like [`Self::open`], from anywhere else; `path` is the name that errors carry.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_reader(
        path: impl Into<String>,
        reader: impl Read + Send + 'static,
        options: ReplayOptions,
    ) -> Result<Self, FeedError> {
        Self::from_lines(LineReader::from_reader(path, reader)?, options)
    }

    fn from_lines(mut lines: LineReader, options: ReplayOptions) -> Result<Self, FeedError> {
        if let Some(format) = options.format.filter(|format| !FORMATS.contains(&format.as_str())) {
            return Err(FeedError::UnknownFormat { format, known: FORMATS.map(str::to_owned).to_vec() });
        }
        let mut sniffed = Sniffed::default();
        let head = Head::read(&mut lines, &mut sniffed);
        let Some(venue) = sniffed.venue() else {
            let got = head.line(0).unwrap_or(b"an empty file");
            let fault = Fault::new("a message of Binance, as `<receive time, epoch ns> <JSON>`", got);
            return Err(head.error.unwrap_or_else(|| fault.at(lines.path(), 1)));
        };
        let mut symbols = std::mem::take(&mut sniffed.symbols);
        if symbols.is_empty() {
            // Only snapshots, which don't say of what: it can be told where one symbol alone is asked for.
            match (&options.symbols[..], &options.instruments[..]) {
                ([symbol], _) => symbols.push(symbol.clone()),
                ([], [instrument]) => symbols.push(instrument.symbol().to_owned()),
                _ => {
                    let got = head.line(0).unwrap_or_default();
                    return Err(Fault::new("a message that names its symbol", got).at(lines.path(), 1));
                }
            }
        }
        let wanted = if options.symbols.is_empty() { &symbols } else { &options.symbols };
        let mut instruments: Vec<Arc<Instrument>> = Vec::with_capacity(wanted.len());
        for symbol in wanted {
            if !symbols.contains(symbol) {
                return Err(FeedError::UnknownSymbol { symbol: symbol.clone(), known: symbols });
            }
            if instruments.iter().any(|known| known.symbol() == symbol) {
                continue;
            }
            instruments.push(match options.instruments.iter().find(|given| given.symbol() == symbol) {
                Some(given) => Arc::clone(given),
                None => decimals::instrument(venue.name(), symbol)?,
            });
        }
        let decoder = Decoder::new(venue, instruments, !options.symbols.is_empty(), symbols.len() == 1);
        Ok(Self { head, lines, decoder, venue: venue.name(), symbols })
    }

    /// `binance-usdm`, `binance-coinm` or `binance-spot`.
    pub fn venue(&self) -> &str {
        self.venue
    }

    /// The instrument of a symbol, or the only one there is.
    ///
    /// # Errors
    /// [`FeedError::UnknownSymbol`]: not in the file, or filtered out; without a symbol where there are several.
    pub fn instrument(&self, symbol: Option<&str>) -> Result<Arc<Instrument>, FeedError> {
        let found = match (symbol, self.decoder.instruments()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(symbol), all) => all.iter().find(|instrument| instrument.symbol() == symbol),
        };
        found.cloned().ok_or_else(|| FeedError::UnknownSymbol {
            symbol: symbol.unwrap_or("none, of several").to_owned(),
            known: self.symbols.clone(),
        })
    }

    /// What became of the messages that gave no event, so far.
    pub fn counts(&self) -> Counts {
        self.decoder.counts()
    }
}

impl Arrivals for Replay {
    /// A blank line is no arrival. After a line that can't be decoded the next call goes on with the line after it;
    /// after one that can't be read every call gives the same error.
    fn next(&mut self, out: &mut Vec<MarketEvent>) -> Result<Option<u64>, FeedError> {
        loop {
            let ahead = self.head.next;
            let (line, number) = if ahead < self.head.ends.len() {
                self.head.next += 1;
                (self.head.line(ahead).unwrap_or_default(), self.head.next as u64)
            } else {
                if let Some(error) = &self.head.error {
                    return Err(error.clone());
                }
                if ahead > 0 {
                    self.head = Head::default();
                }
                if !self.lines.advance()? {
                    self.decoder.end();
                    return Ok(None);
                }
                (self.lines.line(), self.lines.number())
            };
            if line.is_empty() {
                continue;
            }
            let decoded = self.decoder.decode(line, out);
            return decoded.map(Some).map_err(|fault| fault.at(self.lines.path(), number));
        }
    }

    fn comparable(&self, instrument: u16) -> u64 {
        self.decoder.comparable(instrument)
    }

    fn left_out(&self) -> u64 {
        let Counts { skipped, repeated, discarded, gaps: _ } = self.counts();
        skipped + repeated + discarded
    }

    fn instruments(&self) -> &[Arc<Instrument>] {
        self.decoder.instruments()
    }
}
