//! REST calls on a thread of their own, so that the socket is read meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::LiveError;
use crate::dial::{DialError, Dialer};
use crate::endpoint::Endpoint;
use crate::http::ask;

/// A snapshot to fetch.
#[derive(Debug)]
struct Call {
    market: usize,
    connection: u64,
    url: String,
}

/// What became of a call.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) market: usize,
    /// The number of the connection that it was asked for.
    pub(crate) connection: u64,
    /// The body.
    pub(crate) answer: Result<Vec<u8>, DialError>,
}

/// The thread that makes the calls, one after the other.
#[derive(Debug)]
pub(crate) struct Rest {
    calls: Option<Sender<Call>>,
    replies: Receiver<Reply>,
    thread: Option<JoinHandle<()>>,
    /// The number of the connection that answers are wanted for.
    current: Arc<AtomicU64>,
    /// Whether an answer is awaited: servers count calls, and ban who makes too many at once.
    busy: bool,
}

impl Rest {
    pub(crate) fn start(dialer: Arc<Dialer>, within: Duration) -> Result<Self, LiveError> {
        let (calls, called) = channel::<Call>();
        let (reply, replies) = channel();
        let current = Arc::new(AtomicU64::new(0));
        let wanted = Arc::clone(&current);
        let body = move || {
            for Call { market, connection, url } in called {
                let answer = Endpoint::http("restUrl", &url).map_err(DialError::Final);
                let answer = answer.and_then(|to| ask(&dialer.for_connection(connection, &wanted), "GET", &to, within));
                if reply.send(Reply { market, connection, answer }).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("velox-rest".into()).spawn(body);
        let thread = thread.map_err(|error| LiveError::Thread { reason: error.to_string() })?;
        Ok(Self { calls: Some(calls), replies, thread: Some(thread), current, busy: false })
    }

    /// There is this connection from here on; 0: none. What was asked for another is given up.
    pub(crate) fn serve(&self, connection: u64) {
        // Relaxed: the number orders nothing.
        self.current.store(connection, Ordering::Relaxed);
    }

    /// Whether an answer is awaited: until it came, another call would only wait for it.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Asks for a snapshot of a market, for this connection.
    pub(crate) fn call(&mut self, market: usize, connection: u64, url: String) {
        self.busy = true;
        if let Some(calls) = &self.calls {
            // It only fails where the thread panicked; its replies then never come, as if the server were silent.
            let _ = calls.send(Call { market, connection, url });
        }
    }

    pub(crate) fn reply(&mut self) -> Option<Reply> {
        let reply = self.replies.try_recv().ok();
        self.busy &= reply.is_none();
        reply
    }
}

impl Drop for Rest {
    /// Waits for the call under way, which ends by itself once the order to stop came.
    fn drop(&mut self) {
        self.calls = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
