//! Lists of levels, read where they stand in a message: `[["61800.20","2.909"],..]`, and the objects of Bybit's former
//! messages. Most of a message is levels, and a parser that makes values of them costs several times as much as one walk
//! over their digits.
//!
//! Only the plain form is read, as venues send it: no white space, no escapes, no sign, at most 18 characters a decimal.
//! Whoever meets anything else gives up, and the parser judges the whole message.

use velox_record::{ASK, BID, Step};

/// The longest decimal that is read: so many digits fit 64 bits.
const LONGEST: usize = 18;

/// Powers of ten.
const POWERS: [u64; LONGEST + 1] = {
    let mut powers = [1; LONGEST + 1];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};

/// A decimal of a message.
#[derive(Debug, Clone, Copy, Default)]
struct Digits {
    /// Without its point.
    value: u64,
    /// Where it stands.
    start: u32,
    /// Range: 1 ..= 18; 0 for none.
    length: u8,
    /// Digits behind the point.
    decimals: u8,
}

/// A level as it stands in the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    price: Digits,
    /// None in a level of Bybit's `delete`.
    qty: Digits,
    /// The third of a list, where there is one.
    third: Digits,
    /// Of an object; `BID` in lists.
    side: u8,
}

/// A decimal as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'d> {
    pub(crate) text: &'d [u8],
    /// Its digits as a number, and how many are behind the point, where that is known already.
    digits: Option<(u64, u32)>,
}

impl<'d> Written<'d> {
    pub(crate) fn of(text: &'d [u8]) -> Self {
        Self { text, digits: None }
    }

    /// How many steps it is; `None` where that has to be looked at digit by digit.
    #[inline]
    pub(crate) fn scaled(self, step: Step) -> Option<i64> {
        self.digits.and_then(|(value, decimals)| step.scale(value, decimals))
    }
}

/// A level of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level<'d> {
    pub(crate) price: Written<'d>,
    pub(crate) qty: Written<'d>,
    pub(crate) third: Option<Written<'d>>,
}

/// A level of an object: a side, a price, and a quantity but where it is deleted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sided<'d> {
    pub(crate) side: u8,
    pub(crate) price: Written<'d>,
    pub(crate) qty: Option<Written<'d>>,
}

impl Digits {
    #[inline]
    fn written(self, message: &[u8]) -> Option<Written<'_>> {
        let start = self.start as usize;
        let text = message.get(start..start + usize::from(self.length)).filter(|text| !text.is_empty())?;
        Some(Written { text, digits: Some((self.value, u32::from(self.decimals))) })
    }
}

impl Row {
    #[inline]
    pub(super) fn level(self, message: &[u8]) -> Level<'_> {
        let nothing = Written::of(b"");
        Level {
            price: self.price.written(message).unwrap_or(nothing),
            qty: self.qty.written(message).unwrap_or(nothing),
            third: self.third.written(message),
        }
    }

    pub(super) fn sided(self, message: &[u8]) -> Sided<'_> {
        let Level { price, .. } = self.level(message);
        Sided { side: self.side, price, qty: self.qty.written(message) }
    }
}

/// How levels are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `["61800.20","2.909"]`; further texts may follow.
    Lists,
    /// `{"price":"1053.05","symbol":"BCHUSDT","id":"10530500","side":"Buy","size":2.63}`.
    Objects,
    /// The same without the size.
    Deleted,
}

impl Form {
    /// The form of the list at `at`, if the key before it is one of levels and its first byte fits.
    pub(super) fn of(message: &[u8], at: usize) -> Option<Self> {
        let (before, behind) = message.split_at_checked(at)?;
        let has_key = |keys: &[&str]| {
            let key = before.strip_suffix(b"\":");
            key.is_some_and(|key| keys.iter().any(|&known| key.ends_with(known.as_bytes())))
        };
        match behind {
            [b'[', b'[', ..] if has_key(&["\"b", "\"a", "\"bids", "\"asks", "\"bs", "\"as"]) => Some(Self::Lists),
            [b'[', b'{', ..] if has_key(&["\"update", "\"insert", "\"order_book"]) => Some(Self::Objects),
            [b'[', b'{', ..] if has_key(&["\"delete"]) => Some(Self::Deleted),
            _ => None,
        }
    }

    /// What takes the place of the list: no less deep, as many lists and objects, and `"0` behind the brackets as there
    /// is `"` and a digit or a letter in the list. So a list that stands within a text, which its first quote would end,
    /// makes no JSON of either.
    pub(super) fn placeholder(self) -> &'static [u8] {
        if self == Self::Lists { br#"[["0"]]"# } else { br#"[{"0":0}]"# }
    }

    /// Where the text of the placeholder is in it.
    pub(super) const TEXT: usize = 3;
}

/// Appends the levels of the list at `at` and gives the place behind it; `None` for whatever isn't plain.
pub(super) fn scan(message: &[u8], at: usize, form: Form, rows: &mut Vec<Row>) -> Option<usize> {
    let mut scanner = Scanner { message, at };
    loop {
        scanner.at += 1;
        rows.push(if form == Form::Lists { scanner.list()? } else { scanner.object(form == Form::Objects)? });
        match scanner.peek()? {
            b',' => {}
            b']' => return Some(scanner.at + 1),
            _ => return None,
        }
    }
}

struct Scanner<'m> {
    message: &'m [u8],
    at: usize,
}

impl Scanner<'_> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.message.get(self.at).copied()
    }

    #[inline]
    fn skip<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        let found = self.message.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        (found == literal).then_some(())
    }

    /// Digits, with a point at most, as [`Step::count`] takes them.
    #[inline]
    fn digits(&mut self) -> Option<Digits> {
        let start = self.at;
        let (whole, before) = self.row()?;
        let (mut value, mut behind, mut point) = (whole, 0, 0);
        if self.peek()? == b'.' {
            self.at += 1;
            point = 1;
            let fraction;
            (fraction, behind) = self.row()?;
            value = whole.wrapping_mul(*POWERS.get(behind)?).wrapping_add(fraction);
        }
        let length = before + point + behind;
        let fits = length <= LONGEST && length > point;
        fits.then_some(Digits { value, start: start as u32, length: length as u8, decimals: behind as u8 })
    }

    /// Digits without a point, none to 18 of them: the number, and how many they are.
    #[inline]
    fn row(&mut self) -> Option<(u64, usize)> {
        let (mut value, mut length) = (0u64, 0);
        while length <= LONGEST {
            let rest = self.message.get(self.at..)?;
            // The last bytes of a message are as good with zero bytes behind them, which are no digits.
            let chunk = rest.first_chunk().copied().unwrap_or_else(|| {
                let mut chunk = [0; 8];
                chunk[..rest.len()].copy_from_slice(rest);
                chunk
            });
            let (number, found) = leading_digits(chunk);
            value = value.wrapping_mul(POWERS[found]).wrapping_add(number);
            length += found;
            self.at += found;
            if found < chunk.len() {
                return Some((value, length));
            }
        }
        None
    }

    /// A text of printable ASCII without escapes, behind its first quote, and its last.
    fn text(&mut self) -> Option<()> {
        let rest = self.message.get(self.at..)?;
        let end = rest.iter().position(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\'))?;
        self.at += end + 1;
        (rest[end] == b'"').then_some(())
    }

    fn list(&mut self) -> Option<Row> {
        self.skip(b"[\"")?;
        let price = self.digits()?;
        self.skip(b"\",\"")?;
        let qty = self.digits()?;
        self.skip(b"\"")?;
        let mut row = Row { price, qty, third: Digits::default(), side: BID };
        if self.peek()? == b',' {
            self.skip(b",\"")?;
            row.third = self.digits()?;
            self.skip(b"\"")?;
            while self.peek()? == b',' {
                self.skip(b",\"")?;
                self.text()?;
            }
        }
        self.skip(b"]")?;
        Some(row)
    }

    fn object(&mut self, has_size: bool) -> Option<Row> {
        self.skip(b"{\"price\":\"")?;
        let price = self.digits()?;
        self.skip(b"\",\"symbol\":\"")?;
        self.text()?;
        self.skip(b",\"id\":\"")?;
        self.text()?;
        self.skip(b",\"side\":\"")?;
        let side = if self.peek()? == b'B' {
            self.skip(b"Buy\"")?;
            BID
        } else {
            self.skip(b"Sell\"")?;
            ASK
        };
        let mut row = Row { price, qty: Digits::default(), third: Digits::default(), side };
        if has_size {
            self.skip(b",\"size\":")?;
            row.qty = self.digits()?;
            if !is_number(row.qty.written(self.message)?.text) {
                return None;
            }
        }
        self.skip(b"}")?;
        Some(row)
    }
}

/// The digits at the front of eight bytes: their number, and how many they are. All eight at a time: a byte of a `u64` stands
/// for each, the first one lowest.
///
/// Source: Daniel Lemire, "Quickly parsing eight digits", <https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits/>.
#[inline]
fn leading_digits(chunk: [u8; 8]) -> (u64, usize) {
    const ONES: u64 = u64::MAX / 255;
    const EVERY_FOURTH: u64 = 0xff_0000_00ff;
    let digits = u64::from_le_bytes(chunk) ^ (ONES * u64::from(b'0'));
    // The high bit of the lowest byte over 9; what it carries into those above doesn't matter.
    let others = (digits.wrapping_add(ONES * 0x76) | digits) & (ONES * 0x80);
    let found = others.trailing_zeros() as usize / 8;
    // Zeros in front take the places of what is no digit.
    let digits = digits.checked_shl(64 - 8 * found as u32).unwrap_or(0);
    // Pairs, then all four of them: 10^6, 10^4, 100 and 1 times.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let odd = (pairs & EVERY_FOURTH).wrapping_mul(100 + (1_000_000 << 32));
    let even = (pairs >> 16 & EVERY_FOURTH).wrapping_mul(1 + (10_000 << 32));
    (odd.wrapping_add(even) >> 32, found)
}

/// Whether digits with a point at most are a number of JSON: none but a zero begins with one, and digits stand on both
/// sides of the point.
fn is_number(text: &[u8]) -> bool {
    match text {
        [b'0'] => true,
        [b'0', b'.', .., last] => *last != b'.',
        [b'0' | b'.', ..] | [] => false,
        [.., last] => *last != b'.',
    }
}

#[cfg(test)]
#[path = "levels_tests.rs"]
mod tests;
