//! Where a server is.

use std::fmt;

use tungstenite::http::Uri;

use crate::LiveError;

/// A server and what to ask it for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) tls: bool,
    /// Without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query, from the slash on.
    pub(crate) path: String,
    /// As it was given.
    pub(crate) url: String,
}

impl Endpoint {
    /// A `ws://` or `wss://` URL.
    pub(crate) fn websocket(field: &'static str, url: &str) -> Result<Self, LiveError> {
        Self::parse(url, "ws", "wss").ok_or_else(|| LiveError::InvalidUrl {
            field,
            expected: "a URL as in ws://host:port/path or wss://host/path",
            got: url.into(),
        })
    }

    /// An `http://` or `https://` URL.
    pub(crate) fn http(field: &'static str, url: &str) -> Result<Self, LiveError> {
        Self::parse(url, "http", "https").ok_or_else(|| LiveError::InvalidUrl {
            field,
            expected: "a URL as in http://host:port or https://host",
            got: url.into(),
        })
    }

    fn parse(url: &str, plain: &str, secure: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let tls = match uri.scheme_str()? {
            scheme if scheme.eq_ignore_ascii_case(plain) => false,
            scheme if scheme.eq_ignore_ascii_case(secure) => true,
            _ => return None,
        };
        let host = uri.host().filter(|host| !host.is_empty())?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // Where there is a colon behind the host, there is a port that can be one.
        let port = match uri.authority()?.as_str().rsplit_once(']').map_or(uri.authority()?.as_str(), |(_, rest)| rest)
        {
            authority if authority.contains(':') => uri.port_u16().filter(|port| *port > 0)?,
            _ if tls => 443,
            _ => 80,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.into() } else { format!("/{path}") };
        Some(Self { tls, host: host.into(), port, path, url: url.into() })
    }

    /// The `Host` header.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_the_server_is() {
        let of =
            |url: &str| Endpoint::websocket("url", url).map(|it| (it.tls, it.host.clone(), it.port, it.path.clone()));
        assert_eq!(of("wss://ws.kraken.com"), Ok((true, "ws.kraken.com".into(), 443, "/".into())));
        assert_eq!(of("ws://127.0.0.1:8080/a?b=c/d"), Ok((false, "127.0.0.1".into(), 8080, "/a?b=c/d".into())));
        assert_eq!(of("ws://[::1]:9/x"), Ok((false, "::1".into(), 9, "/x".into())));
        assert_eq!(of("WSS://[::1]/x"), Ok((true, "::1".into(), 443, "/x".into())));
        let authority = |url| Endpoint::websocket("url", url).unwrap().authority();
        assert_eq!((authority("ws://[::1]:9"), authority("wss://a:443")), ("[::1]:9".into(), "a".into()));
    }

    #[test]
    fn what_is_no_url_is_refused_with_its_name() {
        for url in ["", "ws.kraken.com", "http://a", "ws://", "ws://:9", "ws://a:0", "ws://a:99999", "ws://a b"] {
            let error = Endpoint::websocket("url", url).unwrap_err();
            assert!(matches!(&error, LiveError::InvalidUrl { field: "url", got, .. } if got == url), "{url}: {error}");
        }
        assert!(Endpoint::http("restUrl", "ws://a").is_err() && Endpoint::http("restUrl", "https://a").is_ok());
    }
}
