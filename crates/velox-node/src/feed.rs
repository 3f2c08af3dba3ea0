use std::path::PathBuf;
use std::sync::Arc;

use napi_derive::napi;
use serde::Deserialize;
use serde_json::json;
use velox_engine::feed::{Applied, BookFeed, Checks, Feed, FeedError, FeedState, Venue, VerifiedBy};
use velox_engine::live::LiveOptions;
use velox_engine::ring::{ForeignError, ForeignProducer};
use velox_engine::{Instrument, Trade, clock};

use crate::errors::{Result, Thrown};
use crate::instrument::instrument;
use crate::raw::{Call, Entry, Value};
use crate::slots::{self, Object, of};

/// A feed with where its trades go.
pub(crate) struct FeedEntry {
    books: BookFeed,
    trades: Option<ForeignProducer<Trade>>,
    /// Trades that the ring had no room for.
    dropped: u64,
    /// Where a text is copied to.
    text: Vec<u8>,
}

/// What a feed is made with.
#[derive(Deserialize)]
struct FeedPlan {
    venue: String,
    markets: Vec<Market>,
    /// The slot of a ring of trades.
    trades: Option<u32>,
    #[serde(rename = "restUrl")]
    rest_url: Option<String>,
}

/// A live market.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LivePlan {
    venue: String,
    markets: Vec<Market>,
    url: Option<String>,
    rest_url: Option<String>,
    pub(crate) record: Option<PathBuf>,
}

impl LivePlan {
    /// `others` are instruments for symbols that the plan has none for.
    pub(crate) fn options(&self, others: &[Arc<Instrument>]) -> std::result::Result<LiveOptions, Thrown> {
        let venue = venue(&self.venue)?;
        let market = |market: &Market| match market {
            Market::Symbol(symbol) => {
                let known = others.iter().find(|i| i.symbol() == symbol && [venue.name(), ""].contains(&i.venue()));
                known.map_or_else(|| market.instrument(venue), |known| Ok(Arc::clone(known)))
            }
            Market::Known(_) => market.instrument(venue),
        };
        Ok(LiveOptions {
            url: self.url.clone(),
            rest_url: self.rest_url.clone(),
            record: self.record.clone(),
            ..LiveOptions::new(venue, self.markets.iter().map(market).collect::<std::result::Result<_, _>>()?)
        })
    }
}

fn venue(name: &str) -> std::result::Result<Venue, Thrown> {
    let expected = || format!("one of {}", Venue::ALL.map(Venue::name).join(", "));
    Venue::from_name(name).ok_or_else(|| Thrown::value("venue", &expected(), name))
}

/// A symbol, or the id of an instrument.
#[derive(Deserialize)]
#[serde(untagged)]
enum Market {
    Known(u32),
    Symbol(String),
}

impl Market {
    fn instrument(&self, venue: Venue) -> std::result::Result<Arc<Instrument>, Thrown> {
        match self {
            Self::Known(id) => instrument(*id),
            Self::Symbol(symbol) => Ok(venue.instrument(symbol)?),
        }
    }
}

pub(crate) static FUNCTIONS: [Entry; 2] =
    [Entry { name: c"feedApply", run: apply }, Entry { name: c"feedSnapshot", run: snapshot }];

type Taken = std::result::Result<Applied, FeedError>;

/// Runs `take` over the message in argument `i`, with a place for trades.
fn on_message(
    call: &Call,
    i: usize,
    take: impl FnOnce(&mut BookFeed, &[u8], u64, &mut dyn FnMut(Trade)) -> Taken,
) -> std::result::Result<Value, Thrown> {
    let receive_ts = match call.wide(i + 1) {
        0 => clock::to_epoch_nanos(clock::now()),
        given => given,
    };
    slots::with(call.index(0), of!(Feed), |entry| {
        let FeedEntry { books, trades, dropped, text } = &mut **entry;
        let mut failed: Option<ForeignError> = None;
        let mut trade = |trade: Trade| match trades.as_mut().map(|ring| ring.push(&trade)) {
            Some(Ok(false)) => *dropped += 1,
            Some(Err(error)) => failed = Some(error),
            Some(Ok(true)) | None => {}
        };
        let message = call.message(i, text);
        let message = message.ok_or_else(|| {
            Thrown::value("message", "a string or a Uint8Array over memory of its own", "something else")
        })?;
        let applied = take(books, message, receive_ts, &mut trade)?;
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(Value::Number(f64::from(applied as u8))),
        }
    })
}

/// Feed, message, receive time: gives the number of what it did.
fn apply(call: &Call) -> std::result::Result<Value, Thrown> {
    on_message(call, 1, |books, message, receive_ts, trade| books.apply(message, receive_ts, trade))
}

/// Feed, body, receive time, number of the symbol: gives the number of what it did.
fn snapshot(call: &Call) -> std::result::Result<Value, Thrown> {
    let market = call.index(3);
    on_message(call, 1, |books, body, receive_ts, trade| {
        let known = books.feed().instruments().get(market).map(Arc::clone);
        let symbol = known.as_ref().map_or("", |instrument| instrument.symbol());
        books.snapshot(symbol, body, receive_ts, trade)
    })
}

/// Makes a feed; the plan is JSON.
#[napi(catch_unwind)]
pub fn feed_new(plan: String) -> Result<u32> {
    let plan: FeedPlan =
        serde_json::from_str(&plan).map_err(|error| Thrown::value("feed", "a plan of a feed", error.to_string()))?;
    let venue = venue(&plan.venue)?;
    let markets = plan.markets.iter().map(|market| market.instrument(venue));
    let mut feed = Feed::new(venue, markets.collect::<std::result::Result<_, _>>()?).map_err(Thrown::from)?;
    if let Some(base) = plan.rest_url {
        feed.set_rest_url(&base).map_err(Thrown::from)?;
    }
    let trades = plan.trades.map(|slot| slots::with(slot as usize, of!(Ring), |memory| Ok(memory.producer()?)));
    let entry = FeedEntry { books: BookFeed::new(feed), trades: trades.transpose()?, dropped: 0, text: Vec::new() };
    Ok(slots::put(Object::Feed(Box::new(entry))))
}

fn on_feed<R>(feed: u32, work: impl FnOnce(&mut FeedEntry) -> R) -> Result<R> {
    Ok(slots::with(feed as usize, of!(Feed), |entry| Ok(work(entry)))?)
}

/// The books of a feed, as JSON: slot here, instrument.
#[napi(catch_unwind)]
pub fn feed_books(feed: u32) -> Result<String> {
    let books = on_feed(feed, |entry| {
        let of = |i: &Arc<Instrument>| entry.books.book(i.symbol()).cloned();
        entry.books.feed().instruments().iter().filter_map(of).collect::<Vec<_>>()
    })?;
    let book = |book: velox_engine::L2Book| {
        let instrument = book.instrument().id();
        json!({ "slot": slots::put(Object::L2Book(book)), "instrument": instrument })
    };
    Ok(books.into_iter().map(book).collect::<serde_json::Value>().to_string())
}

/// 0 syncing, 1 live, 2 stale.
#[napi(catch_unwind)]
pub fn feed_state(feed: u32, symbol: String) -> Result<u32> {
    on_feed(feed, |entry| match entry.books.feed().state(&symbol) {
        None | Some(FeedState::Syncing) => 0,
        Some(FeedState::Live) => 1,
        Some(FeedState::Stale) => 2,
    })
}

/// The URL of the snapshot that a symbol needs.
#[napi(catch_unwind)]
pub fn feed_request(feed: u32, symbol: String) -> Result<Option<String>> {
    on_feed(feed, |entry| entry.books.feed().snapshot_request(&symbol))
}

/// The symbols whose books are stale.
#[napi(catch_unwind)]
pub fn feed_stale(feed: u32) -> Result<Vec<String>> {
    on_feed(feed, |entry| entry.books.feed().stale_symbols().into_iter().map(String::from).collect())
}

/// What to send: on a new connection, or for a new snapshot of one symbol.
#[napi(catch_unwind)]
pub fn feed_subscribe(feed: u32, symbol: Option<String>) -> Result<Vec<String>> {
    on_feed(feed, |entry| match symbol {
        None => entry.books.feed().subscribe_messages(),
        Some(symbol) => entry.books.feed_mut().resubscribe_messages(&symbol),
    })
}

/// What to send and how often, as JSON: message, milliseconds.
#[napi(catch_unwind)]
pub fn feed_heartbeat(feed: u32) -> Result<Option<String>> {
    on_feed(feed, |entry| {
        let heartbeat = entry.books.feed().heartbeat()?;
        let millis = heartbeat.every.as_millis() as u64;
        Some(json!({ "message": heartbeat.message, "everyMillis": millis }).to_string())
    })
}

/// The connection is gone.
#[napi(catch_unwind)]
pub fn feed_disconnected(feed: u32) -> Result<()> {
    on_feed(feed, |entry| entry.books.disconnected())
}

/// Trades that the ring had no room for.
#[napi(catch_unwind)]
pub fn feed_dropped(feed: u32) -> Result<f64> {
    on_feed(feed, |entry| entry.dropped as f64)
}

/// The venues, as JSON.
#[napi(catch_unwind)]
pub fn feed_venues() -> String {
    let venue = |venue: Venue| {
        let verified_by = match venue.verified_by() {
            VerifiedBy::Capture => "capture",
            VerifiedBy::Documentation => "documentation",
        };
        let checks = match venue.checks() {
            Checks::Sequence => "sequence",
            Checks::Checksum => "checksum",
            Checks::Both => "both",
            Checks::None => "none",
        };
        let url = (venue.websocket_url(), venue.rest_url());
        (
            venue.name().to_owned(),
            json!({ "verifiedBy": verified_by, "checks": checks, "url": url.0, "restUrl": url.1 }),
        )
    };
    serde_json::Value::Object(Venue::ALL.into_iter().map(venue).collect()).to_string()
}

/// The ids of the instruments of a live market, in the order of its symbols; nothing is connected.
#[napi(catch_unwind)]
pub fn live_instruments(plan: String) -> Result<Vec<u32>> {
    let plan: LivePlan = serde_json::from_str(&plan)
        .map_err(|error| Thrown::value("live", "a plan of a live market", error.to_string()))?;
    Ok(plan.options(&[])?.instruments.iter().map(|instrument| u32::from(instrument.id())).collect())
}
