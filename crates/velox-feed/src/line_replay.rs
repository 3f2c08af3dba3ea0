//! Recorded messages, one a line.

use std::sync::Arc;

use velox_record::{Instrument, MarketEvent};

use crate::error::Fault;
use crate::feed::binance::{Decoder, Sniffed};
use crate::{Arrivals, Counts, FeedError, LineReader, ReplayOptions, decimals};

/// How much is read ahead to learn the venue and the symbols, at most, in lines and in bytes.
const HEAD_LINES: usize = 4_096;
const HEAD_BYTES: usize = 4 << 20;

/// A file of messages, whose first lines were read ahead.
pub(crate) struct LineReplay {
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

impl LineReplay {
    pub(crate) fn new(mut lines: LineReader, options: &ReplayOptions) -> Result<Self, FeedError> {
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
            // One of another venue is another market, though its symbol is the same.
            let given = |of: &str| {
                let is_it = |given: &&Arc<Instrument>| given.symbol() == symbol && given.venue() == of;
                options.instruments.iter().find(is_it)
            };
            instruments.push(match given(venue.name()).or_else(|| given("")) {
                Some(given) => Arc::clone(given),
                None => decimals::instrument(venue.name(), symbol)?,
            });
        }
        let decoder = Decoder::of_file(venue, instruments, !options.symbols.is_empty(), symbols.len() == 1);
        Ok(Self { head, lines, decoder, venue: venue.name(), symbols })
    }

    pub(crate) fn venue(&self) -> &str {
        self.venue
    }

    pub(crate) fn symbols(&self) -> &[String] {
        &self.symbols
    }

    pub(crate) fn counts(&self) -> Counts {
        self.decoder.counts()
    }
}

impl Arrivals for LineReplay {
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
            let decoded = self.decoder.decode_line(line, out);
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
