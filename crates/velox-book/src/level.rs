/// A price and what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    /// Ticks.
    pub price: i64,
    /// Lots; above 0 in everything that a book shows.
    pub qty: i64,
}

/// The best levels of both sides, best first, of one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Depth {
    /// Highest first.
    pub bids: Vec<Level>,
    /// Lowest first.
    pub asks: Vec<Level>,
}

/// The best bid and ask of one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Top {
    /// Ticks.
    pub bid: i64,
    /// Lots.
    pub bid_qty: i64,
    /// Ticks.
    pub ask: i64,
    /// Lots.
    pub ask_qty: i64,
    /// The venue's number of the event that made it so; 0 where none said one.
    pub sequence: u64,
}
