//! The visitor that makes the flat list, and follows lists and objects no deeper than it may.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::node::{Node, Place};

/// How deep lists and objects may be inside each other. Exchanges need 6; the parser uses the stack.
pub(super) const MOST_DEPTH: usize = 32;

/// Where values are put.
struct Target<'n> {
    nodes: &'n mut Vec<Node>,
    /// The address of the JSON's first byte.
    base: usize,
}

/// Appends the values of a message that a parser reads from `json`.
pub(super) fn build<'a, D: Deserializer<'a>>(parser: D, json: &'a [u8], nodes: &mut Vec<Node>) -> Result<(), D::Error> {
    let mut target = Target { nodes, base: json.as_ptr().addr() };
    Build { target: &mut target, depth: 0 }.deserialize(parser)
}

struct Build<'n, 'm> {
    target: &'m mut Target<'n>,
    depth: usize,
}

impl<'n> Build<'n, '_> {
    fn inner(&mut self) -> Build<'n, '_> {
        Build { target: self.target, depth: self.depth + 1 }
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
        let at = self.target.nodes.len();
        self.target.nodes.push(Node::Null);
        fill(&mut self)?;
        self.target.nodes[at] = node(u32::try_from(self.target.nodes.len()).map_err(E::custom)?);
        Ok(())
    }
}

impl<'a> DeserializeSeed<'a> for Build<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A key: JSON has texts only.
struct Key<'n, 'm>(Build<'n, 'm>);

impl<'a> DeserializeSeed<'a> for Key<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self.0)
    }
}

impl<'a> Visitor<'a> for Build<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<(), E> {
        let start = text.as_ptr().addr().wrapping_sub(self.target.base);
        let place = Place { start: start as u32, end: (start + text.len()) as u32 };
        self.target.nodes.push(Node::Text(place));
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.target.nodes.push(Node::Escaped);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.target.nodes.push(Node::Whole(number));
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.target.nodes.push(Node::Negative);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.target.nodes.push(Node::Broken);
        Ok(())
    }

    fn visit_bool<E>(self, bool: bool) -> Result<(), E> {
        self.target.nodes.push(Node::Bool(bool));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.target.nodes.push(Node::Null);
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
