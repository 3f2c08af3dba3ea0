//! Records as market events, by symbol.

use std::collections::HashMap;
use std::sync::Arc;

use ::dbn::enums::rtype;
use ::dbn::{
    BidAskPair, HasRType, Mbp1Msg, Mbp10Msg, Metadata, RType, Record, RecordHeader, RecordRef, Schema,
    SymbolMappingMsg, TradeMsg, UNDEF_TIMESTAMP, v1,
};
use velox_record::{Instrument, MarketEvent, Step};

use super::market::{Market, Message, PRICE_DECIMALS};
use super::symbols::Symbols;
use crate::error::Fault;
use crate::{Counts, FeedError, ReplayOptions};

/// The schemas that are read.
const SCHEMAS: [Schema; 3] = [Schema::Mbp1, Schema::Mbp10, Schema::Trades];
/// The most symbols of one file: each keeps an instrument for the life of the process.
const MOST_SYMBOLS: usize = 4_096;
/// The most instrument ids whose way is remembered.
const MOST_ROUTES: usize = 1 << 16;
/// The most symbols that an error names.
const MOST_NAMED: usize = 32;

/// Turns records into events.
pub(super) struct Decoder {
    dataset: String,
    /// Of all records of market data; `None` until the first, where the metadata doesn't say.
    schema: Option<Schema>,
    symbols: Symbols,
    /// Whether the metadata names all symbols there are.
    is_complete: bool,
    options: ReplayOptions,
    by_symbol: HashMap<String, usize>,
    routes: HashMap<u32, Route>,
    instruments: Vec<Arc<Instrument>>,
    markets: Vec<Market>,
    /// The latest arrival.
    last: u64,
    counts: Counts,
}

/// Where an instrument id leads from a time until before another; `None`: its symbol was not asked for.
#[derive(Debug, Clone, Copy)]
struct Route {
    from: u64,
    until: u64,
    market: Option<usize>,
}

/// What a record is.
enum Kind<'a> {
    Data(Schema, Message<'a>),
    Mapping,
    /// A heartbeat, a definition, a statistic: neither of a book nor a trade.
    Other,
}

impl Decoder {
    pub(super) fn new(path: &str, metadata: Metadata, options: ReplayOptions) -> Result<Self, FeedError> {
        if let Some(schema) = metadata.schema.filter(|schema| !SCHEMAS.contains(schema)) {
            return Err(FeedError::UnknownFormat {
                format: format!("dbn {schema}"),
                known: SCHEMAS.map(|known| format!("dbn {known}")).to_vec(),
            });
        }
        let symbols = Symbols::of(&metadata).map_err(|fault| fault.at(path, 1))?;
        Ok(Self {
            dataset: metadata.dataset,
            schema: metadata.schema,
            is_complete: !symbols.names().is_empty(),
            symbols,
            options,
            by_symbol: HashMap::new(),
            routes: HashMap::new(),
            instruments: Vec::new(),
            markets: Vec::new(),
            last: 0,
            counts: Counts::default(),
        })
    }

    pub(super) fn dataset(&self) -> &str {
        &self.dataset
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn instruments(&self) -> &[Arc<Instrument>] {
        &self.instruments
    }

    /// The first symbols of the file.
    pub(super) fn symbols(&self) -> Vec<String> {
        let names = self.symbols.names();
        let more = (names.len() > MOST_NAMED).then(|| "…".to_owned());
        names.iter().take(MOST_NAMED).cloned().chain(more).collect()
    }

    /// Whether a record is of market data. What is before the first is taken in.
    pub(super) fn begins_with(&mut self, record: RecordRef<'_>) -> Result<bool, Fault> {
        match kind(record)? {
            Kind::Data(..) => return Ok(true),
            Kind::Mapping => self.learn(record)?,
            Kind::Other => self.counts.skipped += 1,
        }
        Ok(false)
    }

    /// Makes the instruments of the symbols that are known, or asked for.
    pub(super) fn begin(&mut self) -> Result<(), FeedError> {
        let named = self.symbols.names();
        let wanted = if self.options.symbols.is_empty() { named } else { &self.options.symbols };
        if self.is_complete
            && let Some(symbol) = wanted.iter().find(|symbol| !self.symbols.has(symbol))
        {
            return Err(FeedError::UnknownSymbol { symbol: symbol.clone(), known: self.symbols() });
        }
        // Of more, each has its instrument when it first speaks.
        if wanted.len() <= MOST_SYMBOLS {
            let wanted = wanted.to_vec();
            for symbol in &wanted {
                self.add(symbol).map_err(|fault| fault.of_option("instrument"))?;
            }
        }
        Ok(())
    }

    /// Appends the events of a record and gives its arrival; `None` for one that is none.
    pub(super) fn take(&mut self, record: RecordRef<'_>, out: &mut Vec<MarketEvent>) -> Result<Option<u64>, Fault> {
        let (schema, message) = match kind(record)? {
            Kind::Data(schema, message) => (schema, message),
            Kind::Mapping => return self.learn(record).map(|()| None),
            Kind::Other => {
                self.counts.skipped += 1;
                return Ok(None);
            }
        };
        let is = *self.schema.get_or_insert(schema);
        if is != schema {
            return Err(Fault::new(format!("a record of {is}, as the file's others"), schema.as_str()));
        }
        let receive_ts = match message.ts_recv {
            UNDEF_TIMESTAMP => self.last,
            time if message.flags.is_bad_ts_recv() => time.max(self.last),
            time => time,
        };
        if let Some(market) = self.market(message.header.instrument_id, receive_ts)? {
            let stamp = MarketEvent {
                instrument: self.instruments[market].id(),
                sequence: u64::from(message.sequence),
                exchange_ts: Some(message.header.ts_event).filter(|&time| time != UNDEF_TIMESTAMP).unwrap_or(0),
                receive_ts,
                ..MarketEvent::default()
            };
            let added = self.markets[market].take(&message, stamp, out)?;
            self.counts.gaps += u64::from(added.gap);
            self.counts.skipped += u64::from(added.left_out);
        } else {
            self.counts.skipped += 1;
        }
        self.last = receive_ts;
        Ok(Some(receive_ts))
    }

    /// The data is over: events that didn't end are told, as an arrival with the last.
    pub(super) fn end(&mut self, out: &mut Vec<MarketEvent>) -> Option<u64> {
        let start = out.len();
        self.markets.iter_mut().for_each(|market| market.end(out));
        (out.len() > start).then_some(self.last)
    }

    fn learn(&mut self, record: RecordRef<'_>) -> Result<(), Fault> {
        let id = record.header().instrument_id;
        self.routes.remove(&id);
        match (record.try_get::<SymbolMappingMsg>(), record.try_get::<v1::SymbolMappingMsg>()) {
            (Ok(mapping), _) => self.symbols.learn(id, mapping),
            (_, Ok(mapping)) => self.symbols.learn(id, mapping),
            (_, Err(error)) => Err(Fault::new("a whole symbol mapping", error.to_string())),
        }
    }

    /// Whose record it is; `None` for one that is not wanted.
    fn market(&mut self, id: u32, time: u64) -> Result<Option<usize>, Fault> {
        if let Some(route) = self.routes.get(&id).filter(|route| (route.from..route.until).contains(&time)) {
            return Ok(route.market);
        }
        let meaning = self.symbols.meaning(id, time);
        let (from, until) = (meaning.from, meaning.until);
        let symbol = meaning.symbol.map_or_else(|| id.to_string(), str::to_owned);
        let is_wanted = self.options.symbols.is_empty() || self.options.symbols.contains(&symbol);
        let market = if is_wanted { Some(self.add(&symbol)?) } else { None };
        if self.routes.len() == MOST_ROUTES {
            self.routes.clear();
        }
        self.routes.insert(id, Route { from, until, market });
        Ok(market)
    }

    fn add(&mut self, symbol: &str) -> Result<usize, Fault> {
        if let Some(&known) = self.by_symbol.get(symbol) {
            return Ok(known);
        }
        if self.markets.len() == MOST_SYMBOLS {
            return Err(Fault::new(format!("at most {MOST_SYMBOLS} symbols, or option `symbols`"), symbol));
        }
        // One of another venue is another market, though its symbol is the same.
        let given = |venue: &str| {
            let is_it = |given: &&Arc<Instrument>| given.symbol() == symbol && given.venue() == venue;
            self.options.instruments.iter().find(is_it)
        };
        let instrument = match given(&self.dataset).or_else(|| given("")) {
            Some(given) => Arc::clone(given),
            None => of_units(symbol, &self.dataset)?,
        };
        self.by_symbol.insert(symbol.to_owned(), self.markets.len());
        self.instruments.push(Arc::clone(&instrument));
        self.markets.push(Market::new(instrument));
        Ok(self.markets.len() - 1)
    }
}

/// An instrument that counts what the file counts.
fn of_units(symbol: &str, venue: &str) -> Result<Arc<Instrument>, Fault> {
    let step = |decimals| Step::of_decimals(decimals).map_err(|error| Fault::new(error.to_string(), symbol));
    let made = Instrument::of_steps(symbol, venue, step(PRICE_DECIMALS)?, step(0)?);
    made.map_err(|error| Fault::new(error.to_string().trim_start_matches("expected "), symbol))
}

fn kind(record: RecordRef<'_>) -> Result<Kind<'_>, Fault> {
    fn whole<T: HasRType<Header = RecordHeader>>(record: RecordRef<'_>) -> Result<&T, Fault> {
        record.try_get().map_err(|_| Fault::new("a whole record", format!("{} bytes", Record::record_size(&record))))
    }
    macro_rules! message {
        ($schema:expr, $record:ty, $levels:expr) => {{
            let record: &$record = whole(record)?;
            let levels: fn(&$record) -> &[BidAskPair] = $levels;
            let message = Message {
                header: &record.hd,
                price: record.price,
                size: record.size,
                action: record.action as u8,
                side: record.side as u8,
                flags: record.flags,
                ts_recv: record.ts_recv,
                sequence: record.sequence,
                levels: levels(record),
            };
            Ok(Kind::Data($schema, message))
        }};
    }
    match record.header().rtype {
        rtype::MBP_0 => message!(Schema::Trades, TradeMsg, |_| &[]),
        rtype::MBP_1 => message!(Schema::Mbp1, Mbp1Msg, |record| &record.levels),
        rtype::MBP_10 => message!(Schema::Mbp10, Mbp10Msg, |record| &record.levels),
        rtype::SYMBOL_MAPPING => Ok(Kind::Mapping),
        rtype::STATUS | rtype::INSTRUMENT_DEF | rtype::IMBALANCE | rtype::ERROR | rtype::SYSTEM | rtype::STATISTICS => {
            Ok(Kind::Other)
        }
        other => {
            let name = RType::try_from(other).map_or_else(|_| other.to_string(), |of| of.to_string());
            Err(Fault::new("a record of mbp-1, mbp-10 or trades", format!("one of type {name}")))
        }
    }
}
