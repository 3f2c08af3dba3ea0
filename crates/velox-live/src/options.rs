use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use velox_feed::Venue;
use velox_record::Instrument;

use crate::BackoffOptions;

/// Which market, and how patiently.
#[derive(Debug, Clone)]
pub struct LiveOptions {
    /// The venue.
    pub venue: Venue,
    /// What to subscribe to; events carry the ids.
    pub instruments: Vec<Arc<Instrument>>,
    /// Another WebSocket than the venue's own: `ws://` or `wss://`.
    pub url: Option<String>,
    /// Another base for REST calls than the venue's own: `http://` or `https://`.
    pub rest_url: Option<String>,
    /// Where what comes is appended, for a replay.
    pub record: Option<PathBuf>,
    /// How many events wait for a pipeline that is behind, before the connection is given up and its books go stale: a
    /// power of two. Default: 65,536 (4 MiB).
    pub capacity: usize,
    /// How long resolving, connecting, TLS and the WebSocket's handshake may take together, and a REST call as long
    /// again. Default: 5 s.
    pub connect_within: Duration,
    /// After so long without a byte the server is asked for a sign of life (a WebSocket ping). Default: 1.5 s.
    pub ping_after: Duration,
    /// After so long without a byte the connection is given up. Default: 4.5 s.
    pub silent_after: Duration,
    /// How often the venue's own heartbeat is sent, where it wants one. Default: as often as it asks for.
    pub beat_every: Option<Duration>,
    /// The waits before a new connection, and before another REST call.
    pub backoff: BackoffOptions,
    /// Decides the jitter of the waits. Default: differs from run to run.
    pub seed: u64,
}

impl LiveOptions {
    /// A market with the venue's own addresses and the defaults.
    pub fn new(venue: Venue, instruments: Vec<Arc<Instrument>>) -> Self {
        Self {
            venue,
            instruments,
            url: None,
            rest_url: None,
            record: None,
            capacity: 1 << 16,
            connect_within: Duration::from_secs(5),
            ping_after: Duration::from_millis(1_500),
            silent_after: Duration::from_millis(4_500),
            beat_every: None,
            backoff: BackoffOptions::default(),
            seed: velox_clock::rdtsc(),
        }
    }
}
