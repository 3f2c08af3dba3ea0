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

/// The price that a group of `2^shift` ticks shows: the multiple at or below for a bid, at or above for an ask, so that it
/// promises nothing better than there is. From a shift of 63 on there are two groups, parted at 0.
pub(crate) fn group(side: u8, price: i64, shift: u32) -> i64 {
    let low_bits = 1i64.checked_shl(shift).map_or(i64::MAX, |group| group.wrapping_sub(1));
    match price.checked_add(low_bits) {
        _ if side == BID => price & !low_bits,
        Some(above) => above & !low_bits,
        None => i64::MAX,
    }
}

/// Adds the next level to the group at the end, or begins one; `false` once there are `most` and another one begins.
/// Quantities add up to `i64::MAX` at most.
pub(crate) fn gather(groups: &mut Vec<Level>, level: Level, most: usize) -> bool {
    let begun = groups.len();
    match groups.last_mut() {
        Some(last) if last.price == level.price => last.qty = last.qty.saturating_add(level.qty),
        _ if begun < most => groups.push(level),
        _ => return false,
    }
    true
}
