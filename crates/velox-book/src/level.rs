use velox_record::BID;

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

/// Levels of a side, best first, in groups of `2^shift` ticks; a shift of 63 or more makes two groups, below 0 and above.
/// A group shows the price that is the worst of it, the lowest for bids and the highest multiple for asks, so that it
/// promises nothing that isn't there; its quantity is the sum, at most `i64::MAX`.
pub(crate) fn grouped(levels: impl Iterator<Item = Level>, side: u8, shift: u32) -> impl Iterator<Item = Level> {
    let low_bits = 1i64.checked_shl(shift).map_or(i64::MAX, |group| group.wrapping_sub(1));
    let group = move |price: i64| match price.checked_add(low_bits) {
        _ if side == BID => price & !low_bits,
        Some(above) => above & !low_bits,
        None => i64::MAX,
    };
    let mut levels = levels.peekable();
    std::iter::from_fn(move || {
        let first = levels.next()?;
        let price = group(first.price);
        let mut qty = first.qty;
        while let Some(level) = levels.next_if(|level| group(level.price) == price) {
            qty = qty.saturating_add(level.qty);
        }
        Some(Level { price, qty })
    })
}
