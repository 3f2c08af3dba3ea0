//! One JSON message as a flat list of its values in a buffer that is used again: nothing is allocated for a message without
//! faults. Texts and keys are places in the message; what a number is written like can be asked for, since a checksum is
//! of the exchange's own decimals.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::error::Fault;

/// How deep lists and objects may be inside each other. Exchanges need 6; the parser uses the stack.
const MOST_DEPTH: usize = 32;

/// Where a text stands, without its quotes.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: u32,
    end: u32,
}

impl Place {
    fn of(self, json: &[u8]) -> &[u8] {
        json.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy)]
enum Node {
    Null,
    Bool(bool),
    Whole(u64),
    Negative,
    /// Not whole, or over 64 bits.
    Broken,
    Text(Place),
    /// A text with escapes: no field that is read has any.
    Escaped,
    /// Keys and values in turn follow; the index after the last.
    Object(u32),
    /// The index after the last of the values that follow.
    List(u32),
}

/// The buffer.
#[derive(Debug, Default)]
pub(crate) struct Doc(Vec<Node>);

impl Doc {
    /// Takes one message apart.
    ///
    /// # Errors
    /// [`Fault`]: not JSON, nested too deep, or over 4 GiB.
    pub(crate) fn read<'d>(&'d mut self, json: &'d [u8]) -> Result<Value<'d>, Fault> {
        if u32::try_from(json.len()).is_err() {
            return Err(Fault::new("a message of less than 4 GiB", format!("{} bytes", json.len())));
        }
        self.0.clear();
        let mut deserializer = sonic_rs::Deserializer::from_slice(json);
        let seed = Build { nodes: &mut self.0, base: json.as_ptr().addr(), depth: 0 };
        match seed.deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
            Ok(()) => Ok(Value { nodes: &self.0, json, at: 0 }),
            Err(error) => {
                let text = error.to_string();
                let reason = text.split(" at line ").next().unwrap_or_default();
                // The offset is where the reader stopped; a little before it stands what stopped it.
                let from = error.offset().min(json.len()).saturating_sub(24);
                Err(Fault::new(format!("a message in JSON ({reason})"), &json[from..]))
            }
        }
    }
}

struct Build<'n> {
    nodes: &'n mut Vec<Node>,
    /// The address of the JSON's first byte.
    base: usize,
    depth: usize,
}

impl Build<'_> {
    fn inner(&mut self) -> Build<'_> {
        Build { nodes: self.nodes, base: self.base, depth: self.depth + 1 }
    }

    /// Puts a list or an object in front of what `fill` adds.
    fn group<E: Error>(
        mut self,
        node: fn(u32) -> Node,
        fill: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.depth == MOST_DEPTH {
            return Err(E::custom("lists and objects at most 32 deep"));
        }
        let at = self.nodes.len();
        self.nodes.push(Node::Null);
        fill(&mut self)?;
        self.nodes[at] = node(u32::try_from(self.nodes.len()).map_err(E::custom)?);
        Ok(())
    }
}

impl<'a> DeserializeSeed<'a> for Build<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A key: JSON has texts only.
struct Key<'n>(Build<'n>);

impl<'a> DeserializeSeed<'a> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self.0)
    }
}

impl<'a> Visitor<'a> for Build<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<(), E> {
        let start = text.as_ptr().addr().wrapping_sub(self.base);
        self.nodes.push(Node::Text(Place { start: start as u32, end: (start + text.len()) as u32 }));
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.nodes.push(Node::Escaped);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.nodes.push(Node::Whole(number));
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.nodes.push(Node::Negative);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.nodes.push(Node::Broken);
        Ok(())
    }

    fn visit_bool<E>(self, bool: bool) -> Result<(), E> {
        self.nodes.push(Node::Bool(bool));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.nodes.push(Node::Null);
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        self.group(Node::Object, |build| {
            while map.next_key_seed(Key(build.inner()))?.is_some() {
                map.next_value_seed(build.inner())?;
            }
            Ok(())
        })
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        self.group(Node::List, |build| {
            while seq.next_element_seed(build.inner())?.is_some() {}
            Ok(())
        })
    }
}

/// One value of a message.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d> {
    nodes: &'d [Node],
    json: &'d [u8],
    at: usize,
}

/// What is expected, by field; shared by all that read messages.
fn fault(field: &str, expected: &str, got: Option<Value<'_>>) -> Fault {
    Fault::new(format!("field `{field}`: {expected}"), got.map_or_else(|| "nothing".to_owned(), Value::describe))
}

impl<'d> Value<'d> {
    fn node(self) -> Node {
        self.nodes.get(self.at).copied().unwrap_or(Node::Null)
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
            Node::Text(place) => format!("\"{}\"", String::from_utf8_lossy(place.of(self.json))),
            Node::Escaped => "a text with escapes".to_owned(),
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
            if let Node::Text(place) = self.nodes[at]
                && place.of(self.json) == key.as_bytes()
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
        if let Node::Text(place) = self.node() { Some(place.of(self.json)) } else { None }
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
        match self.get(key) {
            Some(Value { nodes, at, .. }) if matches!(nodes[at], Node::Bool(_)) => {
                Ok(matches!(nodes[at], Node::Bool(true)))
            }
            got => Err(fault(key, "true or false", got)),
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
            Node::Text(place) => Ok(place.of(self.json)),
            Node::Whole(_) | Node::Negative | Node::Broken => {
                // Behind the key and its quote stand only white space, a colon and white space.
                let behind = self.json.get(place.end as usize + 1..).unwrap_or_default();
                let is_of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
                let start = behind.iter().position(is_of_number).ok_or_else(|| wrong(Some(value)))?;
                let length = behind[start..].iter().take_while(|byte| is_of_number(byte)).count();
                Ok(&behind[start..start + length])
            }
            _ => Err(wrong(Some(value))),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_they_stand_and_the_buffer_starts_anew() {
        let mut doc = Doc::default();
        for _ in 0..2 {
            let json = br#"{"x":{"a":[],"b":[["1.5","2"],["3","4.25",[]]]},"ts":"12","n":7,"t":true,"n":8}"#;
            let root = doc.read(json).unwrap();
            let x = root.object("x").unwrap();
            assert_eq!(x.list("a").unwrap().count(), 0);
            let levels = x.list("b").unwrap().map(|level| level.items().unwrap().filter_map(Value::as_text).collect());
            assert_eq!(levels.collect::<Vec<Vec<_>>>(), [[&b"1.5"[..], b"2"], [b"3", b"4.25"]]);
            assert_eq!((root.digits("ts"), root.digits("n"), root.bool("t")), (Ok(12), Ok(7), Ok(true)));
            assert!(root.get("a").is_none() && root.get("x").unwrap().is_object());
        }
    }

    #[test]
    fn a_number_is_given_as_it_is_written() {
        let mut doc = Doc::default();
        let json = br#"{"price": 0.50,"qty" :1e5, "a":-3,"b":"0.10","c":null,"d":[]}"#;
        let root = doc.read(json).unwrap();
        let decimal = |key| root.decimal(key).map(|text| String::from_utf8_lossy(text).into_owned());
        assert_eq!(["price", "qty", "a", "b"].map(|key| decimal(key).unwrap()), ["0.50", "1e5", "-3", "0.10"]);
        assert_eq!(decimal("c").unwrap_err().got, "null");
        assert_eq!(decimal("z").unwrap_err().got, "nothing");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_its_field() {
        let mut doc = Doc::default();
        let root = doc.read(br#"{"u":"7","b":"1\u0030","p":null,"q":-1,"m":1.5,"t":[1],"o":{}}"#).unwrap();
        let fault = root.number("u").unwrap_err();
        assert_eq!((&fault.expected[..], &fault.got[..]), ("field `u`: a whole number", "\"7\""));
        assert_eq!(root.text("b").unwrap_err().got, "a text with escapes");
        assert_eq!(root.text("p").unwrap_err().got, "null");
        assert_eq!(root.text("q").unwrap_err().got, "a negative number");
        assert_eq!(root.number("m").unwrap_err().got, "a number that is not whole or over 64 bits");
        assert_eq!(root.number("t").unwrap_err().got, "a list");
        assert_eq!(root.list("o").err().unwrap().got, "an object");
        assert_eq!(root.list("asks").err().unwrap().got, "nothing");
    }

    #[test]
    fn what_is_no_json_says_what_is_wrong_and_where() {
        let mut doc = Doc::default();
        for (json, got) in [
            (&br#"{"u":1,"b":[["1","2"],["3""#[..], r#"["3""#),
            (br#"{"u":1} x"#, "x"),
            (br#"{"u":01}"#, "01"),
            (br#"{"u":1,}"#, "}"),
            (b"", ""),
            (b"\xff", "\u{fffd}"),
            (b"{\"a\":\"\xff\"}", "\u{fffd}"),
        ] {
            let fault = doc.read(json).map(Value::describe).unwrap_err();
            assert!(fault.expected.contains("in JSON (") && fault.got.contains(got), "{fault:?}");
        }
    }

    #[test]
    fn a_message_that_nests_without_end_is_refused_and_not_followed() {
        let mut doc = Doc::default();
        for open in ["[", "{\"a\":"] {
            let fault = doc.read(open.repeat(1_000_000).as_bytes()).map(Value::describe).unwrap_err();
            assert!(fault.expected.contains("32 deep"), "{fault:?}");
        }
        let deep = "[".repeat(MOST_DEPTH) + &"]".repeat(MOST_DEPTH);
        assert!(doc.read(deep.as_bytes()).unwrap().is_list());
    }
}
