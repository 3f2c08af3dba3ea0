//! Servers that asked to be left alone. A server counts the calls of an address, and bans who goes on: what it asks of one
//! live market, all live markets of the process keep.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// By host and port. An entry stays: the next live market must find a ban of the one before.
static SERVERS: Mutex<BTreeMap<String, Arc<Quiet>>> = Mutex::new(BTreeMap::new());

/// How long one server is to be left alone. Times are given, never taken.
#[derive(Debug, Default)]
pub(crate) struct Quiet(Mutex<Option<Instant>>);

impl Quiet {
    /// That of the server behind a `Host` header, for all who ask.
    pub(crate) fn of(authority: &str) -> Arc<Self> {
        let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(servers.entry(authority.to_ascii_lowercase()).or_default())
    }

    /// It asks for no call before this; the longest such time holds.
    pub(crate) fn extend(&self, until: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = (*known).max(Some(until));
    }

    /// How long it is still to be left alone.
    pub(crate) fn left(&self, now: Instant) -> Option<Duration> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until?.checked_duration_since(now).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_the_same_server_keeps_its_quiet_and_others_do_not() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        Quiet::of("api.example:8080").extend(now + 2 * second);
        Quiet::of("API.example:8080").extend(now + second);
        assert_eq!(Quiet::of("api.example:8080").left(now), Some(2 * second));
        assert_eq!(Quiet::of("api.example:8080").left(now + 2 * second), None);
        assert_eq!(Quiet::of("api.example:8081").left(now), None);
    }
}
