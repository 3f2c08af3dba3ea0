//! One WebSocket connection, read in slices of time.

use std::time::{Duration, Instant};

use tungstenite::handshake::client::{ClientHandshake, Request};
use tungstenite::handshake::{HandshakeError, HandshakeRole, MidHandshake};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Bytes, Error, Message, Utf8Bytes, WebSocket};

use crate::dial::{DialError, Dialer, Transport, would_block};
use crate::endpoint::Endpoint;
use crate::http;

/// The longest message that is taken: a snapshot of everything that a venue has is far below.
const MOST: usize = 16 << 20;
/// So many bytes may wait for a server that takes none: far more than all that a client has to say.
const MOST_UNSENT: usize = 1 << 20;

/// An open WebSocket.
#[derive(Debug)]
pub(crate) struct Socket {
    inner: WebSocket<Transport>,
    /// Whether the network did not take all that was sent.
    unsent: bool,
}

/// What one look at the socket gave.
#[derive(Debug)]
pub(crate) enum Received {
    /// A message.
    Text(Utf8Bytes),
    /// A message too.
    Binary(Bytes),
    /// A sign of life.
    Control,
    /// Nothing within the slice.
    Nothing,
}

impl Received {
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// The bytes of a message.
    pub(crate) fn message(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Binary(bytes) => Some(bytes),
            Self::Control | Self::Nothing => None,
        }
    }
}

/// Why a connection is over.
pub(crate) type Broken = String;

impl Socket {
    /// Connects and shakes hands.
    pub(crate) fn open(dialer: &Dialer, to: &Endpoint, within: Duration) -> Result<Self, DialError> {
        let until = Instant::now() + within;
        let transport = dialer.dial(to)?;
        let config = WebSocketConfig::default().max_message_size(Some(MOST)).max_frame_size(Some(MOST));
        let config = config.max_write_buffer_size(MOST_UNSENT);
        let mut shaken =
            ClientHandshake::start(transport, request(to)?, Some(config)).and_then(|begun| progress(begun.handshake()));
        loop {
            match shaken.map_err(|error| refused(to, error))? {
                Progress::Done(inner) => return Ok(Self { inner, unsent: false }),
                Progress::More(more) => {
                    dialer.check(to, until, "a WebSocket handshake")?;
                    shaken = progress(more.handshake());
                }
            }
        }
    }

    /// Waits for the next message, a slice of time at most.
    pub(crate) fn read(&mut self) -> Result<Received, Broken> {
        match self.inner.read() {
            Ok(Message::Text(text)) => Ok(Received::Text(text)),
            Ok(Message::Binary(bytes)) => Ok(Received::Binary(bytes)),
            Ok(Message::Close(frame)) => {
                Err(frame
                    .map_or_else(|| "closed by the server".into(), |frame| format!("closed by the server: {frame}")))
            }
            Ok(_) => Ok(Received::Control),
            Err(Error::Io(error)) if would_block(&error) => Ok(Received::Nothing),
            Err(error) => Err(error.to_string()),
        }
    }

    /// When bytes were read last, on the clock of `velox_clock::now`.
    pub(crate) fn read_at(&self) -> u64 {
        self.inner.get_ref().read_at()
    }

    /// Sends a text message; what the network doesn't take at once goes with [`Self::flush`].
    pub(crate) fn send(&mut self, text: &str) -> Result<(), Broken> {
        let sent = self.inner.send(Message::text(text));
        self.sent(sent)
    }

    /// Asks the server for a sign of life.
    pub(crate) fn ping(&mut self) -> Result<(), Broken> {
        let sent = self.inner.send(Message::Ping(Bytes::new()));
        self.sent(sent)
    }

    /// Sends what is still unsent.
    pub(crate) fn flush(&mut self) -> Result<(), Broken> {
        let sent = if self.unsent { self.inner.flush() } else { Ok(()) };
        self.sent(sent)
    }

    /// Says good-bye, without waiting for an answer.
    pub(crate) fn close(mut self) {
        // The connection goes in any case.
        let _ = self.inner.close(None).and_then(|()| self.inner.flush());
    }

    fn sent(&mut self, result: Result<(), Error>) -> Result<(), Broken> {
        self.unsent = matches!(&result, Err(Error::Io(error)) if would_block(error));
        if self.unsent { Ok(()) } else { result.map_err(|error| error.to_string()) }
    }
}

enum Progress {
    Done(WebSocket<Transport>),
    More(MidHandshake<ClientHandshake<Transport>>),
}

type Shaken =
    Result<<ClientHandshake<Transport> as HandshakeRole>::FinalResult, HandshakeError<ClientHandshake<Transport>>>;

fn progress(shaken: Shaken) -> Result<Progress, Error> {
    match shaken {
        Ok((socket, _)) => Ok(Progress::Done(socket)),
        Err(HandshakeError::Interrupted(more)) => Ok(Progress::More(more)),
        Err(HandshakeError::Failure(error)) => Err(error),
    }
}

fn request(to: &Endpoint) -> Result<Request, DialError> {
    let request = Request::builder()
        .uri(&to.url)
        .header("Host", to.authority())
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", tungstenite::handshake::client::generate_key())
        .header("User-Agent", "velox-engine");
    request.body(()).map_err(|error| DialError::passing(to, &error))
}

fn refused(to: &Endpoint, error: Error) -> DialError {
    let Error::Http(response) = error else { return DialError::passing(to, &error) };
    let after = response.headers().get("retry-after").and_then(|value| http::retry_after(value.to_str().ok()?));
    let body = response.body().as_deref().unwrap_or_default();
    http::unwanted(to, response.status().as_u16(), after, body)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;

    use super::*;
    use crate::stop::Stop;

    #[test]
    fn nothing_is_dialled_once_the_order_to_stop_came() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let to = Endpoint::websocket("url", &format!("ws://{}/", listener.local_addr().unwrap())).unwrap();
        let stop = Arc::new(Stop::default());
        stop.ask();
        let dialled = Dialer::new(stop, Duration::from_secs(5)).dial(&to);
        assert!(matches!(dialled, Err(DialError::Stopped)) && listener.accept().is_err());
    }

    #[test]
    fn what_a_server_does_not_take_is_bounded() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = Endpoint::websocket("url", &format!("ws://{}/", listener.local_addr().unwrap())).unwrap();
        let server = std::thread::spawn(move || tungstenite::accept(listener.accept().unwrap().0).unwrap());
        let within = Duration::from_secs(5);
        let mut socket = Socket::open(&Dialer::new(Arc::new(Stop::default()), within), &to, within).unwrap();
        // It shakes hands, and reads nothing from then on.
        let _server = server.join().unwrap();
        let text = "x".repeat(64 << 10);
        let mut unsent = 0;
        let error = loop {
            if let Err(error) = socket.send(&text) {
                break error;
            }
            unsent += if socket.unsent { text.len() } else { 0 };
            assert!(unsent <= 2 * MOST_UNSENT);
        };
        assert!(error.contains("buffer") && unsent >= MOST_UNSENT / 2, "{error}, {unsent}");
    }
}
