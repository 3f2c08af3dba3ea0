//! Lists of levels, read where they stand in a message: `[["61800.20","2.909"],..]`, and the objects of Bybit's former
//! messages. Most of a message is levels, and a parser that makes values of them costs several times as much as one walk
//! over their digits.
//!
//! Only the plain form is read, as venues send it: no white space, no escapes, no sign, at most 18 characters a decimal.
//! Whoever meets anything else gives up, and the parser judges the whole message.

use velox_record::{ASK, BID};

use super::scanner::{Digits, Scanner, Written};

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
    /// The form of a list under this key, if that is one of levels and the list begins like this.
    #[inline]
    pub(super) fn of(key: &[u8], begin: [u8; 2]) -> Option<Self> {
        match (begin, key) {
            ([b'[', b'['], b"b" | b"a" | b"bids" | b"asks" | b"bs" | b"as") => Some(Self::Lists),
            ([b'[', b'{'], b"update" | b"insert" | b"order_book") => Some(Self::Objects),
            ([b'[', b'{'], b"delete") => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// Appends the levels of the list at the scanner's place and leaves that behind it; `None` for whatever isn't plain.
pub(super) fn scan(scanner: &mut Scanner<'_>, form: Form, rows: &mut Vec<Row>) -> Option<()> {
    loop {
        scanner.at += 1;
        rows.push(if form == Form::Lists { scanner.list()? } else { scanner.object(form == Form::Objects)? });
        match scanner.peek()? {
            b',' => {}
            b']' => {
                scanner.at += 1;
                return Some(());
            }
            _ => return None,
        }
    }
}

impl Scanner<'_> {
    #[inline]
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
