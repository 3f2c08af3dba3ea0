//! TLS by the platform's trust.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::LiveError;

/// What the system trusts: its own store, or the files that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Reads files.
pub(crate) fn platform() -> Result<Arc<ClientConfig>, LiveError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let reason = found.errors.first().map_or_else(|| "none".into(), ToString::to_string);
        return Err(LiveError::NoTrust { reason });
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| LiveError::NoTrust { reason: error.to_string() })?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// A session with this host, before its handshake.
pub(crate) fn session(config: &Arc<ClientConfig>, host: &str) -> Result<ClientConnection, LiveError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| LiveError::InvalidUrl {
        field: "url",
        expected: "a host that a certificate can name",
        got: host.into(),
    })?;
    ClientConnection::new(Arc::clone(config), name)
        .map_err(|error| LiveError::Untrusted { host: host.into(), reason: error.to_string() })
}

/// Whether a handshake failed for the server's certificate.
pub(crate) fn untrusted(host: &str, error: &std::io::Error) -> Option<LiveError> {
    let reason = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let is_certificate =
        matches!(reason, rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented);
    is_certificate.then(|| LiveError::Untrusted { host: host.into(), reason: reason.to_string() })
}
