//! Recorded messages, one a line.

use std::sync::Arc;

use velox_record::{Instrument, MarketEvent};

use crate::ahead::{AheadLines, Line};
use crate::error::Fault;
use crate::feed::binance::{Decoder, Sniffed};
use crate::{Arrivals, Counts, FeedError, ReplayOptions, decimals};

/// A file of messages, one of Binance's on each line.
pub(crate) struct LineReplay {
    lines: AheadLines,
    decoder: Decoder,
    venue: &'static str,
    /// The symbols that the first lines name.
    symbols: Vec<String>,
}

impl LineReplay {
    pub(crate) fn new(lines: AheadLines, options: &ReplayOptions) -> Result<Self, FeedError> {
        let mut sniffed = Sniffed::default();
        lines.ahead().for_each(|line| sniffed.look(line));
        let first = || lines.ahead().next().map_or_else(|| b"an empty file".to_vec(), <[u8]>::to_vec);
        let Some(venue) = sniffed.venue() else {
            let fault = Fault::new("a message of Binance, as `<receive time, epoch ns> <JSON>`", first());
            return Err(lines.error_ahead().cloned().unwrap_or_else(|| fault.at(lines.path(), 1)));
        };
        let mut symbols = std::mem::take(&mut sniffed.symbols);
        if symbols.is_empty() {
            // Only snapshots, which don't say of what: it can be told where one symbol alone is asked for.
            match (&options.symbols[..], &options.instruments[..]) {
                ([symbol], _) => symbols.push(symbol.clone()),
                ([], [instrument]) => symbols.push(instrument.symbol().to_owned()),
                _ => {
                    return Err(Fault::new("a message that names its symbol", first()).at(lines.path(), 1));
                }
            }
        }
        let instruments = decimals::wanted(venue.name(), &symbols, options)?;
        let decoder = Decoder::of_file(venue, instruments, !options.symbols.is_empty(), symbols.len() == 1);
        Ok(Self { lines, decoder, venue: venue.name(), symbols })
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
            let Some(Line { text, number, .. }) = self.lines.next()? else {
                self.decoder.end();
                return Ok(None);
            };
            if text.is_empty() {
                continue;
            }
            let decoded = self.decoder.decode_line(text, out);
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
