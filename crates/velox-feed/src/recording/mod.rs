//! Recorded connections, replayed through the same [`Feed`] that decodes them live.
//!
//! | form | what it is | recognised by |
//! |---|---|---|
//! | [`messages`] | what [`MessageWriter`] writes | its first line |
//! | [`capture`] | what cryptofeed's raw data collection writes | a first line with a WebSocket or HTTP address |

mod capture;
mod messages;

use std::sync::Arc;

use velox_record::{Instrument, MarketEvent};

pub use self::messages::MessageWriter;
use crate::ahead::AheadLines;
use crate::error::Fault;
use crate::feed::{Applied, Feed};
use crate::{Arrivals, Counts, FeedError, ReplayOptions, decimals};

/// What one line says.
enum Said<'l> {
    Message(&'l [u8]),
    Snapshot { symbol: &'l str, body: &'l [u8] },
    Disconnected,
}

/// The two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Capture,
    Messages,
}

impl Form {
    /// The name of the format in options.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Messages => "messages",
        }
    }

    /// The form of a file, by its first line.
    pub(crate) fn of(lines: &AheadLines) -> Option<Self> {
        let first = lines.ahead().next()?;
        if messages::is_header(first) {
            Some(Self::Messages)
        } else {
            capture::is_first(first).then_some(Self::Capture)
        }
    }
}

/// A recorded connection, one line a call.
pub(crate) struct RecordingReplay {
    form: Form,
    path: String,
    lines: AheadLines,
    feed: Feed,
    symbols: Vec<String>,
    counts: Counts,
}

impl RecordingReplay {
    pub(crate) fn new(form: Form, lines: AheadLines, options: &ReplayOptions) -> Result<Self, FeedError> {
        let at = |fault: Fault| fault.at(lines.path(), 1);
        let (venue, instruments, symbols) = match form {
            Form::Messages => {
                let first = lines.ahead().next().unwrap_or_default();
                let (venue, recorded) = messages::header(first).map_err(at)?;
                let symbols: Vec<String> = recorded.iter().map(|known| known.symbol().to_owned()).collect();
                let mut options = options.clone();
                // What the recorder knew is better than a table, and not as good as what the user says.
                options.instruments.extend(recorded);
                (venue, decimals::wanted(venue.name(), &symbols, &options)?, symbols)
            }
            Form::Capture => {
                let (venue, symbols) = capture::look(&lines).map_err(at)?;
                (venue, decimals::wanted(venue.name(), &symbols, options)?, symbols)
            }
        };
        let feed = Feed::new(venue, instruments)?;
        Ok(Self { form, path: lines.path().to_owned(), lines, feed, symbols, counts: Counts::default() })
    }

    pub(crate) fn venue(&self) -> &str {
        self.feed.venue().name()
    }

    pub(crate) fn symbols(&self) -> &[String] {
        &self.symbols
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }
}

impl Arrivals for RecordingReplay {
    /// Requests and blank lines are no arrivals. After a line that can't be decoded the next call goes on with the line
    /// after it. A last line without its end, which a recorder that was killed left behind, is not there.
    fn next(&mut self, out: &mut Vec<MarketEvent>) -> Result<Option<u64>, FeedError> {
        loop {
            let Some(line) = self.lines.next()? else {
                self.feed.end();
                return Ok(None);
            };
            let read = match self.form {
                Form::Capture => capture::line(line.text),
                Form::Messages => messages::line(line.text, line.number),
            };
            let start = out.len();
            let applied = read.map_err(|fault| fault.at(&self.path, line.number)).and_then(|read| {
                let Some((time, said)) = read else { return Ok(None) };
                let applied = match said {
                    Said::Message(message) => self.feed.apply(message, time, out),
                    Said::Snapshot { symbol, body } => self.feed.snapshot(symbol, body, time, out),
                    Said::Disconnected => {
                        self.feed.disconnected(out);
                        out[start..].iter_mut().for_each(|event| event.receive_ts = time);
                        Ok(Applied::Applied)
                    }
                };
                applied.map(|applied| Some((time, applied)))
            });
            match applied {
                Ok(None) => {}
                Ok(Some((time, applied))) => {
                    self.counts.skipped += u64::from(applied == Applied::Ignored);
                    self.counts.gaps += u64::from(applied >= Applied::Gap);
                    return Ok(Some(time));
                }
                Err(_) if line.is_torn => {}
                Err(FeedError::Message { expected, got, .. }) => {
                    return Err(FeedError::Corrupt { path: self.path.clone(), line: line.number, expected, got });
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn comparable(&self, instrument: u16) -> u64 {
        self.feed.comparable(instrument)
    }

    fn left_out(&self) -> u64 {
        self.counts.skipped
    }

    fn instruments(&self) -> &[Arc<Instrument>] {
        self.feed.instruments()
    }
}
