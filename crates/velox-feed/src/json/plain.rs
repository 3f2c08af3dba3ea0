//! A message in the plain form that venues send, in one walk: no white space, no escapes, ASCII, no exponents.
//!
//! All that is taken here is JSON, and means what the parser makes of it; where something isn't plain, the parser judges the
//! whole message.

use super::build::MOST_DEPTH;
use super::levels::{Form, Row, scan};
use super::node::{Node, Place, Range};
use super::scanner::Scanner;

/// The longest whole number: so many digits fit 64 bits, whichever they are.
const LONGEST: usize = 19;

/// Appends the values of a message; `None` where it isn't plain, and what was appended is of no use then.
pub(super) fn read(message: &[u8], nodes: &mut Vec<Node>, rows: &mut Vec<Row>) -> Option<()> {
    let (mut open, mut depth) = ([0; MOST_DEPTH], 0);
    let mut walk = Walk { scanner: Scanner { message, at: 0 }, nodes, rows, key: None };
    loop {
        if let Read::Opened(opened) = walk.value(MOST_DEPTH - depth)? {
            open[depth] = opened;
            depth += 1;
            continue;
        }
        loop {
            let Some(&group) = open[..depth].last() else {
                return (walk.scanner.at == message.len()).then_some(());
            };
            if walk.goes_on(group)? {
                break;
            }
            depth -= 1;
        }
    }
}

enum Read {
    Whole,
    /// The front of a list or an object with something in it, whose place this is.
    Opened(usize),
}

struct Walk<'m, 'n> {
    scanner: Scanner<'m>,
    nodes: &'n mut Vec<Node>,
    rows: &'n mut Vec<Row>,
    /// Of the value that comes next, in an object.
    key: Option<Place>,
}

impl Walk<'_, '_> {
    /// Reads a value, or the front of one. `room` is how many may still be opened inside each other.
    #[inline]
    fn value(&mut self, room: usize) -> Option<Read> {
        match self.scanner.peek()? {
            b'"' => {
                self.scanner.at += 1;
                let text = self.text()?;
                self.nodes.push(Node::Text(text));
            }
            b'{' => return self.open(Node::Object, b'}', room),
            b'[' => match self.form() {
                Some(form) => self.levels(form, room)?,
                None => return self.open(Node::List, b']', room),
            },
            b'-' => {
                self.scanner.at += 1;
                let node = match self.number()? {
                    // The parser says of a negative zero that it is no whole number.
                    Node::Whole(1..=0x7fff_ffff_ffff_ffff) => Node::Negative,
                    Node::Broken => Node::Broken,
                    _ => return None,
                };
                self.nodes.push(node);
            }
            b'0'..=b'9' => {
                let node = self.number()?;
                self.nodes.push(node);
            }
            b't' => self.word(b"true", Node::Bool(true))?,
            b'f' => self.word(b"false", Node::Bool(false))?,
            _ => self.word(b"null", Node::Null)?,
        }
        Some(Read::Whole)
    }

    fn open(&mut self, group: fn(u32) -> Node, end: u8, room: usize) -> Option<Read> {
        if room == 0 {
            return None;
        }
        self.scanner.at += 1;
        let at = self.nodes.len();
        self.nodes.push(group(at as u32 + 1));
        if self.scanner.peek()? == end {
            self.scanner.at += 1;
            return Some(Read::Whole);
        }
        if end == b'}' {
            self.key()?;
        } else {
            self.key = None;
        }
        Some(Read::Opened(at))
    }

    /// Behind a value of a list or an object: whether another one follows, or that was the last.
    #[inline]
    fn goes_on(&mut self, group: usize) -> Option<bool> {
        let next = self.scanner.peek()?;
        self.scanner.at += 1;
        let end = self.nodes.len() as u32;
        match (next, &mut self.nodes[group]) {
            (b',', Node::Object(_)) => {
                self.key()?;
                return Some(true);
            }
            (b',', _) => {
                self.key = None;
                return Some(true);
            }
            (b'}', Node::Object(behind)) | (b']', Node::List(behind)) => *behind = end,
            _ => return None,
        }
        Some(false)
    }

    #[inline]
    fn key(&mut self) -> Option<()> {
        self.scanner.skip(b"\"")?;
        let key = self.text()?;
        self.scanner.skip(b":")?;
        self.nodes.push(Node::Text(key));
        self.key = Some(key);
        Some(())
    }

    #[inline]
    fn text(&mut self) -> Option<Place> {
        let start = self.scanner.at as u32;
        Some(Place { start, end: self.scanner.text()? as u32 })
    }

    /// A number without its sign.
    #[inline]
    fn number(&mut self) -> Option<Node> {
        let first = self.scanner.peek()?;
        let (number, length) = self.scanner.row()?;
        if length == 0 || length > LONGEST || (first == b'0' && length > 1) {
            return None;
        }
        if self.scanner.peek() != Some(b'.') {
            return Some(Node::Whole(number));
        }
        self.scanner.at += 1;
        let (_, behind) = self.scanner.row()?;
        (behind > 0).then_some(Node::Broken)
    }

    fn word<const N: usize>(&mut self, word: &[u8; N], node: Node) -> Option<()> {
        self.scanner.skip(word)?;
        self.nodes.push(node);
        Some(())
    }

    /// Of the list that begins here.
    #[inline]
    fn form(&self) -> Option<Form> {
        let begin = self.scanner.message.get(self.scanner.at..)?.first_chunk()?;
        Form::of(self.key?.of(self.scanner.message), *begin)
    }

    fn levels(&mut self, form: Form, room: usize) -> Option<()> {
        // The list and what each level is.
        if room < 2 {
            return None;
        }
        let start = self.rows.len() as u32;
        scan(&mut self.scanner, form, self.rows)?;
        let end = self.nodes.len() as u32 + 2;
        self.nodes.push(Node::List(end));
        self.nodes.push(Node::Levels(Range { start, end: self.rows.len() as u32 }));
        Some(())
    }
}
