//! How a live market and its symbols stand.

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LiveState {
    /// It was not started.
    #[default]
    Idle = 0,
    /// There is none; one is being made, or waited for.
    Connecting = 1,
    /// It stands.
    Connected = 2,
    /// It has ended for good.
    Ended = 3,
}

impl LiveState {
    pub(crate) const ALL: [Self; 4] = [Self::Idle, Self::Connecting, Self::Connected, Self::Ended];

    /// Of a word; one that there is not is an end.
    pub fn of(word: u64) -> Self {
        Self::ALL.into_iter().find(|state| *state as u64 == word).unwrap_or(Self::Ended)
    }

    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Ended => "ended",
        }
    }
}

/// Whether the book of a symbol can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SymbolState {
    /// It waits for its first snapshot.
    #[default]
    Syncing = 0,
    /// It says what the venue said last.
    Live = 1,
    /// Events are missing; waits for a snapshot.
    Stale = 2,
}

impl SymbolState {
    pub(crate) const ALL: [Self; 3] = [Self::Syncing, Self::Live, Self::Stale];

    /// Of a word; one that there is not is stale.
    pub fn of(word: u64) -> Self {
        Self::ALL.into_iter().find(|state| *state as u64 == word).unwrap_or(Self::Stale)
    }

    /// Its name in both languages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syncing => "syncing",
            Self::Live => "live",
            Self::Stale => "stale",
        }
    }
}
