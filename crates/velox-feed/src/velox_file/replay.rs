//! Recorded market events as arrivals.

use std::sync::Arc;

use velox_record::{EventKind, Instrument, MarketEvent, Record, flags};

use super::VeloxReader;
use crate::error::Fault;
use crate::feed::comparable::Comparable;
use crate::{Arrivals, Counts, FeedError, ReplayOptions, Schema};

/// How many blocks are read ahead to learn the instruments: 4 MiB of what our writer writes.
const HEAD_BLOCKS: usize = 64;
/// The most events of one arrival: one receive time that never ends must not fill the memory.
const MOST_EVENTS: usize = 1 << 18;

/// A file of [`MarketEvent`]s: those that were received at the same time are one arrival.
pub(crate) struct VeloxReplay {
    reader: VeloxReader,
    options: ReplayOptions,
    /// How many of the reader's instruments are known here.
    learnt: usize,
    /// What becomes of each id of the file, by the id: every event asks.
    routes: Vec<Option<Route>>,
    instruments: Vec<Arc<Instrument>>,
    markets: Vec<Pairs>,
    /// The event that was read and is of the next arrival.
    next: Option<Routed>,
    failed: Option<FeedError>,
    skipped: u64,
    gaps: u64,
}

/// Where an event goes.
#[derive(Debug, Clone, Copy)]
enum Route {
    Market(usize),
    /// It names no instrument.
    Nameless,
    /// Its symbol was not asked for.
    Unwanted,
}

type Routed = (MarketEvent, Route);

/// The pairs of one market, counted by its events alone. Depth updates that a recording has no levels of are no part.
#[derive(Default)]
struct Pairs {
    counted: Comparable,
    /// Those before the first snapshot.
    unsynchronised: Option<Comparable>,
    in_snapshot: bool,
    begun: bool,
}

impl Pairs {
    fn new() -> Self {
        Self { unsynchronised: Some(Comparable::begun()), ..Self::default() }
    }

    fn event(&mut self, event: &MarketEvent) {
        let is_last = event.has(flags::LAST);
        match event.kind {
            EventKind::QUOTE if is_last => {
                self.counted.ticker(event.sequence);
                if let Some(before) = &mut self.unsynchronised {
                    before.ticker(event.sequence);
                }
            }
            EventKind::LEVEL => {
                self.in_snapshot |= event.has(flags::SNAPSHOT);
                if !is_last {
                    return;
                }
                if std::mem::take(&mut self.in_snapshot) {
                    self.begun = true;
                    self.unsynchronised = None;
                    self.counted.begin();
                } else if self.begun {
                    self.counted.depth(event.sequence);
                } else if let Some(before) = &mut self.unsynchronised {
                    before.depth(event.sequence);
                }
            }
            EventKind::STATUS if event.has(flags::GAP) => self.counted.forget(),
            _ => {}
        }
    }

    fn end(&mut self) {
        if let Some(before) = self.unsynchronised.take() {
            self.counted = before;
        }
    }
}

impl VeloxReplay {
    pub(crate) fn new(mut reader: VeloxReader, options: ReplayOptions) -> Result<Self, FeedError> {
        let schema = reader.schema();
        if *schema != Schema::of::<MarketEvent>() {
            let other = if schema.record() == MarketEvent::NAME { "another " } else { "" };
            return Err(FeedError::InvalidValue {
                field: "replay",
                expected: "a recording of MarketEvent".into(),
                got: format!("{}, one of {other}{}", reader.path(), schema.record()),
            });
        }
        reader.read_ahead(HEAD_BLOCKS);
        let mut replay = Self {
            reader,
            options,
            learnt: 0,
            routes: vec![Some(Route::Nameless)],
            instruments: Vec::new(),
            markets: Vec::new(),
            next: None,
            failed: None,
            skipped: 0,
            gaps: 0,
        };
        replay.learn()?;
        let known = replay.symbols();
        for symbol in &replay.options.symbols {
            if !known.contains(symbol) {
                return Err(FeedError::UnknownSymbol { symbol: symbol.clone(), known });
            }
        }
        Ok(replay)
    }

    pub(crate) fn symbols(&self) -> Vec<String> {
        let mut symbols: Vec<String> = Vec::new();
        for (_, instrument) in self.reader.instruments() {
            if !symbols.iter().any(|known| known == instrument.symbol()) {
                symbols.push(instrument.symbol().to_owned());
            }
        }
        symbols
    }

    /// The venue of its first instrument; empty where it has none.
    pub(crate) fn venue(&self) -> &str {
        self.reader.instruments().first().map_or("", |(_, instrument)| instrument.venue())
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { skipped: self.skipped, gaps: self.gaps, ..Counts::default() }
    }

    /// Takes in the instruments that the reader met since.
    fn learn(&mut self) -> Result<(), FeedError> {
        while let Some((id, recorded)) = self.reader.instruments().get(self.learnt) {
            let (id, recorded) = (*id, Arc::clone(recorded));
            self.learnt += 1;
            let symbols = &self.options.symbols;
            let route = if symbols.is_empty() || symbols.iter().any(|symbol| symbol == recorded.symbol()) {
                let instrument = given_for(&recorded, &self.options.instruments)?;
                let known = self.instruments.iter().position(|known| *known == instrument);
                if known.is_none() {
                    self.instruments.push(instrument);
                    self.markets.push(Pairs::new());
                }
                Route::Market(known.unwrap_or(self.instruments.len() - 1))
            } else {
                Route::Unwanted
            };
            let at = usize::from(id);
            self.routes.resize(self.routes.len().max(at + 1), None);
            self.routes[at] = Some(route);
        }
        Ok(())
    }

    /// The next event with the id that its instrument has here.
    fn read(&mut self) -> Result<Option<Routed>, FeedError> {
        let Some(words) = self.reader.next_record()? else { return Ok(None) };
        let event = MarketEvent::from_words(words).map_err(|error| {
            let fault = Fault::new(format!("field `{}`: {}", error.field, error.expected), error.got.to_string());
            fault.at(self.reader.path(), self.reader.number())
        })?;
        let mut route = self.route(event.instrument);
        if route.is_none() {
            self.learn()?;
            route = self.route(event.instrument);
        }
        let instrument = match route {
            Some(Route::Market(market)) => self.instruments[market].id(),
            Some(_) => 0,
            None => {
                let expected = "field `instrument`: an id that the file has an instrument of";
                let fault = Fault::new(expected, event.instrument.to_string());
                return Err(fault.at(self.reader.path(), self.reader.number()));
            }
        };
        Ok(route.map(|route| (MarketEvent { instrument, ..event }, route)))
    }

    fn route(&self, id: u16) -> Option<Route> {
        self.routes.get(usize::from(id)).copied().flatten()
    }

    /// Adds an event to an arrival, unless its symbol isn't wanted.
    fn take(&mut self, (event, route): Routed, out: &mut Vec<MarketEvent>) {
        match route {
            Route::Market(market) => {
                self.markets[market].event(&event);
                let is_gap = event.kind == EventKind::STATUS && event.has(flags::GAP);
                // The end of a live market is no gap.
                self.gaps += u64::from(is_gap && !event.has(flags::LAST));
            }
            Route::Nameless if self.options.symbols.is_empty() => {}
            Route::Nameless | Route::Unwanted => return,
        }
        out.push(event);
    }

    fn arrival(&mut self, out: &mut Vec<MarketEvent>) -> Result<Option<u64>, FeedError> {
        let first = match self.next.take() {
            None => self.read()?,
            first => first,
        };
        let Some(first) = first else {
            self.markets.iter_mut().for_each(Pairs::end);
            return Ok(None);
        };
        let (time, start) = (first.0.receive_ts, out.len());
        self.take(first, out);
        while out.len() - start < MOST_EVENTS {
            match self.read() {
                Ok(Some(event)) if event.0.receive_ts == time => self.take(event, out),
                Ok(Some(event)) => {
                    self.next = Some(event);
                    break;
                }
                Ok(None) => break,
                // What was whole comes first.
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        self.skipped += u64::from(out.len() == start);
        Ok(Some(time))
    }
}

/// The instrument given for a recorded one. Its steps must be those that the recorded integers count.
fn given_for(recorded: &Arc<Instrument>, given: &[Arc<Instrument>]) -> Result<Arc<Instrument>, FeedError> {
    let of = |i: &Instrument| format!("{} with tick {} and lot {}", i.symbol(), i.tick(), i.lot());
    // One of another venue is another market, though its symbol is the same.
    let of_venue =
        |venue: &str| given.iter().find(|given| given.symbol() == recorded.symbol() && given.venue() == venue);
    match of_venue(recorded.venue()).or_else(|| of_venue("")) {
        None => Ok(Arc::clone(recorded)),
        Some(given) if (given.tick(), given.lot()) == (recorded.tick(), recorded.lot()) => Ok(Arc::clone(given)),
        Some(given) => Err(FeedError::InvalidValue {
            field: "instruments",
            expected: format!("{}, as recorded", of(recorded)),
            got: of(given),
        }),
    }
}

impl Arrivals for VeloxReplay {
    fn next(&mut self, out: &mut Vec<MarketEvent>) -> Result<Option<u64>, FeedError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let start = out.len();
        self.arrival(out).inspect_err(|error| {
            out.truncate(start);
            self.failed = Some(error.clone());
        })
    }

    fn comparable(&self, instrument: u16) -> u64 {
        let of = self.instruments.iter().position(|known| known.id() == instrument);
        of.map_or(0, |market| self.markets[market].counted.count())
    }

    fn left_out(&self) -> u64 {
        self.skipped
    }

    fn instruments(&self) -> &[Arc<Instrument>] {
        &self.instruments
    }
}
