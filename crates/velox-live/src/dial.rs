//! A connection to a server: resolved, connected and secured within a time, or until the order to stop.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use crate::endpoint::Endpoint;
use crate::stop::{SLICE, Stop};
use crate::{LiveError, tls};

/// Why there is no connection.
#[derive(Debug, Error)]
pub(crate) enum DialError {
    /// It may go another time.
    #[error("{reason}")]
    Passing {
        reason: String,
        /// How long the server asks to wait.
        after: Option<Duration>,
    },
    /// It never will.
    #[error(transparent)]
    Final(#[from] LiveError),
    #[error("stopped")]
    Stopped,
}

impl DialError {
    pub(crate) fn passing(at: &Endpoint, reason: &impl ToString) -> Self {
        Self::Passing { reason: format!("{at}: {}", reason.to_string()), after: None }
    }
}

/// A TCP connection that knows when it was read last. No read or write blocks for longer than [`SLICE`], and reads that
/// all give something are broken off as often: who reads for a whole message comes to look at other things all the same.
#[derive(Debug)]
pub(crate) struct Wire {
    tcp: TcpStream,
    stop: Arc<Stop>,
    /// When reads began to give something, on the clock; 0 where the last one gave nothing.
    since: u64,
    /// On the clock of `velox_clock::now`, right after the last read that gave anything; 0 before.
    read_at: u64,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let slice = SLICE.as_nanos() as u64;
        let since = std::mem::take(&mut self.since);
        if self.stop.asked() || since > 0 && self.read_at.saturating_sub(since) >= slice {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = self.tcp.read(buffer)?;
        self.read_at = velox_clock::now();
        self.since = if since > 0 { since } else { self.read_at };
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// A connection, secured or not.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(Wire),
    Secure(Box<StreamOwned<ClientConnection, Wire>>),
}

impl Transport {
    /// When bytes were read last, on the clock.
    pub(crate) fn read_at(&self) -> u64 {
        match self {
            Self::Plain(wire) => wire.read_at,
            Self::Secure(stream) => stream.sock.read_at,
        }
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(wire) => wire.read(buffer),
            Self::Secure(stream) => stream.read(buffer),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(wire) => wire.write(bytes),
            Self::Secure(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(wire) => wire.flush(),
            Self::Secure(stream) => stream.flush(),
        }
    }
}

/// Whether a read or write only had nothing to do within its [`SLICE`].
pub(crate) fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Whether a connect that was only begun has failed already.
fn at_once(error: &io::Error) -> bool {
    use ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, PermissionDenied};
    matches!(
        error.kind(),
        AddrNotAvailable | ConnectionRefused | HostUnreachable | NetworkUnreachable | PermissionDenied
    )
}

/// Makes connections. The system's trusted certificates are read when the first secured one is made.
#[derive(Debug)]
pub(crate) struct Dialer {
    stop: Arc<Stop>,
    /// How long resolving, connecting and securing may take together.
    within: Duration,
    trust: Arc<OnceLock<Arc<ClientConfig>>>,
    /// The WebSocket connection that it dials for, and the one that there is: once they differ, nobody wants the answer.
    for_connection: Option<(u64, Arc<AtomicU64>)>,
}

impl Dialer {
    pub(crate) fn new(stop: Arc<Stop>, within: Duration) -> Self {
        Self { stop, within, trust: Arc::default(), for_connection: None }
    }

    /// One that gives up once `current` is no longer `connection`.
    pub(crate) fn for_connection(&self, connection: u64, current: &Arc<AtomicU64>) -> Self {
        Self {
            stop: Arc::clone(&self.stop),
            within: self.within,
            trust: Arc::clone(&self.trust),
            for_connection: Some((connection, Arc::clone(current))),
        }
    }

    /// A connection to this server.
    pub(crate) fn dial(&self, to: &Endpoint) -> Result<Transport, DialError> {
        let until = Instant::now() + self.within;
        self.check(to, until, "a connection")?;
        let wire = Wire { tcp: self.connect(to, until)?, stop: Arc::clone(&self.stop), since: 0, read_at: 0 };
        if !to.tls {
            return Ok(Transport::Plain(wire));
        }
        let mut stream = StreamOwned::new(tls::session(&self.trust()?, &to.host)?, wire);
        while stream.conn.is_handshaking() {
            self.check(to, until, "a TLS handshake")?;
            match stream.conn.complete_io(&mut stream.sock) {
                Ok(_) => {}
                Err(error) if would_block(&error) => {}
                Err(error) => {
                    return Err(tls::untrusted(&to.host, &error)
                        .map_or_else(|| DialError::passing(to, &error), DialError::Final));
                }
            }
        }
        Ok(Transport::Secure(Box::new(stream)))
    }

    fn trust(&self) -> Result<Arc<ClientConfig>, LiveError> {
        if let Some(config) = self.trust.get() {
            return Ok(Arc::clone(config));
        }
        // Two threads may both read the certificates; they find the same.
        let config = tls::platform()?;
        Ok(Arc::clone(self.trust.get_or_init(|| config)))
    }

    /// Whether it may go on waiting for this.
    pub(crate) fn check(&self, at: &Endpoint, until: Instant, awaited: &str) -> Result<(), DialError> {
        if self.stop.asked() {
            return Err(DialError::Stopped);
        }
        // Relaxed: the number orders nothing.
        if self.for_connection.as_ref().is_some_and(|(mine, current)| current.load(Ordering::Relaxed) != *mine) {
            return Err(DialError::passing(at, &"the connection that it was asked for has gone"));
        }
        if Instant::now() >= until {
            return Err(DialError::passing(at, &format!("expected {awaited} in time, got nothing")));
        }
        Ok(())
    }

    fn connect(&self, to: &Endpoint, until: Instant) -> Result<TcpStream, DialError> {
        let addresses = self.resolve(to, until)?;
        let mut failed = DialError::passing(to, &"expected an address, got none");
        for (index, address) in addresses.iter().enumerate() {
            let left = until.saturating_duration_since(Instant::now());
            // The last address has all the time that is left.
            let share = left / (addresses.len() - index) as u32;
            match self.connect_to(to, *address, Instant::now() + share) {
                Ok(tcp) => return Ok(tcp),
                Err(DialError::Stopped) => return Err(DialError::Stopped),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn connect_to(&self, to: &Endpoint, address: SocketAddr, until: Instant) -> Result<TcpStream, DialError> {
        let fail = |error: io::Error| DialError::passing(to, &error);
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).map_err(fail)?;
        socket.set_nonblocking(true).map_err(fail)?;
        // A connect that is under way says so in different words on each system; the loop below sees what came of it.
        let begun = socket.connect(&address.into());
        let mut pause = Duration::from_micros(100);
        while begun.is_err() && socket.peer_addr().is_err() {
            if let Some(error) = socket.take_error().map_err(fail)? {
                return Err(fail(error));
            }
            if let Some(error) = begun.as_ref().err().filter(|error| at_once(error)) {
                return Err(DialError::passing(to, &error));
            }
            self.check(to, until, "a connection")?;
            self.stop.sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        socket.set_nonblocking(false).map_err(fail)?;
        socket.set_tcp_nodelay(true).map_err(fail)?;
        socket.set_read_timeout(Some(SLICE)).map_err(fail)?;
        socket.set_write_timeout(Some(SLICE)).map_err(fail)?;
        Ok(socket.into())
    }

    /// The system's resolver can't be interrupted: it has a thread of its own, which ends by itself.
    fn resolve(&self, to: &Endpoint, until: Instant) -> Result<Vec<SocketAddr>, DialError> {
        if let Ok(address) = to.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, to.port)]);
        }
        let (tell, told) = sync_channel(1);
        let (host, port) = (to.host.clone(), to.port);
        let resolver = move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
            let _ = tell.send(found);
        };
        let thread = std::thread::Builder::new().name("velox-resolve".into());
        thread.spawn(resolver).map_err(|error| DialError::passing(to, &error))?;
        loop {
            match told.recv_timeout(SLICE) {
                Ok(found) => return found.map_err(|error| DialError::passing(to, &error)),
                Err(RecvTimeoutError::Timeout) => self.check(to, until, "an address")?,
                Err(RecvTimeoutError::Disconnected) => return Err(DialError::passing(to, &"the resolver panicked")),
            }
        }
    }
}
