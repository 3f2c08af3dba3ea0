//! What is received becomes events for the pipeline; what books lack is asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use velox_feed::{Applied, Checks, Feed, FeedState};
use velox_metrics::layout::market;
use velox_record::{EventKind, MarketEvent, flags};

use crate::dial::DialError;
use crate::end::End;
use crate::endpoint::Endpoint;
use crate::outbox::Outbox;
use crate::quiet::Quiet;
use crate::recorder::Recorder;
use crate::rest::{Reply, Rest};
use crate::resync::Resync;
use crate::stats::Counters;
use crate::websocket::Socket;
use crate::{LiveError, LiveOptions};

/// A stale book that the venue doesn't bring back on the connection within this is worth a new connection.
const LOST: Duration = Duration::from_secs(20);

/// The books of one venue, over all its connections.
pub(crate) struct Books {
    feed: Feed,
    outbox: Outbox,
    counters: Arc<Counters>,
    recorder: Option<Recorder>,
    resync: Resync,
    /// The events of one message.
    events: Vec<MarketEvent>,
    /// How each book stands, as its last event said.
    states: Vec<FeedState>,
    /// Index into the instruments by id - the lowest id; none where the id is another's.
    markets: Vec<Option<usize>>,
    lowest: u16,
    /// Whether there is a connection.
    up: bool,
    /// How many connections there were.
    connections: u64,
    /// Whether more was asked for on this connection than what it began with.
    asked_again: bool,
    /// Whether the venue wants snapshots asked for by REST.
    by_rest: bool,
    /// Since when a book is stale that should come back on the connection.
    stale_since: Option<Instant>,
}

impl Books {
    pub(crate) fn new(
        feed: Feed,
        options: &LiveOptions,
        outbox: Outbox,
        counters: Arc<Counters>,
    ) -> Result<Self, LiveError> {
        let recorder = options.record.as_deref().map(|path| Recorder::open(path, &feed, &counters)).transpose()?;
        let ids = || feed.instruments().iter().map(|instrument| instrument.id());
        let (lowest, highest) = (ids().min().unwrap_or(0), ids().max().unwrap_or(0));
        let mut markets = vec![None; usize::from(highest - lowest) + 1];
        for (market, id) in ids().enumerate() {
            markets[usize::from(id - lowest)] = Some(market);
        }
        let count = feed.instruments().len();
        let rest = options.rest_url.as_deref().unwrap_or(options.venue.rest_url());
        let quiet = Quiet::of(&Endpoint::http("restUrl", rest)?.authority());
        Ok(Self {
            feed,
            outbox,
            counters,
            recorder,
            resync: Resync::new(count, options.backoff, options.seed, quiet, Instant::now()),
            events: Vec::new(),
            states: vec![FeedState::Syncing; count],
            markets,
            lowest,
            up: false,
            connections: 0,
            asked_again: false,
            by_rest: false,
            stale_since: None,
        })
    }

    pub(crate) fn feed(&self) -> &Feed {
        &self.feed
    }

    pub(crate) fn are_live(&self) -> bool {
        self.states.iter().all(|state| *state == FeedState::Live)
    }

    /// Whether there ever was a connection.
    pub(crate) fn was_connected(&self) -> bool {
        self.connections > 0
    }

    /// The server wants no call for so long.
    pub(crate) fn banned(&self, after: Duration) {
        self.resync.banned(after, Instant::now());
    }

    /// How long the server still wants no call.
    pub(crate) fn banned_for(&self) -> Option<Duration> {
        self.resync.quiet_for(Instant::now())
    }

    /// There is a connection: subscribes.
    pub(crate) fn connected(&mut self, socket: &mut Socket, rest: &Rest) -> Result<(), End> {
        self.up = true;
        self.connections += 1;
        rest.serve(self.connections);
        self.asked_again = false;
        self.counters.market().add(market::CONNECTIONS, 1);
        for message in self.feed.subscribe_messages() {
            socket.send(&message)?;
        }
        self.by_rest = self.feed.instruments().iter().any(|it| self.feed.snapshot_request(it.symbol()).is_some());
        self.resync.connected(self.by_rest, Instant::now());
        Ok(())
    }

    /// The connection is gone, or none came about: no book can be believed.
    pub(crate) fn disconnected(&mut self) {
        if let Some(receive_ts) = self.lose(0)
            && let Some(recorder) = &mut self.recorder
        {
            recorder.disconnected(receive_ts);
        }
    }

    /// Makes every book stale where there was a connection, and says when. `flags`: beside those of the feed.
    fn lose(&mut self, flags: u8) -> Option<u64> {
        if !std::mem::take(&mut self.up) {
            return None;
        }
        self.events.clear();
        self.feed.disconnected(&mut self.events);
        let receive_ts = velox_clock::to_epoch_nanos(velox_clock::now());
        for event in &mut self.events {
            event.receive_ts = receive_ts;
            event.flags |= flags;
        }
        self.note_books();
        self.outbox.insist(&self.events);
        self.stale_since = None;
        Some(receive_ts)
    }

    /// The market ends: its books are nobody's from here on. Gives what the ring has no room for.
    pub(crate) fn end(&mut self) -> (Vec<MarketEvent>, Result<(), LiveError>) {
        // Not recorded: what is replayed has an end of its own.
        self.lose(flags::LAST);
        (self.outbox.end(), self.recorder.take().map_or(Ok(()), Recorder::close))
    }

    /// One message of the venue, read at a time on the clock.
    pub(crate) fn message(&mut self, message: &[u8], read_at: u64) -> Result<(), End> {
        let receive_ts = velox_clock::to_epoch_nanos(read_at);
        self.counters.market().received(message.len() as u64, receive_ts);
        self.events.clear();
        match self.feed.apply(message, receive_ts, &mut self.events) {
            Ok(applied) => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.message(receive_ts, message);
                }
                if applied > Applied::Applied {
                    self.note(applied);
                }
                self.give()
            }
            Err(error) => {
                self.counters.market().add(market::ERRORS, 1);
                if error.is_refusal() && !self.asked_again {
                    return Err(if self.connections == 1 {
                        End::Final(error.into())
                    } else {
                        error.to_string().into()
                    });
                }
                let reason = error.to_string();
                // Where no number would show that this message was one of the book's, the book can't be believed: a checksum
                // covers its best levels only.
                if matches!(self.feed.venue().checks(), Checks::Checksum | Checks::None) {
                    return Err(End::Broken(reason, None));
                }
                self.counters.failed(&reason);
                Ok(())
            }
        }
    }

    fn note(&mut self, applied: Applied) {
        match applied {
            Applied::Buffered => self.resync.buffered(Instant::now()),
            Applied::Gap => self.counters.market().add(market::GAPS, 1),
            Applied::Checksum => self.counters.market().add(market::CHECKSUMS, 1),
            Applied::Applied | Applied::Ignored => {}
        }
    }

    /// Gives the events of a message to the pipeline.
    fn give(&mut self) -> Result<(), End> {
        if self.events.is_empty() {
            return Ok(());
        }
        self.note_books();
        self.outbox.give(&self.events).map_err(|_| {
            self.counters.market().add(market::OVERFLOWS, 1);
            self.counters.market().add(market::DROPPED, 1);
            End::Behind
        })?;
        self.counters.market().add(market::EVENTS, self.events.len() as u64);
        Ok(())
    }

    /// Takes down what the events say of each book.
    fn note_books(&mut self) {
        let mut last = None;
        for event in &self.events {
            let turns = event.kind == EventKind::STATUS || event.has(flags::SNAPSHOT);
            if last == Some(event.instrument) && !turns {
                continue;
            }
            last = Some(event.instrument);
            let index = usize::from(event.instrument.wrapping_sub(self.lowest));
            let Some(market) = self.markets.get(index).copied().flatten() else { continue };
            if event.kind != EventKind::STATUS {
                self.counters.event(market, event.receive_ts);
            }
            if turns {
                let state = self.feed.state(self.feed.instruments()[market].symbol()).unwrap_or(FeedState::Syncing);
                self.states[market] = state;
                self.counters.book_stands(market, state);
                if state == FeedState::Live {
                    self.resync.live(market, Instant::now());
                }
            }
        }
    }

    /// Moves what waits for the pipeline or the disk; says whether the pipeline has caught up.
    pub(crate) fn flush(&mut self) -> Result<bool, LiveError> {
        self.outbox.flush();
        self.recorder.as_mut().map_or(Ok(()), Recorder::tick)?;
        Ok(self.outbox.is_roomy())
    }

    /// What is to be done now and then, at this time on the clock.
    pub(crate) fn tick(&mut self, socket: &mut Socket, rest: &mut Rest, now: u64) -> Result<(), End> {
        self.flush().map_err(End::Final)?;
        while let Some(reply) = rest.reply() {
            if reply.connection == self.connections {
                self.take_snapshot(reply, now)?;
            } else if let Err(DialError::Passing { after: Some(after), .. }) = reply.answer {
                self.banned(after);
            }
        }
        self.ask(socket, rest)
    }

    /// Asks for the books that are not live, as soon as that is sensible.
    fn ask(&mut self, socket: &mut Socket, rest: &mut Rest) -> Result<(), End> {
        let now = Instant::now();
        let mut stale = false;
        for market in 0..self.states.len() {
            stale |= !self.by_rest && self.states[market] == FeedState::Stale;
            if self.states[market] == FeedState::Live || !self.resync.is_due(market, now) {
                continue;
            }
            let instrument = Arc::clone(&self.feed.instruments()[market]);
            let symbol = instrument.symbol();
            if let Some(url) = self.feed.snapshot_request(symbol) {
                if rest.is_busy() {
                    continue;
                }
                self.resync.asked(market);
                rest.call(market, self.connections, url);
            } else {
                self.resync.asked_in_band(market, now);
                self.asked_again = true;
                for message in self.feed.resubscribe_messages(symbol) {
                    socket.send(&message)?;
                }
            }
        }
        self.stale_since = stale.then(|| self.stale_since.unwrap_or(now));
        match self.stale_since {
            Some(since) if now - since > LOST => Err(End::Broken("a book stayed stale".into(), None)),
            _ => Ok(()),
        }
    }

    /// Takes the answer to a REST call.
    fn take_snapshot(&mut self, Reply { market, answer, .. }: Reply, at: u64) -> Result<(), End> {
        let now = Instant::now();
        let body = match answer {
            Ok(body) => body,
            Err(DialError::Stopped) => return Err(End::Stopped),
            Err(DialError::Final(error)) if !self.resync.has_begun(market) => return Err(End::Final(error)),
            Err(error) => {
                self.counters.market().add(market::REST_ERRORS, 1);
                self.counters.failed(&error);
                let after = if let DialError::Passing { after, .. } = error { after } else { None };
                self.resync.failed(market, after, now);
                return Ok(());
            }
        };
        self.counters.market().add(market::SNAPSHOTS, 1);
        let receive_ts = velox_clock::to_epoch_nanos(at);
        let instrument = Arc::clone(&self.feed.instruments()[market]);
        self.events.clear();
        // Unless it makes the book live.
        self.resync.failed(market, None, now);
        match self.feed.snapshot(instrument.symbol(), &body, receive_ts, &mut self.events) {
            Ok(applied) => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.snapshot(receive_ts, instrument.symbol(), &body);
                }
                if applied > Applied::Applied {
                    self.counters.market().add(market::REST_ERRORS, 1);
                    self.note(applied);
                }
                self.give()
            }
            Err(error) => {
                self.counters.market().add(market::REST_ERRORS, 1);
                self.counters.failed(&error);
                Ok(())
            }
        }
    }
}
