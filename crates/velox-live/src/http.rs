//! One request, one answer, over a connection of its own.
//!
//! Source: RFC 9112, sections 6 and 7, <https://www.rfc-editor.org/rfc/rfc9112>.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use crate::LiveError;
use crate::dial::{DialError, Dialer, Transport, would_block};
use crate::endpoint::Endpoint;

/// The longest answer that is taken. The largest snapshot of a venue here is below 1 MB.
const MOST: usize = 32 << 20;
const MOST_HEADERS: usize = 64;
/// How long a server is left alone that asks for that and doesn't say for how long.
const UNSAID: Duration = Duration::from_secs(1);

/// What a server answered.
struct Answer {
    status: u16,
    /// How long it asks to wait.
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    retry_after: Option<Duration>,
    body: Body,
    /// How many bytes it takes.
    len: usize,
}

/// Where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Length(usize),
    Chunked,
    UntilClosed,
}

/// What an answer is that was not hoped for. A server that is busy may change its mind; one that refuses the request
/// (4xx) won't.
pub(crate) fn unwanted(to: &Endpoint, status: u16, after: Option<Duration>, body: &[u8]) -> DialError {
    let text = String::from_utf8_lossy(&body[..body.len().min(400)]);
    let reason: String = text.trim().chars().filter(|c| !c.is_control()).take(80).collect();
    // 418 is how Binance bans an address for a while.
    if matches!(status, 400..=499) && !matches!(status, 408 | 418 | 425 | 429) {
        return DialError::Final(LiveError::Refused { url: to.url.clone(), status, reason });
    }
    // Where it doesn't say for how long, for a while all the same; or for longer, as the backoff waits.
    let after = after.or_else(|| matches!(status, 418 | 429).then_some(UNSAID));
    DialError::Passing { reason: format!("{to}: got HTTP status {status}: {reason}"), after }
}

/// Asks `to` for what its path names; `method` is GET or POST, without a body.
///
/// # Errors
/// Also any other status than 200.
pub(crate) fn ask(dialer: &Dialer, method: &str, to: &Endpoint, within: Duration) -> Result<Vec<u8>, DialError> {
    let until = Instant::now() + within;
    let mut transport = dialer.dial(to)?;
    let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
    let request = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: velox-engine\r\nAccept: application/json\r\n\
         Accept-Encoding: identity\r\n{length}Connection: close\r\n\r\n",
        to.path,
        to.authority()
    );
    let wait = || dialer.check(to, until, "an answer");
    send(&mut transport, request.as_bytes(), to, &wait)?;
    let Answer { status, retry_after, body } = receive(&mut transport, to, &wait)?;
    if status == 200 { Ok(body) } else { Err(unwanted(to, status, retry_after, &body)) }
}

fn send(
    transport: &mut Transport,
    mut rest: &[u8],
    to: &Endpoint,
    wait: &dyn Fn() -> Result<(), DialError>,
) -> Result<(), DialError> {
    while !rest.is_empty() {
        match transport.write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(error) if would_block(&error) => wait()?,
            Err(error) => return Err(DialError::passing(to, &error)),
        }
    }
    loop {
        match transport.flush() {
            Ok(()) => return Ok(()),
            Err(error) if would_block(&error) => wait()?,
            Err(error) => return Err(DialError::passing(to, &error)),
        }
    }
}

fn receive(
    transport: &mut Transport,
    to: &Endpoint,
    wait: &dyn Fn() -> Result<(), DialError>,
) -> Result<Answer, DialError> {
    let fail = |reason: String| DialError::passing(to, &reason);
    let (mut bytes, mut head, mut chunks) = (Vec::new(), None::<Head>, Chunks::default());
    loop {
        let closed = match read_some(transport, &mut bytes) {
            Ok(count) => count == 0,
            Err(error) if would_block(&error) => {
                wait()?;
                continue;
            }
            // Servers that close without saying so end a body all the same.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => true,
            Err(error) => return Err(fail(error.to_string())),
        };
        wait()?;
        if bytes.len() > MOST {
            return Err(fail(format!("expected an answer of at most {MOST} bytes, got more")));
        }
        if head.is_none() {
            head = parse_head(&bytes).map_err(fail)?;
        }
        if let Some(head) = &head {
            let rest = &bytes[head.len..];
            let body = match head.body {
                Body::Length(length) => rest.get(..length).map(<[u8]>::to_vec),
                Body::Chunked => chunks.take(rest).map_err(fail)?.then(|| std::mem::take(&mut chunks.body)),
                Body::UntilClosed => closed.then(|| rest.to_vec()),
            };
            if let Some(body) = body {
                let Head { status, retry_after, .. } = *head;
                return Ok(Answer { status, retry_after, body });
            }
        }
        if closed {
            return Err(fail("expected a whole answer, got the connection's end".into()));
        }
    }
}

fn read_some(transport: &mut Transport, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let start = bytes.len();
    bytes.resize(start + (64 << 10), 0);
    let read = transport.read(&mut bytes[start..]);
    bytes.truncate(start + *read.as_ref().unwrap_or(&0));
    read
}

/// The head, once it is whole.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(|error| format!("expected an HTTP answer, got {error}"))?;
    let httparse::Status::Complete(len) = parsed else { return Ok(None) };
    let status = response.code.unwrap_or(0);
    let value = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok().map(str::trim)
    };
    let body = match (value("transfer-encoding"), value("content-length")) {
        _ if status == 204 || status == 304 => Body::Length(0),
        (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => Body::Chunked,
        (Some(coding), _) => return Err(format!("expected the transfer coding chunked, got {coding}")),
        (None, Some(length)) => {
            Body::Length(length.parse().map_err(|_| format!("expected a content length, got {length}"))?)
        }
        (None, None) => Body::UntilClosed,
    };
    if let Some(coding) = value("content-encoding").filter(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(format!("expected a plain body, got the content encoding {coding}"));
    }
    let retry_after = value("retry-after").and_then(retry_after);
    Ok(Some(Head { status, retry_after, body, len }))
}

/// The longest wait that a server is granted.
const LONGEST_RETRY: u64 = 3_600;

/// What a `Retry-After` in seconds asks for; its form as a date is not taken.
pub(crate) fn retry_after(seconds: &str) -> Option<Duration> {
    seconds.parse().ok().map(|seconds: u64| Duration::from_secs(seconds.min(LONGEST_RETRY)))
}

/// A chunked body as far as it has come.
#[derive(Debug, Default)]
struct Chunks {
    body: Vec<u8>,
    /// How many bytes behind the head were taken.
    taken: usize,
}

impl Chunks {
    /// Takes the whole chunks that `rest`, all that came behind the head, holds; says whether the last was there.
    fn take(&mut self, rest: &[u8]) -> Result<bool, String> {
        while let Ok(httparse::Status::Complete((start, length))) = httparse::parse_chunk_size(&rest[self.taken..]) {
            if length > MOST as u64 {
                return Err(format!("expected a chunk of at most {MOST} bytes, got one of {length}"));
            }
            // A trailer would stand here; nobody reads it, as the connection is closed.
            if length == 0 {
                return Ok(true);
            }
            let (start, length) = (self.taken + start, length as usize);
            let Some(chunk) = rest.get(start..start + length) else { return Ok(false) };
            match rest.get(start + length..start + length + 2) {
                Some(b"\r\n") => {}
                Some(_) => return Err("expected a chunk's end, got something else".into()),
                None => return Ok(false),
            }
            self.body.extend_from_slice(chunk);
            self.taken = start + length + 2;
        }
        match httparse::parse_chunk_size(&rest[self.taken..]) {
            Err(_) => Err("expected a chunk's size, got something else".into()),
            Ok(_) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_bans_without_a_time_is_left_alone_for_a_while() {
        let to = Endpoint::http("restUrl", "http://127.0.0.1:1/").unwrap();
        let after = |status, told| match unwanted(&to, status, told, b"") {
            DialError::Passing { after, .. } => after,
            _ => panic!("{status} is no fault of a moment"),
        };
        assert_eq!((after(418, None), after(429, None), after(503, None)), (Some(UNSAID), Some(UNSAID), None));
        assert_eq!(after(429, Some(Duration::from_secs(9))), Some(Duration::from_secs(9)));
    }

    #[test]
    fn a_head_says_where_its_body_ends() {
        let head = |text: &str| parse_head(text.as_bytes());
        assert_eq!(head("HTTP/1.1 200 OK\r\nContent-Le"), Ok(None));
        let whole = head("HTTP/1.1 429 Slow\r\ncontent-length: 5\r\nRETRY-AFTER: 7\r\n\r\nhello").unwrap().unwrap();
        assert_eq!((whole.status, whole.body, whole.len), (429, Body::Length(5), 56));
        assert_eq!(whole.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(head("HTTP/1.1 204 X\r\n\r\n").unwrap().unwrap().body, Body::Length(0));
        assert_eq!(head("HTTP/1.0 200 X\r\n\r\n").unwrap().unwrap().body, Body::UntilClosed);
        for bad in [
            "SSH-2.0-x\r\n",
            "HTTP/1.1 200 X\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 X\r\nContent-Encoding: br\r\n\r\n",
        ] {
            assert!(head(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_is_granted_an_hour_at_most() {
        let seconds = |text| retry_after(text).map(|wait| wait.as_secs());
        assert_eq!(["0", "3600", "3601", "18446744073709551615"].map(seconds), [0, 3_600, 3_600, 3_600].map(Some));
        assert_eq!(["-1", "", "1.5", "Wed, 21 Oct 2015 07:28:00 GMT"].map(seconds), [None; 4]);
    }

    #[test]
    fn chunks_come_in_any_pieces() {
        let sent = b"4\r\nwiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n";
        for step in 1..sent.len() {
            let (mut chunks, mut done) = (Chunks::default(), false);
            for end in (step..=sent.len()).step_by(step).chain([sent.len()]) {
                done = done || chunks.take(&sent[..end]).unwrap();
            }
            assert!(done && chunks.body == b"wikipedia", "in steps of {step}");
        }
        assert!(Chunks::default().take(b"zz\r\n").is_err() && Chunks::default().take(b"2\r\nabcd").is_err());
        assert!(Chunks::default().take(b"fffffffffff\r\n").is_err());
    }
}
