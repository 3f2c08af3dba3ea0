//! One JSON message taken apart in one pass: the fields a decoder may need, borrowed from the line, and the price
//! levels as places in it, in a buffer that is used again. Nothing is allocated for a message without faults.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::Fault;

/// A text's place in the JSON: a level must outlive the parse, not the line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    start: u32,
    end: u32,
}

impl Place {
    pub(super) fn of(self, json: &[u8]) -> &[u8] {
        json.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Price and quantity of one level.
pub(super) type Level = [Place; 2];

/// The value of a field, as far as it can be told without knowing the message.
#[derive(Debug, Clone, Default)]
pub(super) enum Raw<'a> {
    #[default]
    Absent,
    Number(u64),
    Text(&'a str),
    Bool(bool),
    /// Which of the levels in the buffer.
    Levels(Range<usize>),
    /// What it is, for messages; no message of a known kind has such a value.
    Other(&'static str),
}

impl<'a> Raw<'a> {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(super) fn number(&self, field: &str) -> Result<u64, Fault> {
        if let Self::Number(number) = self { Ok(*number) } else { Err(self.fault(field, "a whole number")) }
    }

    pub(super) fn text(&self, field: &str) -> Result<&'a str, Fault> {
        if let Self::Text(text) = self { Ok(text) } else { Err(self.fault(field, "a text")) }
    }

    pub(super) fn bool(&self, field: &str) -> Result<bool, Fault> {
        if let Self::Bool(bool) = self { Ok(*bool) } else { Err(self.fault(field, "true or false")) }
    }

    pub(super) fn levels(&self, field: &str) -> Result<Range<usize>, Fault> {
        if let Self::Levels(levels) = self { Ok(levels.clone()) } else { Err(self.fault(field, "a list of levels")) }
    }

    fn fault(&self, field: &str, expected: &str) -> Fault {
        let expected = format!("field `{field}`: {expected}");
        match self {
            Self::Absent => Fault::new(expected, "nothing"),
            Self::Number(number) => Fault::new(expected, number.to_string()),
            Self::Text(text) => Fault::new(expected, format!("{text:?}")),
            Self::Bool(bool) => Fault::new(expected, bool.to_string()),
            Self::Levels(_) => Fault::new(expected, "a list"),
            Self::Other(what) => Fault::new(expected, what),
        }
    }
}

/// Every field that some message of Binance's market streams has, by Binance's names.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) stream: Raw<'a>,
    pub(super) event: Raw<'a>,
    pub(super) event_ms: Raw<'a>,
    pub(super) transact_ms: Raw<'a>,
    pub(super) s: Raw<'a>,
    pub(super) symbol: Raw<'a>,
    pub(super) pair: Raw<'a>,
    pub(super) first: Raw<'a>,
    pub(super) last: Raw<'a>,
    pub(super) previous: Raw<'a>,
    pub(super) b: Raw<'a>,
    pub(super) bid_qty: Raw<'a>,
    pub(super) a: Raw<'a>,
    pub(super) ask_qty: Raw<'a>,
    pub(super) p: Raw<'a>,
    pub(super) q: Raw<'a>,
    pub(super) t: Raw<'a>,
    pub(super) m: Raw<'a>,
    pub(super) ignore: Raw<'a>,
    pub(super) trade_kind: Raw<'a>,
    pub(super) last_update_id: Raw<'a>,
    pub(super) bids: Raw<'a>,
    pub(super) asks: Raw<'a>,
    /// The answer to a subscription, which recorders keep too.
    pub(super) result: Raw<'a>,
}

impl<'a> Fields<'a> {
    /// Takes one message apart; its levels are in `levels` afterwards, in the order of the text.
    ///
    /// # Errors
    /// [`Fault`]: not JSON, not an object, or a `b`, `a`, `bids` or `asks` that is a list of something else than levels.
    pub(super) fn read(json: &'a [u8], levels: &mut Vec<Level>) -> Result<Self, Fault> {
        levels.clear();
        let mut fields = Self::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let seed = Message { fields: &mut fields, levels, base: json.as_ptr().addr(), data: false };
        match seed.deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
            Ok(()) => Ok(fields),
            Err(error) => {
                let text = error.to_string();
                let reason = text.split(" at line ").next().unwrap_or_default();
                // The column is where the reader stopped; a little before it stands what stopped it.
                let from = error.column().min(json.len()).saturating_sub(24);
                Err(Fault::new(format!("a Binance message in JSON ({reason})"), &json[from..]))
            }
        }
    }
}

/// A message, or the `data` of a combined stream's envelope.
struct Message<'f, 'a> {
    fields: &'f mut Fields<'a>,
    levels: &'f mut Vec<Level>,
    /// The address of the JSON's first byte.
    base: usize,
    data: bool,
}

impl<'a> DeserializeSeed<'a> for Message<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Message<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { fields, levels, base, data } = self;
        while let Some(key) = map.next_key::<&str>()? {
            let field = match key {
                "data" if !data => {
                    map.next_value_seed(Message { fields, levels, base, data: true })?;
                    continue;
                }
                "stream" => &mut fields.stream,
                "e" => &mut fields.event,
                "E" => &mut fields.event_ms,
                "T" => &mut fields.transact_ms,
                "s" => &mut fields.s,
                "symbol" => &mut fields.symbol,
                "ps" | "pair" => &mut fields.pair,
                "U" => &mut fields.first,
                "u" => &mut fields.last,
                "pu" => &mut fields.previous,
                "b" => &mut fields.b,
                "B" => &mut fields.bid_qty,
                "a" => &mut fields.a,
                "A" => &mut fields.ask_qty,
                "p" => &mut fields.p,
                "q" => &mut fields.q,
                "t" => &mut fields.t,
                "m" => &mut fields.m,
                "M" => &mut fields.ignore,
                "X" => &mut fields.trade_kind,
                "lastUpdateId" => &mut fields.last_update_id,
                "bids" => &mut fields.bids,
                "asks" => &mut fields.asks,
                "result" => &mut fields.result,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let lists = matches!(key, "b" | "a" | "bids" | "asks");
            *field = map.next_value_seed(Value { levels: lists.then_some(&mut *levels), base })?;
        }
        Ok(())
    }
}

/// Any value; a list of levels where one may stand.
struct Value<'f> {
    levels: Option<&'f mut Vec<Level>>,
    base: usize,
}

impl<'a> DeserializeSeed<'a> for Value<'_> {
    type Value = Raw<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Raw<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Value<'_> {
    type Value = Raw<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Raw<'a>, E> {
        Ok(Raw::Text(text))
    }

    fn visit_str<E>(self, _: &str) -> Result<Raw<'a>, E> {
        Ok(Raw::Other("a text with escapes"))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw<'a>, E> {
        Ok(Raw::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw<'a>, E> {
        Ok(Raw::Other("a negative number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw<'a>, E> {
        Ok(Raw::Other("a number that is not whole or over 64 bits"))
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Raw<'a>, E> {
        Ok(Raw::Bool(bool))
    }

    fn visit_unit<E>(self) -> Result<Raw<'a>, E> {
        Ok(Raw::Other("null"))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Raw<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Raw::Other("an object"))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Raw<'a>, A::Error> {
        let Some(levels) = self.levels else {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Raw::Other("a list"));
        };
        let start = levels.len();
        while let Some(level) = seq.next_element_seed(LevelAt(self.base))? {
            levels.push(level);
        }
        Ok(Raw::Levels(start..levels.len()))
    }
}

/// `["61800.20","2.909"]`, and what may follow the two (old recordings have an empty list there).
struct LevelAt(usize);

impl<'a> DeserializeSeed<'a> for LevelAt {
    type Value = Level;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Level, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for LevelAt {
    type Value = Level;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a level like [\"61800.20\",\"2.909\"]")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Level, A::Error> {
        let mut place = |index| -> Result<Place, A::Error> {
            let text = seq.next_element::<&str>()?.ok_or_else(|| A::Error::invalid_length(index, &self))?;
            let start = text.as_ptr().addr().wrapping_sub(self.0);
            let end = u32::try_from(start + text.len()).map_err(A::Error::custom)?;
            Ok(Place { start: start as u32, end })
        };
        let level = [place(0)?, place(1)?];
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_found_where_they_stand_and_the_buffer_starts_anew() {
        let mut levels = Vec::new();
        for _ in 0..2 {
            let json = br#"{"data":{"a":[],"b":[["1.5","2"],["3","4.25",[]]]},"stream":"x"}"#;
            let fields = Fields::read(json, &mut levels).unwrap();
            assert_eq!(fields.b.levels("b").unwrap(), 0..2);
            assert_eq!(fields.a.levels("a").unwrap(), 0..0);
            let texts: Vec<&[u8]> = levels.iter().flatten().map(|place| place.of(json)).collect();
            assert_eq!(texts, [&b"1.5"[..], b"2", b"3", b"4.25"]);
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_its_field() {
        let mut levels = Vec::new();
        let fields = Fields::read(br#"{"u":"7","b":"1\u0030","p":null,"q":-1,"m":1.5,"t":[1]}"#, &mut levels).unwrap();
        let fault = fields.last.number("u").unwrap_err();
        assert_eq!((&fault.expected[..], &fault.got[..]), ("field `u`: a whole number", "\"7\""));
        assert_eq!(fields.b.text("b").unwrap_err().got, "a text with escapes");
        assert_eq!(fields.p.text("p").unwrap_err().got, "null");
        assert_eq!(fields.q.text("q").unwrap_err().got, "a negative number");
        assert_eq!(fields.t.number("t").unwrap_err().got, "a list");
        assert_eq!(fields.asks.levels("asks").unwrap_err().got, "nothing");
    }

    #[test]
    fn what_is_no_message_says_what_is_wrong_and_where() {
        let mut levels = Vec::new();
        for (json, reason, got) in [
            (&br#"{"u":1,"b":[["1","2"],["3""#[..], "EOF", r#"["3""#),
            (br#"{"u":1} x"#, "trailing", "x"),
            (br#"{"b":[["1"]]}"#, "level", r#"["1"]"#),
            (br#"{"b":[[1,2]]}"#, "string", "[[1"),
            (br#"{"b":[["\u0031","2"]]}"#, "string", "u0031"),
            (b"[1]", "object", "[1]"),
            (b"", "EOF", ""),
            (b"\xff", "value", "\u{fffd}"),
        ] {
            let fault = Fields::read(json, &mut levels).unwrap_err();
            assert!(fault.expected.contains(reason) && fault.got.contains(got), "{fault:?}");
        }
    }
}
