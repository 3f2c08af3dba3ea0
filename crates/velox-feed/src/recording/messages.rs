//! What a live source records: a header, then everything that its feed was given, in its order.
//!
//! ```text
//! {"velox":"messages","version":1,"venue":"kraken","instruments":[{"symbol":"XBT/USD","tick":"0.1","lot":"0.00000001"}]}
//! 1618678133626511000 [1360,{"as":[...
//! 1618678133700000000 snapshot BTCUSDT {"lastUpdateId":...
//! 1618678134000000000 disconnected
//! ```
//!
//! The number is the receive time in epoch ns. A line is written by one call, so a recorder that is killed leaves whole
//! lines and at most a part of one.

use std::io::{self, Write};
use std::sync::Arc;

use serde_json::json;
use velox_record::Instrument;

use super::Said;
use crate::error::Fault;
use crate::feed::Venue;
use crate::json::{Doc, whole};

const BEGIN: &[u8] = br#"{"velox":"messages","#;
const VERSION: u64 = 1;

/// Records a connection, so that [`Replay`](crate::Replay) gives the same books and trades again.
///
/// ```
/// use velox_feed::{Arrivals, MessageWriter, Replay, ReplayOptions, Venue};
/// use velox_record::Instrument;
///
/// let xbt = Instrument::new("XBT/USD", "kraken", "0.1", "0.00000001").unwrap();
/// let mut file = Vec::new();
/// let mut writer = MessageWriter::new(&mut file, Venue::Kraken, &[xbt]).unwrap();
/// let snapshot = br#"[0,{"as":[["5541.3","2.5","1534614248.123678"]],"bs":[]},"book-100","XBT/USD"]"#;
/// writer.message(1_000, snapshot).unwrap();
///
/// let mut replay = Replay::from_reader("memory", std::io::Cursor::new(file), ReplayOptions::default()).unwrap();
/// let mut events = Vec::new();
/// assert_eq!(replay.next(&mut events).unwrap(), Some(1_000));
/// assert_eq!((replay.venue(), events[0].price, events[0].qty), ("kraken", 55_413, 250_000_000));
/// ```
pub struct MessageWriter<W> {
    writer: W,
    line: Vec<u8>,
}

impl<W: Write> MessageWriter<W> {
    /// Writes the header. Give it the file itself: a buffer in between would be lost with the process.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(mut writer: W, venue: Venue, instruments: &[Arc<Instrument>]) -> io::Result<Self> {
        let known = |known: &Arc<Instrument>| json!({ "symbol": known.symbol(), "tick": known.tick().to_string(), "lot": known.lot().to_string() });
        let instruments = serde_json::Value::Array(instruments.iter().map(known).collect());
        let mut line = BEGIN.to_vec();
        writeln!(line, r#""version":{VERSION},"venue":"{venue}","instruments":{instruments}}}"#)?;
        writer.write_all(&line)?;
        Ok(Self { writer, line })
    }

    /// A message of the connection, as it was received; `receive_ts` in epoch ns. One call of the writer.
    ///
    /// # Errors
    /// Those of the writer; a part of the line may have been written.
    pub fn message(&mut self, receive_ts: u64, message: &[u8]) -> io::Result<()> {
        self.write(receive_ts, b"", message)
    }

    /// The snapshot of a symbol that came by REST. The same.
    ///
    /// # Errors
    /// As [`Self::message`].
    pub fn snapshot(&mut self, receive_ts: u64, symbol: &str, body: &[u8]) -> io::Result<()> {
        self.write(receive_ts, format!("snapshot {symbol} ").as_bytes(), body)
    }

    /// The connection is gone. The same.
    ///
    /// # Errors
    /// As [`Self::message`].
    pub fn disconnected(&mut self, receive_ts: u64) -> io::Result<()> {
        self.write(receive_ts, b"disconnected", b"")
    }

    /// The writer, for what is to be done with it between two lines.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.writer
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.writer
    }

    fn write(&mut self, receive_ts: u64, what: &[u8], message: &[u8]) -> io::Result<()> {
        self.line.clear();
        write!(self.line, "{receive_ts} ")?;
        self.line.extend_from_slice(what);
        // To JSON a line end is a space, and inside its texts there is none.
        self.line.extend(message.iter().map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
        self.line.push(b'\n');
        self.writer.write_all(&self.line)
    }
}

pub(super) fn is_header(line: &[u8]) -> bool {
    line.starts_with(BEGIN)
}

/// The venue and the instruments of a header.
pub(super) fn header(line: &[u8]) -> Result<(Venue, Vec<Arc<Instrument>>), Fault> {
    let mut doc = Doc::default();
    let header = doc.read(line)?;
    let version = header.number("version")?;
    if version != VERSION {
        return Err(Fault::new(format!("field `version`: {VERSION}"), version.to_string()));
    }
    let name = header.text("venue")?;
    let venue = str::from_utf8(name).ok().and_then(Venue::from_name);
    let venue = venue.ok_or_else(|| Fault::new("field `venue`: the name of a venue", name))?;
    let mut instruments = Vec::new();
    for known in header.list("instruments")? {
        let text = |key| known.text(key).map(|text| String::from_utf8_lossy(text).into_owned());
        let (symbol, tick, lot) = (text("symbol")?, text("tick")?, text("lot")?);
        let instrument = Instrument::new(&symbol, venue.name(), &tick, &lot);
        instruments
            .push(instrument.map_err(|error| Fault::new("field `instruments`: instruments", error.to_string()))?);
    }
    Ok((venue, instruments))
}

/// When and what a line says; `None` for the header.
pub(super) fn line(line: &[u8], number: u64) -> Result<Option<(u64, Said<'_>)>, Fault> {
    if number == 1 || line.is_empty() {
        return Ok(None);
    }
    let fault = || Fault::new("a line like `<receive time, epoch ns> <message>`", line);
    let space = line.iter().position(|&byte| byte == b' ').ok_or_else(fault)?;
    let (time, rest) = (whole(&line[..space]).ok_or_else(fault)?, &line[space + 1..]);
    if rest == b"disconnected" {
        return Ok(Some((time, Said::Disconnected)));
    }
    let Some(named) = rest.strip_prefix(b"snapshot ") else { return Ok(Some((time, Said::Message(rest)))) };
    let space = named.iter().position(|&byte| byte == b' ').ok_or_else(fault)?;
    let symbol = str::from_utf8(&named[..space]).map_err(|_| fault())?;
    Ok(Some((time, Said::Snapshot { symbol, body: &named[space + 1..] })))
}
