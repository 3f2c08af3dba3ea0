//! A live market against the local exchange, and its book against the truth.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod exchange;
pub mod market;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use velox_book::{L2Book, L2Writer, Standing};
use velox_feed::Venue;
use velox_live::{Live, LiveEvents, LiveOptions};
use velox_record::{EventKind, Instrument, MarketEvent, flags};

use self::exchange::Exchange;
use self::market::SYMBOL;

/// Options for this exchange, with time-outs for a test.
pub fn options(exchange: &Exchange) -> LiveOptions {
    let instrument = Instrument::new(SYMBOL, "binance-spot", "0.01", "0.00001").unwrap();
    LiveOptions {
        url: Some(exchange.url.clone()),
        rest_url: Some(exchange.rest_url.clone()),
        ping_after: Duration::from_millis(300),
        silent_after: Duration::from_millis(900),
        seed: 1,
        ..LiveOptions::new(Venue::BinanceSpot, vec![instrument])
    }
}

/// Keeps the book of a live market.
pub struct Keeper {
    pub events: LiveEvents,
    pub book: L2Book,
    writer: L2Writer,
    pending: Vec<MarketEvent>,
    batch: Vec<MarketEvent>,
    /// Exchange events after which the best levels were compared.
    pub compared: u64,
    pub gaps: u64,
    /// Everything that came.
    pub all: Vec<MarketEvent>,
}

impl Keeper {
    pub fn new(options: LiveOptions) -> Self {
        let book = L2Book::new(options.instruments[0].clone());
        let writer = book.claim("the test").unwrap();
        let events = Live::new(options).unwrap().start(None).unwrap();
        let (pending, batch, all) = (Vec::new(), Vec::new(), Vec::new());
        Self { events, book, writer, pending, batch, compared: 0, gaps: 0, all }
    }

    /// Takes what is there, and compares the best levels after each exchange event with those of the exchange.
    pub fn turn(&mut self, exchange: &Exchange) {
        assert_eq!(self.events.failure(), None);
        self.batch.clear();
        self.events.pop_into(&mut self.batch, 1024);
        self.all.extend_from_slice(&self.batch);
        for event in std::mem::take(&mut self.batch) {
            match event.kind {
                EventKind::STATUS => {
                    self.gaps += 1;
                    self.pending.clear();
                    self.writer.begin().mark_stale();
                }
                EventKind::LEVEL => {
                    if event.has(flags::SNAPSHOT) {
                        self.pending.clear();
                    }
                    self.pending.push(event);
                    if event.has(flags::LAST) {
                        self.finish(event.sequence);
                        let top = self.book.top().expect("a live book");
                        if let Some(truth) = exchange.shared.market().tops.get(&event.sequence) {
                            let best = [(top.bid, top.bid_qty), (top.ask, top.ask_qty)];
                            assert_eq!(best, *truth, "after {}", event.sequence);
                            self.compared += 1;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn finish(&mut self, sequence: u64) {
        let mut under_way = self.writer.begin();
        if self.pending[0].has(flags::SNAPSHOT) {
            under_way.clear();
        }
        for level in self.pending.drain(..) {
            under_way.set(level.side, level.price, level.qty).unwrap();
        }
        under_way.finish(sequence);
    }

    /// Goes on until `done`; panics after 10 s.
    pub fn until(&mut self, exchange: &Exchange, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < Duration::from_secs(10), "{what}: {:#?}", self.events.stats().report());
            self.turn(exchange);
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    pub fn is_live(&self) -> bool {
        self.book.standing() == Standing::Live
    }

    /// Goes on until `more` further exchange events were compared on a live book.
    pub fn until_right(&mut self, exchange: &Exchange, more: u64) {
        let compared = self.compared + more;
        self.until(exchange, "a live book that is right", |it| it.is_live() && it.compared >= compared);
    }

    /// Stops the market and compares every level.
    pub fn is_whole(&mut self, exchange: &Exchange) {
        exchange.shared.paused.store(true, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(5));
        let sequence = exchange.shared.market().sequence;
        self.until(exchange, "the last event", |it| it.book.top().is_some_and(|top| top.sequence == sequence));
        let depth = self.book.depth(10_000);
        let market = exchange.shared.market();
        let bids: Vec<_> = market.bids.iter().rev().map(|(price, qty)| (*price, *qty)).collect();
        let asks: Vec<_> = market.asks.iter().map(|(price, qty)| (*price, *qty)).collect();
        let of = |levels: &[velox_book::Level]| levels.iter().map(|it| (it.price, it.qty)).collect::<Vec<_>>();
        assert_eq!((of(&depth.bids), of(&depth.asks)), (bids, asks));
        drop(market);
        exchange.shared.paused.store(false, Ordering::Relaxed);
    }
}
