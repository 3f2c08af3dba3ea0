use std::sync::Arc;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use velox_record::{ASK, BID, EventKind, Instrument, MarketEvent, flags};

use crate::{Arrivals, FeedError};

/// The price around which everything happens, in ticks: 100.0000.
const BASE: i64 = 1_000_000;
/// How far the middle walks to either side, in ticks, before it turns.
const WALK: i64 = 1_500;
/// Levels are set and changed at most this far from the middle, in ticks.
const DEPTH: i64 = 64;
/// The prices that a level may have are the `SPAN` ones from `FLOOR`.
const SPAN: usize = 4_096;
const FLOOR: i64 = BASE - SPAN as i64 / 2;

const _: () = assert!(WALK + DEPTH < SPAN as i64 / 2);

/// What to make up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoissonOptions {
    /// Arrivals a second, on average. Range: 0.001 ..= 1e9.
    pub per_second: f64,
    /// How many arrivals; `None` for no end.
    pub count: Option<u64>,
    /// The same seed makes the same events, on every platform.
    pub seed: u64,
}

/// A synthetic market: arrivals at random times, exponentially distributed gaps, each a change of one price level and a
/// trade at the best price.
///
/// The middle walks up and down over 1,500 ticks to each side of 100.0000, changing its direction at random and at the
/// ends. Levels are set within 64 ticks of it and stay behind as it moves on, so that the book is deep; what it meets
/// on the other side it removes. So the book never crosses, holds at most 3,128 levels, and over 30 % of its changes
/// are removals.
///
/// An arrival costs some 20 ns and allocates nothing. Times count from 0, in integer nanoseconds: the fraction is
/// carried from gap to gap, so that the rate doesn't drift.
///
/// ```
/// use velox_feed::{Arrivals, Poisson, PoissonOptions};
/// let mut market = Poisson::new(PoissonOptions { per_second: 100_000.0, count: Some(2), seed: 7 }).unwrap();
/// let mut events = Vec::new();
/// let first = market.next(&mut events).unwrap().unwrap();
/// assert!(market.next(&mut events).unwrap().unwrap() > first);
/// assert_eq!((events.len(), events[3].sequence), (4, 2));
/// assert_eq!(market.next(&mut events).unwrap(), None);
/// ```
///
/// Source of the generator: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (xoshiro256++).
pub struct Poisson {
    random: Xoshiro256PlusPlus,
    mean_gap_ns: f64,
    /// Schedule of the last arrival: whole nanoseconds, and what is left of one.
    now_ns: u64,
    rest_ns: f64,
    arrived: u64,
    count: u64,
    /// Bids stand at the middle and below, asks above it.
    middle: i64,
    rises: bool,
    sides: [Ladder; 2],
    instruments: [Arc<Instrument>; 1],
}

/// Which prices of one side hold a level.
struct Ladder([u64; SPAN / 64]);

impl Ladder {
    fn bit(price: i64) -> (usize, u64) {
        let place = (price - FLOOR) as usize;
        (place / 64, 1 << (place % 64))
    }

    fn holds(&self, price: i64) -> bool {
        let (word, bit) = Self::bit(price);
        self.0[word] & bit != 0
    }

    fn flip(&mut self, price: i64) {
        let (word, bit) = Self::bit(price);
        self.0[word] ^= bit;
    }

    /// The highest level at or below a price.
    fn below(&self, price: i64) -> Option<i64> {
        let (mut word, bit) = Self::bit(price);
        let mut bits = self.0[word] & (bit | (bit - 1));
        while bits == 0 {
            word = word.checked_sub(1)?;
            bits = self.0[word];
        }
        Some(FLOOR + (word * 64) as i64 + i64::from(bits.ilog2()))
    }

    /// The lowest level at or above a price.
    fn above(&self, price: i64) -> Option<i64> {
        let (mut word, bit) = Self::bit(price);
        let mut bits = self.0[word] & !(bit - 1);
        while bits == 0 {
            word += 1;
            bits = *self.0.get(word)?;
        }
        Some(FLOOR + (word * 64) as i64 + i64::from(bits.trailing_zeros()))
    }
}

/// The random bits of one arrival, taken from the low end.
struct Bits(u64);

impl Bits {
    fn take(&mut self, bits: u32) -> i64 {
        let value = self.0 & ((1 << bits) - 1);
        self.0 >>= bits;
        value as i64
    }
}

/// The natural logarithm of a number in (0, 1], within 2 units in the last place of 1.
///
/// Platforms' own logarithms differ in the last bit, and then so would the schedules: this is plain arithmetic, which
/// IEEE 754 fixes. `x = 2^e f` with `f` in [√½, √2), and `ln f = 2 artanh((f - 1) / (f + 1))` as a series.
fn ln(x: f64) -> f64 {
    const TERMS: [f64; 10] =
        [1.0 / 19.0, 1.0 / 17.0, 1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    // Halves the fraction above √2, without a branch that chance would decide.
    let above = i64::from(bits & MANTISSA > std::f64::consts::SQRT_2.to_bits() & MANTISSA);
    let exponent = (bits >> 52) as i64 - 1023 + above;
    let fraction = f64::from_bits(bits & MANTISSA | ((1023 - above) as u64) << 52);
    let s = (fraction - 1.0) / (fraction + 1.0);
    let square = s * s;
    let series = TERMS.iter().fold(0.0, |sum, term| sum * square + term);
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

impl Poisson {
    /// A market of its own: instrument `POISSON` of venue `poisson`, tick 0.0001, lot 1, with an empty book.
    ///
    /// # Errors
    /// [`FeedError::InvalidValue`]: a rate out of its range, or too many instruments in this process.
    pub fn new(options: PoissonOptions) -> Result<Self, FeedError> {
        let PoissonOptions { per_second, count, seed } = options;
        if !(1e-3..=1e9).contains(&per_second) {
            return Err(FeedError::InvalidValue {
                field: "perSecond",
                expected: "a number from 0.001 to 1e9".to_owned(),
                got: per_second.to_string(),
            });
        }
        let instrument = Instrument::new("POISSON", "poisson", "0.0001", "1").map_err(|error| {
            FeedError::InvalidValue { field: "instrument", expected: error.to_string(), got: "POISSON".to_owned() }
        })?;
        Ok(Self {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            mean_gap_ns: 1e9 / per_second,
            now_ns: 0,
            rest_ns: 0.0,
            arrived: 0,
            count: count.unwrap_or(u64::MAX),
            middle: BASE,
            rises: seed & 1 == 0,
            sides: [const { Ladder([0; SPAN / 64]) }; 2],
            instruments: [instrument],
        })
    }

    /// The schedule of the next arrival.
    fn advance(&mut self) -> u64 {
        // 53 bits above 0: a gap is 0 to 36.7 times the mean.
        let uniform = ((self.random.next_u64() >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64);
        let gap = self.rest_ns - ln(uniform) * self.mean_gap_ns;
        let whole = gap as u64;
        self.rest_ns = gap - whole as f64;
        self.now_ns = self.now_ns.saturating_add(whole);
        self.now_ns
    }

    /// Side, price and quantity of the level that changes.
    fn change(&mut self, bits: &mut Bits) -> (u8, i64, i64) {
        // The direction holds for 2,048 arrivals on average and every fourth moves one tick: with single independent
        // steps the middle would need minutes to get anywhere.
        let turns = bits.take(11) == 0;
        let moves = bits.take(2) == 0;
        let qty = 1 + bits.take(10);
        self.rises = match self.middle - BASE {
            WALK => false,
            low if low == -WALK => true,
            _ => self.rises ^ turns,
        };
        if moves {
            let (side, met) = if self.rises { (ASK, self.middle + 1) } else { (BID, self.middle) };
            self.middle += if self.rises { 1 } else { -1 };
            if self.sides[usize::from(side)].holds(met) {
                self.sides[usize::from(side)].flip(met);
                return (side, met, 0);
            }
        }
        let side = bits.take(1) as u8;
        // The smaller of two: the nearer to the middle, the livelier.
        let distance = bits.take(6).min(bits.take(6));
        let price = if side == BID { self.middle - distance } else { self.middle + 1 + distance };
        // A level that is there goes three times of four, so that about as many go as come.
        let goes = bits.take(2) != 0;
        let ladder = &mut self.sides[usize::from(side)];
        match (ladder.holds(price), goes) {
            (true, true) => {
                ladder.flip(price);
                (side, price, 0)
            }
            (true, false) => (side, price, qty),
            (false, _) => {
                ladder.flip(price);
                (side, price, qty)
            }
        }
    }

    /// The made-up market.
    pub fn instrument(&self) -> Arc<Instrument> {
        Arc::clone(&self.instruments[0])
    }

    /// What a taker of this side pays: the best price of the other one, or the middle where that is empty.
    fn taken(&self, aggressor: u8) -> i64 {
        if aggressor == BID {
            self.sides[usize::from(ASK)].above(self.middle + 1).unwrap_or(self.middle + 1)
        } else {
            self.sides[usize::from(BID)].below(self.middle).unwrap_or(self.middle)
        }
    }
}

impl Arrivals for Poisson {
    fn is_recorded(&self) -> bool {
        false
    }

    /// Never fails.
    fn next(&mut self, out: &mut Vec<MarketEvent>) -> Result<Option<u64>, FeedError> {
        if self.arrived == self.count {
            return Ok(None);
        }
        self.arrived += 1;
        let now = self.advance();
        let mut bits = Bits(self.random.next_u64());
        let (side, price, qty) = self.change(&mut bits);
        let level = MarketEvent {
            kind: EventKind::LEVEL,
            instrument: self.instruments[0].id(),
            side,
            flags: flags::LAST,
            price,
            qty,
            sequence: self.arrived,
            exchange_ts: now,
            receive_ts: now,
        };
        let side = bits.take(1) as u8;
        let (price, qty) = (self.taken(side), 1 + bits.take(7));
        out.extend([level, MarketEvent { kind: EventKind::TRADE, side, flags: 0, price, qty, ..level }]);
        Ok(Some(now))
    }

    /// A made-up market quotes nothing: 0.
    fn comparable(&self, _: u16) -> u64 {
        0
    }

    fn instruments(&self) -> &[Arc<Instrument>] {
        &self.instruments
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_logarithm_agrees_with_the_platforms() {
        assert!(ln(1.0).abs() < f64::EPSILON);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        for shift in (0..53).cycle().take(100_000) {
            let x = ((random.next_u64() >> 11 >> shift) + 1) as f64 / (1u64 << 53) as f64;
            let error = (ln(x) - x.ln()).abs();
            assert!(error <= 2.0 * f64::EPSILON * x.ln().abs().max(1.0), "ln {x}: off by {error:e}");
        }
    }

    proptest! {
        #[test]
        fn the_best_price_is_the_one_a_scan_finds(places in prop::collection::btree_set(0i64..SPAN as i64, 0..20), at in 0i64..SPAN as i64) {
            let mut ladder = Ladder([0; SPAN / 64]);
            for place in &places {
                ladder.flip(FLOOR + place);
            }
            let at = FLOOR + at;
            prop_assert_eq!(ladder.below(at), places.iter().map(|place| FLOOR + place).rfind(|&price| price <= at));
            prop_assert_eq!(ladder.above(at), places.iter().map(|place| FLOOR + place).find(|&price| price >= at));
        }
    }
}
