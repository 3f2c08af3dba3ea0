//! The list of values through serde, by either parser.

use std::fmt;
use std::hint::black_box;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::Node;

struct Build<'n> {
    nodes: &'n mut Vec<Node>,
    base: usize,
}

pub fn serde_json(message: &[u8], nodes: &mut Vec<Node>) {
    nodes.clear();
    let mut parser = serde_json::Deserializer::from_slice(message);
    Build { nodes, base: message.as_ptr().addr() }.deserialize(&mut parser).expect("JSON");
    parser.end().expect("one value");
    black_box(&nodes);
}

pub fn sonic_rs(message: &[u8], nodes: &mut Vec<Node>) {
    nodes.clear();
    let mut parser = sonic_rs::Deserializer::from_slice(message);
    Build { nodes, base: message.as_ptr().addr() }.deserialize(&mut parser).expect("JSON");
    parser.end().expect("one value");
    black_box(&nodes);
}

impl<'a> DeserializeSeed<'a> for Build<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Build<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<(), E> {
        let start = text.as_ptr().addr().wrapping_sub(self.base);
        self.nodes.push(Node::Text(start as u32, (start + text.len()) as u32));
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

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.nodes.push(Node::Negative(number));
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
        let at = self.nodes.len();
        self.nodes.push(Node::Null);
        while map.next_key_seed(Build { nodes: self.nodes, base: self.base })?.is_some() {
            map.next_value_seed(Build { nodes: self.nodes, base: self.base })?;
        }
        self.nodes[at] = Node::Object(self.nodes.len() as u32);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        let at = self.nodes.len();
        self.nodes.push(Node::Null);
        while seq.next_element_seed(Build { nodes: self.nodes, base: self.base })?.is_some() {}
        self.nodes[at] = Node::List(self.nodes.len() as u32);
        Ok(())
    }
}
