//! The thread of a live market: one connection after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use velox_feed::Heartbeat;
use velox_metrics::LiveState;
use velox_record::MarketEvent;

use crate::backoff::Backoff;
use crate::books::Books;
use crate::dial::{DialError, Dialer};
use crate::end::End;
use crate::endpoint::Endpoint;
use crate::http::ask;
use crate::rest::Rest;
use crate::stats::Counters;
use crate::stop::{SLICE, Stop};
use crate::websocket::Socket;
use crate::{LiveError, LiveOptions};

/// A connection that stood this long was a good one: the next wait is a short one again.
const GOOD: Duration = Duration::from_secs(10);
/// So was one that stood this long and had every book live at its end. Venues allow about one connection a second.
const GOOD_AND_LIVE: Duration = Duration::from_secs(1);

/// All that a live market's thread has.
pub(crate) struct Connection {
    books: Books,
    options: LiveOptions,
    stop: Arc<Stop>,
    dialer: Arc<Dialer>,
    rest: Rest,
    counters: Arc<Counters>,
    backoff: Backoff,
}

impl Connection {
    pub(crate) fn new(
        books: Books,
        options: LiveOptions,
        stop: Arc<Stop>,
        counters: Arc<Counters>,
    ) -> Result<Self, LiveError> {
        let dialer = Arc::new(Dialer::new(Arc::clone(&stop), options.connect_within));
        let rest = Rest::start(Arc::clone(&dialer), options.connect_within * 2)?;
        let backoff = Backoff::new(options.backoff, options.seed);
        Ok(Self { books, options, stop, dialer, rest, counters, backoff })
    }

    /// Connects again and again, until the order to stop or an error that another connection would not mend.
    pub(crate) fn run(&mut self) -> Result<(), LiveError> {
        loop {
            self.counters.stands(LiveState::Connecting);
            let begun = Instant::now();
            let end = self.connect();
            self.rest.serve(0);
            if begun.elapsed() >= if self.books.are_live() { GOOD_AND_LIVE } else { GOOD } {
                self.backoff.reset();
            }
            if !matches!(end, End::Stopped) {
                self.books.disconnected();
            }
            let after = match end {
                End::Stopped => return Ok(()),
                End::Final(error) => return Err(error),
                End::Broken(reason, after) => {
                    self.counters.disconnected(&reason);
                    after
                }
                End::Behind => {
                    self.counters.disconnected(&"the pipeline is too far behind");
                    None
                }
            };
            let pause = self.backoff.next(Instant::now()).max(after.unwrap_or_default());
            if self.pause(pause)? {
                return Ok(());
            }
        }
    }

    /// What is left once it has run: events that the pipeline had no room for, and whether the recording is whole.
    pub(crate) fn end(&mut self) -> (Vec<MarketEvent>, Result<(), LiveError>) {
        self.books.end()
    }

    /// Waits so long, and until the pipeline has caught up; says whether the order to stop came.
    fn pause(&mut self, time: Duration) -> Result<bool, LiveError> {
        let until = Instant::now() + time;
        loop {
            let caught_up = self.books.flush()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() && caught_up {
                return Ok(self.stop.asked());
            }
            if self.stop.sleep(if left.is_zero() { SLICE } else { left.min(SLICE) }) {
                return Ok(true);
            }
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
            DialError::Final(error) if self.books.was_connected() => End::Broken(error.to_string(), None),
            error => error.into(),
        })?;
        self.books.connected(&mut socket, &self.rest)?;
        self.counters.stands(LiveState::Connected);
        Ok(socket)
    }

    /// Where the WebSocket is; some venues want to be asked for it, and for a token, each time.
    fn address(&self) -> Result<Endpoint, DialError> {
        let (venue, given) = (self.books.feed().venue(), self.options.url.as_deref());
        let Some(path) = venue.token_path() else {
            return Ok(Endpoint::websocket("url", given.unwrap_or(venue.websocket_url()))?);
        };
        let base = self.options.rest_url.as_deref().unwrap_or(venue.rest_url()).trim_end_matches('/');
        let to = Endpoint::http("restUrl", &format!("{base}{path}"))?;
        if let Some(left) = self.books.banned_for() {
            return Err(DialError::Passing { reason: format!("{to}: asked for no call yet"), after: Some(left) });
        }
        let answer = ask(&self.dialer, "POST", &to, self.options.connect_within).inspect_err(|error| {
            if let DialError::Passing { after: Some(after), .. } = error {
                self.books.banned(*after);
            }
        })?;
        let told = venue.token_url(&answer).map_err(|error| DialError::passing(&to, &error))?;
        let url = match (given, told.split_once('?')) {
            (Some(given), Some((_, query))) => format!("{given}?{query}"),
            _ => told,
        };
        Ok(Endpoint::websocket("url", &url)?)
    }

    fn serve(&mut self, mut socket: Socket) -> End {
        let mut beat = self.books.feed().heartbeat().map(|heartbeat| {
            let every = self.options.beat_every.unwrap_or(heartbeat.every);
            Beat { next: Instant::now() + every, heartbeat: Heartbeat { every, ..heartbeat } }
        });
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
                && let Err(end) = self.books.message(message, read_at)
            {
                return end;
            }
            // On a busy socket time is told by what is read.
            let now = if received.is_nothing() { velox_clock::now() } else { read_at };
            if received.is_nothing() || now.saturating_sub(ticked) >= SLICE.as_nanos() as u64 {
                ticked = now;
                let turn = self.books.tick(&mut socket, &mut self.rest, now);
                let kept =
                    turn.and_then(|()| Self::keep_alive(&mut socket, &mut beat, &mut silence, now, &self.options));
                if let Err(end) = kept {
                    return end;
                }
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
        socket.flush()?;
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
