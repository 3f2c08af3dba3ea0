//! URLs of snapshots.

use std::fmt::Write;

/// A base that paths can be put behind, without a slash at its end; `None` where it can't be one.
pub(super) fn rest_base(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let is_plain = |c: char| c.is_ascii_graphic() && !"?#\"<>\\^`{|}".contains(c);
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let has_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let is_host = !host.is_empty() && !host.contains('@') && (host.starts_with('[') || !host.contains(':'));
    (is_web && is_host && has_port && rest.chars().all(is_plain))
        .then(|| format!("{scheme}://{authority}/{path}").trim_end_matches('/').to_owned())
}

/// A text as the value of a query.
///
/// Source: RFC 3986, sections 2.1 and 2.3, <https://www.rfc-editor.org/rfc/rfc3986>.
pub(super) fn query_value(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_url_without_its_last_slash() {
        for (url, base) in [
            ("https://api.binance.com", "https://api.binance.com"),
            ("http://127.0.0.1:8080//", "http://127.0.0.1:8080"),
            ("HTTPS://[::1]:9/a/b/", "HTTPS://[::1]:9/a/b"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(rest_base(url).as_deref(), Some(base));
        }
        for url in [
            "",
            "x",
            "localhost:80",
            "ftp://a",
            "ws://a",
            "http://",
            "http:///a",
            "http://a b",
            "http://a?b",
            "http://a#b",
            "http://a:0",
            "http://a:x",
            "http://a:99999",
            "http://a:1:2",
            "http://b@a",
            "http://\u{e4}",
            "http://a\n",
        ] {
            assert_eq!(rest_base(url), None, "{url}");
        }
    }

    #[test]
    fn what_is_not_plain_in_a_query_is_encoded() {
        assert_eq!(query_value("BTC-USDT_1.a~"), "BTC-USDT_1.a~");
        assert_eq!(query_value("A&b=c/\u{5e01} %"), "A%26b%3Dc%2F%E5%B8%81%20%25");
    }
}
