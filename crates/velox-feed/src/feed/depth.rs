//! The levels of one book as the venue writes them, for the venues that say a checksum of the best ones.

use std::collections::VecDeque;

use velox_record::{ASK, BID};

use crate::error::Fault;
use crate::json::Written;

/// The longest decimal that is kept, in bytes: 2^63 - 1 steps with a point and three zeros more than needed.
const LONGEST: usize = 23;

/// Room for two of them and a colon.
const TEXT: usize = 2 * LONGEST + 1;

/// The most bytes that a checksum is of, and a colon behind the last: 25 levels of two sides.
const LINE: usize = 25 * 2 * (TEXT + 1);

/// How the price and the quantity of a level are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Not at all.
    Nothing,
    /// As they were written, with a colon between.
    Written,
    /// Without their points and the zeros in front of each.
    Digits,
}

/// Price and quantity of a level, as a checksum wants them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    bytes: [u8; TEXT],
    /// Range: 0 ..= 47.
    length: u8,
}

impl Text {
    /// Of a level that is removed.
    pub(super) const NONE: Self = Self { bytes: [0; TEXT], length: 0 };

    #[inline]
    pub(super) fn of([price, qty]: [Written<'_>; 2], keep: Keep, field: &str) -> Result<Self, Fault> {
        if price.text.len() > LONGEST || qty.text.len() > LONGEST {
            let long = if price.text.len() > LONGEST { price } else { qty };
            return Err(Fault::new(format!("field `{field}`: at most {LONGEST} characters"), long.text));
        }
        let mut kept = Self::NONE;
        match keep {
            Keep::Nothing => {}
            Keep::Written => [price.text, b":", qty.text].into_iter().for_each(|text| kept.push(text)),
            Keep::Digits => [price, qty].into_iter().for_each(|decimal| kept.push_digits(decimal)),
        }
        Ok(kept)
    }

    #[inline]
    fn push(&mut self, text: &[u8]) {
        copy(&mut self.bytes[usize::from(self.length)..], text);
        self.length += text.len() as u8;
    }

    #[inline]
    fn push_digits(&mut self, decimal: Written<'_>) {
        let (whole, fraction) = decimal.parts();
        let whole = &whole[leading_zeros(whole)..];
        self.push(whole);
        self.push(if whole.is_empty() { &fraction[leading_zeros(fraction)..] } else { fraction });
    }
}

/// Copies so few bytes that a call would cost more: as two pieces of one length, which may share some of them.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    fn two<const N: usize>(to: &mut [u8], from: &[u8]) -> Option<()> {
        *to.first_chunk_mut::<N>()? = *from.first_chunk()?;
        *to[..from.len()].last_chunk_mut::<N>()? = *from.last_chunk()?;
        Some(())
    }
    let done = match from.len() {
        0 => Some(()),
        1 => two::<1>(to, from),
        2..4 => two::<2>(to, from),
        4..8 => two::<4>(to, from),
        8..16 => two::<8>(to, from),
        _ => two::<16>(to, from),
    };
    debug_assert!(done.is_some() && from.len() <= LONGEST, "room for a decimal");
}

fn leading_zeros(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| byte == b'0').count()
}

/// The bytes of a checksum, one level behind the other.
#[derive(Debug)]
pub(super) struct Line {
    bytes: Box<[u8; LINE]>,
    length: usize,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { bytes: Box::new([0; LINE]), length: 0 }
    }

    /// A copy of a length that is known costs less than one of the right length.
    fn push(&mut self, text: &Text) {
        self.bytes[self.length..self.length + TEXT].copy_from_slice(&text.bytes);
        self.length += usize::from(text.length);
    }

    fn push_with_colon(&mut self, text: &Text) {
        self.push(text);
        self.bytes[self.length] = b':';
        self.length += 1;
    }

    fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// A level: its price, and where its text is. Small, as levels move when one comes or goes before them.
#[derive(Debug, Clone, Copy)]
struct Kept {
    ticks: i64,
    text: u32,
}

/// Sorted, the best first.
#[derive(Debug, Default)]
struct Side {
    levels: VecDeque<Kept>,
    /// Where the last change was: the next one is mostly near it, as levels of a message are in order, and markets move at their
    /// best prices.
    last: usize,
}

impl Side {
    /// How many levels are better than a price, by what that says of one: looked for in steps of 1, 2, 4 .. from the last place.
    #[inline]
    fn place(&self, is_better: impl Fn(&Kept) -> bool) -> usize {
        let is_better = |at: usize| self.levels.get(at).is_some_and(&is_better);
        let (mut low, mut high, mut step) = (0, self.levels.len(), 1);
        if is_better(self.last) {
            low = self.last + 1;
            while is_better(low + step - 1) {
                (low, step) = (low + step, 2 * step);
            }
            high = high.min(low + step - 1);
        } else {
            high = high.min(self.last);
            while high > 0 {
                let at = high.saturating_sub(step);
                if is_better(at) {
                    low = at + 1;
                    break;
                }
                (high, step) = (at, 2 * step);
            }
        }
        while low < high {
            let middle = low.midpoint(high);
            if is_better(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Both sides.
#[derive(Debug, Default)]
pub(super) struct Depth {
    sides: [Side; 2],
    /// In no order.
    texts: Vec<Text>,
    /// Places in `texts` that no level has.
    free: Vec<u32>,
    /// As many of the best levels of both sides are what they were at the last checksum.
    unchanged: usize,
    /// The last checksum; of no meaning while nothing is unchanged.
    checksum: u32,
}

impl Depth {
    pub(super) fn clear(&mut self) {
        for side in &mut self.sides {
            side.levels.clear();
            side.last = 0;
        }
        self.texts.clear();
        self.free.clear();
        self.unchanged = 0;
    }

    /// Sets a level to its price and quantity; removes it where there are none.
    pub(super) fn set(&mut self, side: u8, ticks: i64, text: Option<&Text>) {
        let (is_bid, side) = (side == BID, &mut self.sides[usize::from(side)]);
        let at = side.place(|kept| if is_bid { kept.ticks > ticks } else { kept.ticks < ticks });
        side.last = at;
        let levels = &mut side.levels;
        let found = levels.get(at).filter(|kept| kept.ticks == ticks).map(|kept| kept.text);
        match (found, text) {
            (Some(place), Some(text)) => self.texts[place as usize] = *text,
            (Some(place), None) => {
                levels.remove(at);
                self.free.push(place);
            }
            (None, Some(text)) => {
                let place = self.free.pop().unwrap_or(self.texts.len() as u32);
                match self.texts.get_mut(place as usize) {
                    Some(free) => *free = *text,
                    None => self.texts.push(*text),
                }
                levels.insert(at, Kept { ticks, text: place });
            }
            (None, None) => return,
        }
        self.unchanged = self.unchanged.min(at);
    }

    /// Takes away the worst level of a side that has more than `most`; its price.
    pub(super) fn pop_worst(&mut self, side: u8, most: usize) -> Option<i64> {
        let levels = &mut self.sides[usize::from(side)].levels;
        let worst = if levels.len() > most { levels.pop_back() } else { None }?;
        self.free.push(worst.text);
        self.unchanged = self.unchanged.min(levels.len());
        Some(worst.ticks)
    }

    /// Best first.
    fn best(&self, side: u8) -> impl Iterator<Item = &Text> {
        self.sides[usize::from(side)].levels.iter().map(|kept| &self.texts[kept.text as usize])
    }

    /// The checksum of the `most` best levels of each side, which `fill` writes one behind the other.
    fn checksum(&mut self, most: usize, line: &mut Line, fill: impl FnOnce(&Self, &mut Line)) -> u32 {
        if self.unchanged < most {
            line.length = 0;
            fill(self, line);
            self.checksum = crc32fast::hash(line.text());
            self.unchanged = most;
        }
        self.checksum
    }

    /// Kraken's: the ten best asks, then bids, each price and quantity [without its point and the zeros in
    /// front](Keep::Digits).
    ///
    /// Source: <https://docs.kraken.com/api/docs/guides/spot-ws-book-v1>.
    pub(super) fn digits_checksum(&mut self, line: &mut Line) -> u32 {
        self.checksum(10, line, |depth, line| {
            for side in [ASK, BID] {
                depth.best(side).take(10).for_each(|text| line.push(text));
            }
        })
    }

    /// OKX's and Bitget's: `price:quantity` of the 25 best bids and asks in turn, [as they were written](Keep::Written),
    /// with colons between.
    ///
    /// Source: <https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel>.
    pub(super) fn paired_checksum(&mut self, line: &mut Line) -> u32 {
        self.checksum(25, line, |depth, line| {
            let (mut bids, mut asks) = (depth.best(BID), depth.best(ASK));
            for _ in 0..25 {
                for text in [bids.next(), asks.next()].into_iter().flatten() {
                    line.push_with_colon(text);
                }
            }
            line.length = line.length.saturating_sub(1);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(price: &str, qty: &str) -> Text {
        Text::of([price, qty].map(|text| Written::of(text.as_bytes())), Keep::Written, "x").unwrap()
    }

    fn depth(levels: &[(u8, i64, &str, &str)]) -> Depth {
        let mut depth = Depth::default();
        for &(side, ticks, price, qty) in levels {
            depth.set(side, ticks, Some(&text(price, qty)));
        }
        depth
    }

    #[test]
    fn the_example_of_krakens_guide_has_its_checksum() {
        // 2026-11-25, the v1 guide's example book.
        let asks = [
            ("0.05005", "0.00000500"),
            ("0.05010", "0.00000500"),
            ("0.05015", "0.00000500"),
            ("0.05020", "0.00000500"),
            ("0.05025", "0.00000500"),
            ("0.05030", "0.00000500"),
            ("0.05035", "0.00000500"),
            ("0.05040", "0.00000500"),
            ("0.05045", "0.00000500"),
            ("0.05050", "0.00000500"),
        ];
        let bids = [
            ("0.05000", "0.00000500"),
            ("0.04995", "0.00000500"),
            ("0.04990", "0.00000500"),
            ("0.04980", "0.00000500"),
            ("0.04975", "0.00000500"),
            ("0.04970", "0.00000500"),
            ("0.04965", "0.00000500"),
            ("0.04960", "0.00000500"),
            ("0.04955", "0.00000500"),
            ("0.04950", "0.00000500"),
        ];
        let digits = |price: &str, qty: &str| {
            Text::of([price, qty].map(|text| Written::of(text.as_bytes())), Keep::Digits, "x").unwrap()
        };
        let ticks = |price: &str| price.replace('.', "").parse::<i64>().unwrap();
        let mut depth = Depth::default();
        for (side, levels) in [(ASK, asks), (BID, bids)] {
            for (price, qty) in levels {
                depth.set(side, ticks(price), Some(&digits(price, qty)));
            }
        }
        assert_eq!(depth.digits_checksum(&mut Line::new()), 974_947_235);
    }

    #[test]
    fn the_example_of_okx_reads_as_its_documentation_says() {
        let mut line = Line::new();
        let mut book = depth(&[(BID, 33_661, "3366.1", "7"), (ASK, 33_668, "3366.8", "9"), (ASK, 33_680, "3368", "8")]);
        book.paired_checksum(&mut line);
        assert_eq!(String::from_utf8_lossy(line.text()), "3366.1:7:3366.8:9:3368:8");
        let mut book =
            depth(&[(BID, 33_661, "3366.1", "7"), (BID, 33_651, "3365.1", "6"), (ASK, 33_668, "3366.8", "9")]);
        book.paired_checksum(&mut line);
        assert_eq!(String::from_utf8_lossy(line.text()), "3366.1:7:3366.8:9:3365.1:6");
    }

    #[test]
    fn a_line_has_room_for_the_longest_decimals() {
        let longest = "9".repeat(LONGEST);
        let mut book = Depth::default();
        for at in 0..30 {
            book.set(BID, at, Some(&text(&longest, &longest)));
            book.set(ASK, 100 + at, Some(&text(&longest, &longest)));
        }
        let mut line = Line::new();
        book.paired_checksum(&mut line);
        assert_eq!(line.text().len(), 25 * 2 * 2 * (LONGEST + 1) - 1);
        let longer = format!("{longest}9");
        for texts in [[longer.as_bytes(), b"1"], [b"1", longer.as_bytes()]] {
            assert!(Text::of(texts.map(Written::of), Keep::Written, "x").is_err());
        }
    }

    #[test]
    fn a_level_is_found_wherever_it_is() {
        let mut book = Depth::default();
        for at in 0..100i64 {
            book.set(ASK, at * 37 % 101, Some(&text("1", "1")));
        }
        let ticks: Vec<i64> = book.sides[1].levels.iter().map(|kept| kept.ticks).collect();
        assert!(ticks.len() == 100 && ticks.is_sorted());
        for at in 0..100i64 {
            book.set(ASK, at * 37 % 101, None);
        }
        assert_eq!(book.best(ASK).count(), 0);
    }

    #[test]
    fn levels_are_set_removed_and_dropped_from_the_far_end() {
        let mut book = depth(&[(BID, 3, "3", "1"), (BID, 1, "1", "1"), (BID, 2, "2", "1"), (ASK, 4, "4", "1")]);
        assert_eq!(book.pop_worst(BID, 2), Some(1));
        assert_eq!((book.pop_worst(BID, 2), book.pop_worst(ASK, 1)), (None, None));
        book.set(BID, 3, None);
        book.set(BID, 9, None);
        book.set(BID, 2, Some(&text("2", "7")));
        assert_eq!(book.best(BID).map(|text| &text.bytes[..3]).collect::<Vec<_>>(), [b"2:7"]);
        book.clear();
        assert_eq!(book.best(ASK).count(), 0);
    }
}
