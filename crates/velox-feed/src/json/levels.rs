//! Lists of levels, read where they stand in a message: `[["61800.20","2.909"],..]`, and the objects of Bybit's former
//! messages. Most of a message is levels, and a parser that makes values of them costs several times as much as one walk
//! over their digits.
//!
//! Only the plain form is read, as venues send it: no white space, no escapes, no sign, at most 18 characters a decimal.
//! Whoever meets anything else gives up, and the parser judges the whole message.

use velox_record::{ASK, BID, Step};

/// The longest decimal that is read: so many digits fit 64 bits.
const LONGEST: usize = 18;

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
        let rest = self.message.get(self.at..)?;
        let (mut value, mut point, mut length) = (0u64, None, 0);
        for &byte in rest.iter().take(LONGEST + 1) {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                // What overflows is longer than is read.
                value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            } else if byte == b'.' && point.is_none() {
                point = Some(length);
            } else {
                break;
            }
            length += 1;
        }
        if length > LONGEST || length == usize::from(point.is_some()) {
            return None;
        }
        let decimals = point.map_or(0, |point| length - 1 - point) as u8;
        let start = self.at as u32;
        self.at += length;
        Some(Digits { value, start, length: length as u8, decimals })
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
