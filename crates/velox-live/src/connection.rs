//! The thread of a live market: one connection after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use velox_feed::{Applied, Checks, Feed, FeedState, Heartbeat};
use velox_record::{EventKind, MarketEvent, flags};

use crate::backoff::Backoff;
use crate::dial::{DialError, Dialer};
use crate::endpoint::Endpoint;
use crate::http::ask;
use crate::outbox::Outbox;
use crate::recorder::Recorder;
use crate::rest::{Reply, Rest};
use crate::resync::Resync;
use crate::stats::{Counters, LiveState, add};
use crate::stop::{SLICE, Stop};
use crate::websocket::Socket;
use crate::{LiveError, LiveOptions};

/// A connection that stood this long was a good one: the next wait is a short one again.
const GOOD: Duration = Duration::from_secs(10);
/// A stale book that the venue doesn't bring back on the connection within this is worth a new connection.
const LOST: Duration = Duration::from_secs(20);

/// Why a connection is over.
enum End {
    Stopped,
    /// Another one may do better.
    Broken(String, Option<Duration>),
    /// The pipeline is too far behind.
    Behind,
    Final(LiveError),
}

impl From<DialError> for End {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Passing { reason, after } => Self::Broken(reason, after),
            DialError::Final(error) => Self::Final(error),
            DialError::Stopped => Self::Stopped,
        }
    }
}

impl From<String> for End {
    fn from(reason: String) -> Self {
        Self::Broken(reason, None)
    }
}

/// All that a live market's thread has.
pub(crate) struct Connection {
    feed: Feed,
    options: LiveOptions,
    stop: Arc<Stop>,
    dialer: Arc<Dialer>,
    rest: Rest,
    outbox: Outbox,
    counters: Arc<Counters>,
    recorder: Option<Recorder>,
    resync: Resync,
    backoff: Backoff,
    /// The events of one message.
    events: Vec<MarketEvent>,
    /// Index into the instruments by id - the lowest id; none where the id is another's.
    markets: Vec<Option<usize>>,
    lowest: u16,
    /// How many connections there were.
    number: u64,
    /// Whether more was asked for on this connection than what it began with.
    asked_again: bool,
    /// Whether the venue wants snapshots asked for by REST.
    by_rest: bool,
    /// Since when a book is stale that should come back on the connection.
    stale_since: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(
        feed: Feed,
        options: LiveOptions,
        stop: Arc<Stop>,
        outbox: Outbox,
        counters: Arc<Counters>,
    ) -> Result<Self, LiveError> {
        let dialer = Arc::new(Dialer::new(Arc::clone(&stop), options.connect_within));
        let rest = Rest::start(Arc::clone(&dialer), options.connect_within * 2)?;
        let recorder = options.record.as_deref().map(|path| Recorder::open(path, &feed, &counters)).transpose()?;
        let ids = || feed.instruments().iter().map(|instrument| instrument.id());
        let (lowest, highest) = (ids().min().unwrap_or(0), ids().max().unwrap_or(0));
        let mut markets = vec![None; usize::from(highest - lowest) + 1];
        for (market, id) in ids().enumerate() {
            markets[usize::from(id - lowest)] = Some(market);
        }
        let resync = Resync::new(feed.instruments().len(), options.backoff, options.seed, Instant::now());
        let backoff = Backoff::new(options.backoff, options.seed);
        Ok(Self {
            feed,
            stop,
            dialer,
            rest,
            outbox,
            counters,
            recorder,
            resync,
            backoff,
            events: Vec::new(),
            markets,
            lowest,
            number: 0,
            asked_again: false,
            by_rest: false,
            stale_since: None,
            options,
        })
    }

    /// Connects again and again, until the order to stop or an error that another connection would not mend.
    pub(crate) fn run(&mut self) -> Result<(), LiveError> {
        loop {
            self.counters.stands(LiveState::Connecting);
            let begun = Instant::now();
            let end = self.connect();
            if !matches!(end, End::Stopped) {
                self.lose();
            }
            if begun.elapsed() >= GOOD {
                self.backoff.reset();
            }
            let after = match end {
                End::Stopped => return Ok(()),
                End::Final(error) => return Err(error),
                End::Broken(reason, after) => {
                    self.counters.failed(&reason);
                    after
                }
                End::Behind => {
                    self.counters.failed(&"the pipeline is too far behind");
                    None
                }
            };
            let pause = self.backoff.next().max(after.unwrap_or_default());
            if self.pause(pause)? {
                return Ok(());
            }
        }
    }

    /// Waits so long, and until the pipeline has caught up; says whether the order to stop came.
    fn pause(&mut self, time: Duration) -> Result<bool, LiveError> {
        let until = Instant::now() + time;
        loop {
            self.outbox.flush();
            self.tick_recorder()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() && self.outbox.is_roomy() {
                return Ok(self.stop.asked());
            }
            if self.stop.sleep(if left.is_zero() { SLICE } else { left.min(SLICE) }) {
                return Ok(true);
            }
        }
    }

    /// No book can be believed without a connection.
    fn lose(&mut self) {
        self.events.clear();
        self.feed.disconnected(&mut self.events);
        let receive_ts = velox_clock::to_epoch_nanos(velox_clock::now());
        self.events.iter_mut().for_each(|event| event.receive_ts = receive_ts);
        self.note_books();
        self.outbox.insist(&self.events);
        self.stale_since = None;
        if let Some(recorder) = &mut self.recorder {
            recorder.disconnected(receive_ts);
        }
    }

    /// One connection, from its beginning to its end.
    fn connect(&mut self) -> End {
        match self.open() {
            Ok(socket) => self.serve(socket),
            Err(end) => end,
        }
    }

    fn open(&mut self) -> Result<Socket, End> {
        let opened = self.address().and_then(|to| Socket::open(&self.dialer, &to, self.options.connect_within));
        let mut socket = opened.map_err(|error| match error {
            // Refused only once there had been a connection: the fault of a moment, as a proxy's, or a change at the venue.
            DialError::Final(error) if self.number > 0 => End::Broken(error.to_string(), None),
            error => error.into(),
        })?;
        self.number += 1;
        self.asked_again = false;
        add(&self.counters.connections, 1);
        self.counters.stands(LiveState::Connected);
        for message in self.feed.subscribe_messages() {
            socket.send(&message)?;
        }
        Ok(socket)
    }

    /// Where the WebSocket is; some venues want to be asked for it, and for a token, each time.
    fn address(&self) -> Result<Endpoint, DialError> {
        let (venue, given) = (self.feed.venue(), self.options.url.as_deref());
        let Some(path) = venue.token_path() else {
            return Ok(Endpoint::websocket("url", given.unwrap_or(venue.websocket_url()))?);
        };
        let base = self.options.rest_url.as_deref().unwrap_or(venue.rest_url()).trim_end_matches('/');
        let to = Endpoint::http("restUrl", &format!("{base}{path}"))?;
        let answer = ask(&self.dialer, "POST", &to, self.options.connect_within)?;
        let told = venue.token_url(&answer).map_err(|error| DialError::passing(&to, &error))?;
        let url = match (given, told.split_once('?')) {
            (Some(given), Some((_, query))) => format!("{given}?{query}"),
            _ => told,
        };
        Ok(Endpoint::websocket("url", &url)?)
    }

    fn serve(&mut self, mut socket: Socket) -> End {
        let now = Instant::now();
        self.by_rest = self.feed.instruments().iter().any(|it| self.feed.snapshot_request(it.symbol()).is_some());
        self.resync.connected(self.by_rest, now);
        let mut beat = self.feed.heartbeat().map(|heartbeat| Beat { next: now + heartbeat.every, heartbeat });
        let mut silence = Silence { since: velox_clock::now(), pinged: false };
        let mut ticked = velox_clock::now();
        loop {
            if self.stop.asked() {
                socket.close();
                return End::Stopped;
            }
            let received = match socket.read() {
                Ok(received) => received,
                Err(reason) => return End::Broken(reason, None),
            };
            let read_at = socket.read_at().max(silence.since);
            silence.pinged &= read_at == silence.since;
            silence.since = read_at;
            if let Some(message) = received.message()
                && let Err(end) = self.message(message, read_at)
            {
                return end;
            }
            // On a busy socket time is told by what is read.
            let now = if received.is_nothing() { velox_clock::now() } else { read_at };
            if received.is_nothing() || now.saturating_sub(ticked) >= SLICE.as_nanos() as u64 {
                ticked = now;
                let turn = self.tick(&mut socket, now);
                let kept =
                    turn.and_then(|()| Self::keep_alive(&mut socket, &mut beat, &mut silence, now, &self.options));
                if let Err(end) = kept {
                    return end;
                }
            }
        }
    }

    /// One message of the venue, read at a time on the clock.
    fn message(&mut self, message: &[u8], read_at: u64) -> Result<(), End> {
        let receive_ts = velox_clock::to_epoch_nanos(read_at);
        add(&self.counters.messages, 1);
        add(&self.counters.bytes, message.len() as u64);
        self.counters.last_message.store(receive_ts, Ordering::Relaxed);
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
                add(&self.counters.errors, 1);
                if error.is_refusal() && !self.asked_again {
                    return Err(if self.number == 1 { End::Final(error.into()) } else { error.to_string().into() });
                }
                let reason = error.to_string();
                // Where nothing would show that this message was one of the book's, the book can't be believed.
                if self.feed.venue().checks() == Checks::None {
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
            Applied::Gap => add(&self.counters.gaps, 1),
            Applied::Checksum => add(&self.counters.checksums, 1),
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
            add(&self.counters.overflows, 1);
            add(&self.counters.dropped, 1);
            End::Behind
        })?;
        add(&self.counters.events, self.events.len() as u64);
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
                self.counters.book_stands(market, state);
                if state == FeedState::Live {
                    self.resync.live(market, Instant::now());
                }
            }
        }
    }

    /// What is to be done now and then, at this time on the clock.
    fn tick(&mut self, socket: &mut Socket, now: u64) -> Result<(), End> {
        self.outbox.flush();
        self.tick_recorder().map_err(End::Final)?;
        while let Some(reply) = self.rest.reply() {
            if reply.connection == self.number {
                self.take_snapshot(reply, now)?;
            }
        }
        self.ask_for_books(socket)?;
        socket.flush()?;
        Ok(())
    }

    fn tick_recorder(&mut self) -> Result<(), LiveError> {
        self.recorder.as_mut().map_or(Ok(()), Recorder::tick)
    }

    /// Asks for the books that are not live, as soon as that is sensible.
    fn ask_for_books(&mut self, socket: &mut Socket) -> Result<(), End> {
        let now = Instant::now();
        let mut stale = false;
        for market in 0..self.feed.instruments().len() {
            let instrument = Arc::clone(&self.feed.instruments()[market]);
            let symbol = instrument.symbol();
            let state = self.feed.state(symbol);
            if state == Some(FeedState::Live) {
                continue;
            }
            stale |= !self.by_rest && state == Some(FeedState::Stale);
            if !self.resync.is_due(market, now) {
                continue;
            }
            if let Some(url) = self.feed.snapshot_request(symbol) {
                self.resync.asked(market);
                self.rest.call(market, self.number, url);
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
                add(&self.counters.rest_errors, 1);
                self.counters.failed(&error);
                let after = if let DialError::Passing { after, .. } = error { after } else { None };
                self.resync.failed(market, after, now);
                return Ok(());
            }
        };
        add(&self.counters.snapshots, 1);
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
                    add(&self.counters.rest_errors, 1);
                    self.note(applied);
                }
                self.give()
            }
            Err(error) => {
                add(&self.counters.rest_errors, 1);
                self.counters.failed(&error);
                Ok(())
            }
        }
    }

    /// The venue's heartbeat, and the WebSocket's own where nothing comes.
    fn keep_alive(
        socket: &mut Socket,
        beat: &mut Option<Beat>,
        silence: &mut Silence,
        now: u64,
        options: &LiveOptions,
    ) -> Result<(), End> {
        if let Some(beat) = beat
            && beat.next <= Instant::now()
        {
            beat.next += beat.heartbeat.every;
            socket.send(&beat.heartbeat.message)?;
        }
        let silent = Duration::from_nanos(now.saturating_sub(silence.since));
        if silent >= options.silent_after {
            return Err(End::Broken(format!("expected a sign of life, got nothing for {silent:?}"), None));
        }
        if silent >= options.ping_after && !silence.pinged {
            silence.pinged = true;
            socket.ping()?;
        }
        Ok(())
    }
}

/// The venue's own heartbeat.
struct Beat {
    heartbeat: Heartbeat,
    next: Instant,
}

/// How long nothing came.
struct Silence {
    /// When bytes came last, on the clock.
    since: u64,
    /// Whether a sign of life was asked for since.
    pinged: bool,
}
