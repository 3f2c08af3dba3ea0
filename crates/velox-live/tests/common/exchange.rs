//! A small exchange on loopback that speaks Binance spot's protocol, and misbehaves on request.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tungstenite::{Message, WebSocket};

use super::market::Market;

/// What goes wrong once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends in the middle of a message.
    Cut,
    /// A message comes a byte at a time, and never to its end.
    Trickle,
    /// Nothing comes any more, not even an answer to a ping; the connection stays open.
    Stall,
    /// A message that is none.
    Garbage(Vec<u8>),
    /// A message is not sent.
    Drop,
    /// A message is sent twice.
    Repeat,
    /// Two messages change places.
    Swap,
}

/// How a REST call is answered, where not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestFault {
    Status(u16, &'static str),
    Old,
    Garbage,
    /// No answer before this.
    Slow(Duration),
}

#[derive(Default)]
pub struct Shared {
    market: Mutex<Market>,
    pub faults: Mutex<VecDeque<Fault>>,
    pub rest_faults: Mutex<VecDeque<RestFault>>,
    pub connections: AtomicUsize,
    pub rest_calls: AtomicUsize,
    pub paused: AtomicBool,
    stop: AtomicBool,
}

impl Shared {
    pub fn market(&self) -> MutexGuard<'_, Market> {
        self.market.lock().unwrap()
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

pub struct Exchange {
    pub shared: Arc<Shared>,
    pub url: String,
    pub rest_url: String,
    threads: Vec<JoinHandle<()>>,
}

trait Io: Read + Write + Send {}
impl<T: Read + Write + Send> Io for T {}

impl Exchange {
    pub fn start() -> Self {
        Self::serve(None, "127.0.0.1")
    }

    pub fn with_tls(config: ServerConfig) -> Self {
        Self::serve(Some(Arc::new(config)), "localhost")
    }

    fn serve(tls: Option<Arc<ServerConfig>>, host: &str) -> Self {
        let shared = Arc::new(Shared { market: Mutex::new(Market::new()), ..Shared::default() });
        let s = if tls.is_some() { "s" } else { "" };
        let (ws, rest) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let url = format!("ws{s}://{host}:{}/stream", ws.local_addr().unwrap().port());
        let rest_url = format!("http{s}://{host}:{}", rest.local_addr().unwrap().port());
        let (one, two, three) = (Arc::clone(&shared), Arc::clone(&shared), Arc::clone(&shared));
        let (ws_tls, rest_tls) = (tls.clone(), tls);
        let threads = vec![
            std::thread::spawn(move || {
                while !one.stopped() {
                    if !one.paused.load(Ordering::Relaxed) {
                        one.market().step();
                    }
                    std::thread::sleep(Duration::from_micros(500));
                }
            }),
            std::thread::spawn(move || accept(&ws, ws_tls.as_ref(), &two, talk)),
            std::thread::spawn(move || accept(&rest, rest_tls.as_ref(), &three, answer)),
        ];
        Self { shared, url, rest_url, threads }
    }

    pub fn fault(&self, fault: Fault) {
        self.shared.faults.lock().unwrap().push_back(fault);
    }

    pub fn rest_fault(&self, fault: RestFault) {
        self.shared.rest_faults.lock().unwrap().push_back(fault);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

fn accept(
    listener: &TcpListener,
    tls: Option<&Arc<ServerConfig>>,
    shared: &Arc<Shared>,
    serve: fn(Box<dyn Io>, &Shared),
) {
    listener.set_nonblocking(true).unwrap();
    std::thread::scope(|scope| {
        while !shared.stopped() {
            let Ok((stream, _)) = listener.accept() else {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            };
            stream.set_nonblocking(false).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let short = stream.try_clone().unwrap();
            scope.spawn(move || match tls {
                Some(config) => {
                    let mut session = ServerConnection::new(Arc::clone(config)).unwrap();
                    let mut stream = stream;
                    // A client that doesn't trust the certificate goes.
                    if session.complete_io(&mut stream).is_ok() {
                        run(Box::new(StreamOwned::new(session, stream)), &short, shared, serve);
                    }
                }
                None => run(Box::new(stream), &short, shared, serve),
            });
        }
    });
}

fn run(io: Box<dyn Io>, tcp: &TcpStream, shared: &Shared, serve: fn(Box<dyn Io>, &Shared)) {
    tcp.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    serve(io, shared);
    let _ = tcp.shutdown(std::net::Shutdown::Both);
}

fn talk(io: Box<dyn Io>, shared: &Shared) {
    let Ok(mut socket) = tungstenite::accept(io) else { return };
    // The first message subscribes.
    while let Err(error) = socket.read() {
        if shared.stopped()
            || !matches!(&error, tungstenite::Error::Io(io) if io.kind() == std::io::ErrorKind::WouldBlock)
        {
            return;
        }
    }
    shared.connections.fetch_add(1, Ordering::Relaxed);
    let mut sent = shared.market().log.len();
    let _ = socket.send(Message::text(r#"{"result":null,"id":1}"#));
    while !shared.stopped() {
        std::thread::sleep(Duration::from_micros(200));
        let mut news: Vec<String> = shared.market().log[sent..].to_vec();
        sent += news.len();
        let fault = if news.len() < 2 { None } else { shared.faults.lock().unwrap().pop_front() };
        if let Some(fault) = fault
            && !misbehave(fault, &mut socket, &mut news, shared)
        {
            return;
        }
        for message in news {
            if socket.send(Message::text(message)).is_err() {
                return;
            }
        }
        // Pings are answered when something is read; a look must not take long.
        if sent.is_multiple_of(64) {
            match socket.read() {
                Err(tungstenite::Error::Io(io)) if io.kind() == std::io::ErrorKind::WouldBlock => {}
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

/// Says whether the connection goes on.
fn misbehave(fault: Fault, socket: &mut WebSocket<Box<dyn Io>>, news: &mut Vec<String>, shared: &Shared) -> bool {
    match fault {
        Fault::Cut => {
            let half = &news[0].as_bytes()[..news[0].len() / 2];
            let mut frame = vec![0x81, 126, (news[0].len() >> 8) as u8, news[0].len() as u8];
            frame.extend_from_slice(half);
            let _ = socket.get_mut().write_all(&frame).and_then(|()| socket.get_mut().flush());
            return false;
        }
        Fault::Trickle => {
            let mut bytes = &[0x81, 126, 255, 255][..];
            while !shared.stopped() && socket.get_mut().write_all(bytes).and_then(|()| socket.get_mut().flush()).is_ok()
            {
                bytes = b" ";
                std::thread::sleep(Duration::from_millis(4));
            }
            return false;
        }
        Fault::Stall => {
            while !shared.stopped() {
                std::thread::sleep(Duration::from_millis(5));
            }
            return false;
        }
        Fault::Garbage(bytes) => {
            let text = String::from_utf8(bytes.clone());
            let _ = socket.send(text.map_or_else(|_| Message::binary(bytes), Message::text));
        }
        Fault::Drop => drop(news.remove(0)),
        Fault::Repeat => news.insert(0, news[0].clone()),
        Fault::Swap => news.swap(0, 1),
    }
    true
}

fn answer(mut io: Box<dyn Io>, shared: &Shared) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match io.read(&mut byte) {
            Ok(1) => request.push(byte[0]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && !shared.stopped() => {}
            _ => return,
        }
    }
    shared.rest_calls.fetch_add(1, Ordering::Relaxed);
    let fault = shared.rest_faults.lock().unwrap().pop_front();
    if let Some(RestFault::Slow(time)) = fault {
        let until = std::time::Instant::now() + time;
        while std::time::Instant::now() < until && !shared.stopped() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let (status, header, body) = match fault {
        Some(RestFault::Status(status, header)) => (status, header, "{}".to_owned()),
        Some(RestFault::Old) => (200, "", shared.market().old.clone().unwrap()),
        Some(RestFault::Garbage) => (200, "", "<html>".to_owned()),
        _ => (200, "", shared.market().snapshot()),
    };
    let head = format!("HTTP/1.1 {status} X\r\n{header}Content-Length: {}\r\n\r\n", body.len());
    let _ = io.write_all((head + &body).as_bytes()).and_then(|()| io.flush());
}
