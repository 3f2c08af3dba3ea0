//! What a scanner written by hand would take: byte by byte, without a check of UTF-8 or of numbers, texts without escapes
//! only. It shows what there is to win, and is no parser.

use crate::node::{Node, Place};

pub fn scan(message: &[u8], nodes: &mut Vec<Node>) {
    nodes.clear();
    value(message, &mut 0, nodes, 0).expect("JSON");
}

fn skip_space(json: &[u8], at: &mut usize) {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = json.get(*at) {
        *at += 1;
    }
}

fn text(json: &[u8], at: &mut usize, nodes: &mut Vec<Node>) -> Option<()> {
    *at += 1;
    let start = *at;
    while *json.get(*at)? != b'"' {
        if matches!(json[*at], b'\\' | ..0x20) {
            return None;
        }
        *at += 1;
    }
    nodes.push(Node::Text(Place { start: start as u32, end: *at as u32 }));
    *at += 1;
    Some(())
}

fn group(json: &[u8], at: &mut usize, nodes: &mut Vec<Node>, depth: u32, close: u8) -> Option<()> {
    *at += 1;
    skip_space(json, at);
    if *json.get(*at)? == close {
        *at += 1;
        return Some(());
    }
    loop {
        if close == b'}' {
            skip_space(json, at);
            if *json.get(*at)? != b'"' {
                return None;
            }
            text(json, at, nodes)?;
            skip_space(json, at);
            if *json.get(*at)? != b':' {
                return None;
            }
            *at += 1;
        }
        value(json, at, nodes, depth + 1)?;
        skip_space(json, at);
        let next = *json.get(*at)?;
        *at += 1;
        if next == close {
            return Some(());
        }
        if next != b',' {
            return None;
        }
    }
}

fn value(json: &[u8], at: &mut usize, nodes: &mut Vec<Node>, depth: u32) -> Option<()> {
    if depth > 32 {
        return None;
    }
    skip_space(json, at);
    let first = *json.get(*at)?;
    let index = nodes.len();
    match first {
        b'"' => return text(json, at, nodes),
        b'{' => {
            nodes.push(Node::Null);
            group(json, at, nodes, depth, b'}')?;
            nodes[index] = Node::Object(nodes.len() as u32);
        }
        b'[' => {
            nodes.push(Node::Null);
            group(json, at, nodes, depth, b']')?;
            nodes[index] = Node::List(nodes.len() as u32);
        }
        b't' | b'f' | b'n' => {
            while json.get(*at).is_some_and(u8::is_ascii_lowercase) {
                *at += 1;
            }
            nodes.push(Node::Bool(first == b't'));
        }
        _ => {
            let start = *at;
            while let Some(b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E') = json.get(*at) {
                *at += 1;
            }
            if *at == start {
                return None;
            }
            nodes.push(Node::Text(Place { start: start as u32, end: *at as u32 }));
        }
    }
    Some(())
}
