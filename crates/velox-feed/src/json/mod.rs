//! One JSON message as a flat list of its values in a buffer that is used again: nothing is allocated for a message without
//! faults. Texts and keys are places in the message; what a number is written like can be asked for, since a checksum is
//! of the exchange's own decimals.
//!
//! [`plain`] reads messages as venues send them, with their [`levels`], in one walk. Whatever it doesn't know goes through
//! sonic-rs, whole: what is refused, and by which words, is its doing alone.

mod build;
mod levels;
mod node;
mod plain;
mod scanner;

use self::build::build;
use self::levels::Row;
pub(crate) use self::levels::{Level, Sided};
use self::node::{Node, Place};
pub(crate) use self::scanner::Written;
use crate::error::Fault;

/// The buffer.
#[derive(Debug, Default)]
pub(crate) struct Doc {
    nodes: Vec<Node>,
    rows: Vec<Row>,
}

impl Doc {
    /// Takes one message apart.
    ///
    /// # Errors
    /// [`Fault`]: not JSON, nested too deep, or over 4 GiB.
    pub(crate) fn read<'d>(&'d mut self, message: &'d [u8]) -> Result<Value<'d>, Fault> {
        if u32::try_from(message.len()).is_err() {
            return Err(Fault::new("a message of less than 4 GiB", format!("{} bytes", message.len())));
        }
        self.nodes.clear();
        self.rows.clear();
        if plain::read(message, &mut self.nodes, &mut self.rows).is_some() {
            return Ok(Value { doc: self, message, at: 0 });
        }
        self.read_by_parser(message)
    }

    fn read_by_parser<'d>(&'d mut self, message: &'d [u8]) -> Result<Value<'d>, Fault> {
        self.nodes.clear();
        let mut parser = sonic_rs::Deserializer::from_slice(message);
        match build(&mut parser, message, &mut self.nodes).and_then(|()| parser.end()) {
            Ok(()) => Ok(Value { doc: self, message, at: 0 }),
            Err(error) => {
                let text = error.to_string();
                let reason = text.split(" at line ").next().unwrap_or_default();
                // The offset is where the reader stopped; a little before it stands what stopped it.
                let from = error.offset().min(message.len()).saturating_sub(24);
                Err(Fault::new(format!("a message in JSON ({reason})"), &message[from..]))
            }
        }
    }
}

/// One value of a message.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d> {
    doc: &'d Doc,
    message: &'d [u8],
    at: usize,
}

/// What is expected, by field; shared by all that read messages.
fn fault(field: &str, expected: &str, got: Option<Value<'_>>) -> Fault {
    Fault::new(format!("field `{field}`: {expected}"), got.map_or_else(|| "nothing".to_owned(), Value::describe))
}

impl<'d> Value<'d> {
    fn node(self) -> Node {
        self.doc.nodes.get(self.at).copied().unwrap_or(Node::Null)
    }

    /// The index after it.
    fn after(self) -> usize {
        match self.node() {
            Node::Object(end) | Node::List(end) => end as usize,
            _ => self.at + 1,
        }
    }

    /// What it is, for messages.
    pub(crate) fn describe(self) -> String {
        match self.node() {
            Node::Null => "null".to_owned(),
            Node::Bool(bool) => bool.to_string(),
            Node::Whole(number) => number.to_string(),
            Node::Negative => "a negative number".to_owned(),
            Node::Broken => "a number that is not whole or over 64 bits".to_owned(),
            Node::Text(place) => format!("\"{}\"", String::from_utf8_lossy(place.of(self.message))),
            Node::Escaped => "a text with escapes".to_owned(),
            Node::Levels(_) => "levels".to_owned(),
            Node::Object(_) => "an object".to_owned(),
            Node::List(_) => "a list".to_owned(),
        }
    }

    pub(crate) fn is_object(self) -> bool {
        matches!(self.node(), Node::Object(_))
    }

    pub(crate) fn is_list(self) -> bool {
        matches!(self.node(), Node::List(_))
    }

    /// The key's place and the value of a field; the first where there are several. Cost: a comparison a field before it.
    fn entry(self, key: &str) -> Option<(Place, Value<'d>)> {
        let Node::Object(end) = self.node() else { return None };
        let mut at = self.at + 1;
        while at < end as usize {
            let value = Value { at: at + 1, ..self };
            if let Node::Text(place) = self.doc.nodes[at]
                && is_same(place.of(self.message), key.as_bytes())
            {
                return Some((place, value));
            }
            at = value.after();
        }
        None
    }

    /// The value of a field; `None` for what has no such field.
    pub(crate) fn get(self, key: &str) -> Option<Value<'d>> {
        self.entry(key).map(|(_, value)| value)
    }

    pub(crate) fn as_text(self) -> Option<&'d [u8]> {
        if let Node::Text(place) = self.node() { Some(place.of(self.message)) } else { None }
    }

    pub(crate) fn as_number(self) -> Option<u64> {
        if let Node::Whole(number) = self.node() { Some(number) } else { None }
    }

    /// Its values, where it is a list.
    pub(crate) fn items(self) -> Option<Items<'d>> {
        let Node::List(end) = self.node() else { return None };
        Some(Items { next: Value { at: self.at + 1, ..self }, end: end as usize })
    }

    pub(crate) fn text(self, key: &str) -> Result<&'d [u8], Fault> {
        let got = self.get(key);
        got.and_then(Value::as_text).ok_or_else(|| fault(key, "a text", got))
    }

    pub(crate) fn number(self, key: &str) -> Result<u64, Fault> {
        let got = self.get(key);
        got.and_then(Value::as_number).ok_or_else(|| fault(key, "a whole number", got))
    }

    pub(crate) fn bool(self, key: &str) -> Result<bool, Fault> {
        match self.get(key).map(|value| (value, value.node())) {
            Some((_, Node::Bool(bool))) => Ok(bool),
            got => Err(fault(key, "true or false", got.map(|(value, _)| value))),
        }
    }

    pub(crate) fn object(self, key: &str) -> Result<Value<'d>, Fault> {
        let got = self.get(key);
        got.filter(|value| value.is_object()).ok_or_else(|| fault(key, "an object", got))
    }

    pub(crate) fn list(self, key: &str) -> Result<Items<'d>, Fault> {
        let got = self.get(key);
        got.and_then(Value::items).ok_or_else(|| fault(key, "a list", got))
    }

    /// The levels of a list, each like `["61800.20","2.909"]`; other things may follow the two.
    pub(crate) fn levels(self, key: &'d str) -> Result<Levels<'d>, Fault> {
        let got = self.get(key);
        let items = got.and_then(Value::items).ok_or_else(|| fault(key, "a list", got))?;
        let rows = items.next.rows().unwrap_or_default();
        Ok(Levels { rows: rows.iter(), message: self.message, items, is_read: !rows.is_empty(), key })
    }

    /// The levels of a list of objects, where they were read already.
    pub(crate) fn sided(self, key: &str) -> Option<impl Iterator<Item = Sided<'d>> + use<'d>> {
        let (rows, message) = (self.get(key)?.items()?.next.rows()?, self.message);
        Some(rows.iter().map(|row| row.sided(message)))
    }

    fn rows(self) -> Option<&'d [Row]> {
        let Node::Levels(rows) = self.node() else { return None };
        self.doc.rows.get(rows.start as usize..rows.end as usize)
    }

    /// Price and quantity of a level; the third value is the venue's.
    pub(crate) fn level(self, field: &str) -> Result<Level<'d>, Fault> {
        let mut items = self.items();
        let mut text = || items.as_mut()?.next()?.as_text().map(Written::of);
        match (text(), text()) {
            (Some(price), Some(qty)) => Ok(Level { price, qty, third: text() }),
            _ => Err(Fault::new(format!("field `{field}`: a level like [\"61800.20\",\"2.909\"]"), self.describe())),
        }
    }

    /// A whole number, as a number or in a text.
    pub(crate) fn digits(self, key: &str) -> Result<u64, Fault> {
        let got = self.get(key);
        let of_text = |value: Value<'d>| value.as_text().and_then(whole);
        got.and_then(|value| value.as_number().or_else(|| of_text(value)))
            .ok_or_else(|| fault(key, "a whole number", got))
    }

    /// A decimal as it is written, in a text or as a number.
    pub(crate) fn decimal(self, key: &str) -> Result<&'d [u8], Fault> {
        let wrong = |got| fault(key, "a decimal", got);
        let (place, value) = self.entry(key).ok_or_else(|| wrong(None))?;
        match value.node() {
            Node::Text(place) => Ok(place.of(self.message)),
            Node::Whole(_) | Node::Negative | Node::Broken => {
                // Behind the key and its quote stand only white space, a colon and white space.
                let behind = self.message.get(place.end as usize + 1..).unwrap_or_default();
                let is_of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
                let start = behind.iter().position(is_of_number).ok_or_else(|| wrong(Some(value)))?;
                let length = behind[start..].iter().take_while(|byte| is_of_number(byte)).count();
                Ok(&behind[start..start + length])
            }
            _ => Err(wrong(Some(value))),
        }
    }
}

/// The names of fields are too short to call a comparison for.
fn is_same(text: &[u8], key: &[u8]) -> bool {
    text.len() == key.len() && text.iter().zip(key).all(|(a, b)| a == b)
}

/// A whole number in digits.
pub(crate) fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// The values of a list.
#[derive(Clone)]
pub(crate) struct Items<'d> {
    next: Value<'d>,
    end: usize,
}

impl<'d> Iterator for Items<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        let value = self.next;
        if value.at >= self.end {
            return None;
        }
        self.next.at = value.after();
        Some(value)
    }
}

/// Levels, read already or not.
pub(crate) struct Levels<'d> {
    rows: std::slice::Iter<'d, Row>,
    message: &'d [u8],
    items: Items<'d>,
    /// Whether they are all in `rows`.
    is_read: bool,
    key: &'d str,
}

impl<'d> Iterator for Levels<'d> {
    type Item = Result<Level<'d>, Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_read {
            return self.rows.next().map(|row| Ok(row.level(self.message)));
        }
        self.items.next().map(|level| level.level(self.key))
    }
}

#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod plain_tests;
