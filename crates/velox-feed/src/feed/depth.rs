//! The levels of one book as the venue writes them, for the venues that say a checksum of the best ones.

use velox_record::{ASK, BID};

use crate::error::Fault;

/// The longest decimal that is kept, in bytes: 2^63 - 1 steps with a point and three zeros more than needed.
const LONGEST: usize = 23;

/// A decimal as it was written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Text {
    bytes: [u8; LONGEST],
    /// Range: 0 ..= 23.
    length: u8,
}

impl Text {
    pub(super) fn of(text: &[u8], field: &str) -> Result<Self, Fault> {
        let mut bytes = [0; LONGEST];
        let kept = bytes.get_mut(..text.len());
        kept.ok_or_else(|| Fault::new(format!("field `{field}`: at most {LONGEST} characters"), text))?
            .copy_from_slice(text);
        Ok(Self { bytes, length: text.len() as u8 })
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    ticks: i64,
    price: Text,
    qty: Text,
}

/// Both sides, sorted, the best last: what changes most moves least.
#[derive(Debug, Default)]
pub(super) struct Depth {
    sides: [Vec<Kept>; 2],
}

impl Depth {
    pub(super) fn clear(&mut self) {
        self.sides.iter_mut().for_each(Vec::clear);
    }

    /// Sets a level; removes it where `qty` is none.
    pub(super) fn set(&mut self, side: u8, ticks: i64, price: Text, qty: Option<Text>) {
        let levels = &mut self.sides[usize::from(side)];
        let is_worse = |kept: &Kept| if side == BID { kept.ticks < ticks } else { kept.ticks > ticks };
        let at = levels.partition_point(is_worse);
        let found = levels.get(at).is_some_and(|kept| kept.ticks == ticks);
        match (found, qty) {
            (true, Some(qty)) => levels[at] = Kept { ticks, price, qty },
            (true, None) => drop(levels.remove(at)),
            (false, Some(qty)) => levels.insert(at, Kept { ticks, price, qty }),
            (false, None) => {}
        }
    }

    /// Takes away the worst level of a side that has more than `most`; its price.
    pub(super) fn pop_worst(&mut self, side: u8, most: usize) -> Option<i64> {
        let levels = &mut self.sides[usize::from(side)];
        (levels.len() > most).then(|| levels.remove(0).ticks)
    }

    /// Price and quantity, best first.
    fn best(&self, side: u8) -> impl Iterator<Item = [&[u8]; 2]> {
        self.sides[usize::from(side)].iter().rev().map(|kept| [kept.price.bytes(), kept.qty.bytes()])
    }

    /// Kraken's: the ten best asks, then bids, each price and quantity without its point and the zeros in front.
    ///
    /// Source: <https://docs.kraken.com/api/docs/guides/spot-ws-book-v1>.
    pub(super) fn digits_checksum(&self, buffer: &mut Vec<u8>) -> u32 {
        buffer.clear();
        for side in [ASK, BID] {
            for text in self.best(side).take(10).flatten() {
                let digits = text.iter().filter(|byte| **byte != b'.').skip_while(|byte| **byte == b'0');
                buffer.extend(digits);
            }
        }
        crc32fast::hash(buffer)
    }

    /// OKX's and Bitget's: `price:quantity` of the 25 best bids and asks in turn, as they were written, with colons between.
    ///
    /// Source: <https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel>.
    pub(super) fn paired_checksum(&self, buffer: &mut Vec<u8>) -> u32 {
        const LEVELS: usize = 25;
        buffer.clear();
        let (mut bids, mut asks) = (self.best(BID).take(LEVELS), self.best(ASK).take(LEVELS));
        loop {
            let turn = [bids.next(), asks.next()];
            for text in turn.into_iter().flatten().flatten() {
                if !buffer.is_empty() {
                    buffer.push(b':');
                }
                buffer.extend_from_slice(text);
            }
            if turn == [None, None] {
                return crc32fast::hash(buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::of(text.as_bytes(), "x").unwrap()
    }

    fn depth(levels: &[(u8, i64, &str, &str)]) -> Depth {
        let mut depth = Depth::default();
        for &(side, ticks, price, qty) in levels {
            depth.set(side, ticks, text(price), Some(text(qty)));
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
        let ticks = |price: &str| price.replace('.', "").parse::<i64>().unwrap();
        let mut depth = Depth::default();
        for (side, levels) in [(ASK, asks), (BID, bids)] {
            for (price, qty) in levels {
                depth.set(side, ticks(price), text(price), Some(text(qty)));
            }
        }
        assert_eq!(depth.digits_checksum(&mut Vec::new()), 974_947_235);
    }

    #[test]
    fn the_example_of_okx_reads_as_its_documentation_says() {
        let mut buffer = Vec::new();
        let book = depth(&[(BID, 33_661, "3366.1", "7"), (ASK, 33_668, "3366.8", "9"), (ASK, 33_680, "3368", "8")]);
        book.paired_checksum(&mut buffer);
        assert_eq!(String::from_utf8_lossy(&buffer), "3366.1:7:3366.8:9:3368:8");
        let book = depth(&[(BID, 33_661, "3366.1", "7"), (BID, 33_651, "3365.1", "6"), (ASK, 33_668, "3366.8", "9")]);
        book.paired_checksum(&mut buffer);
        assert_eq!(String::from_utf8_lossy(&buffer), "3366.1:7:3366.8:9:3365.1:6");
    }

    #[test]
    fn levels_are_set_removed_and_dropped_from_the_far_end() {
        let mut book = depth(&[(BID, 3, "3", "1"), (BID, 1, "1", "1"), (BID, 2, "2", "1"), (ASK, 4, "4", "1")]);
        assert_eq!(book.pop_worst(BID, 2), Some(1));
        assert_eq!((book.pop_worst(BID, 2), book.pop_worst(ASK, 1)), (None, None));
        book.set(BID, 3, text("3"), None);
        book.set(BID, 9, text("9"), None);
        book.set(BID, 2, text("2"), Some(text("7")));
        assert_eq!(book.best(BID).collect::<Vec<_>>(), [[&b"2"[..], b"7"]]);
        book.clear();
        assert_eq!(book.best(ASK).count(), 0);
    }
}
