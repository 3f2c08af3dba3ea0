//! TLS by the platform's trust.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use rustls_native_certs::CertificateResult;

use crate::LiveError;

/// What the system trusts: its own store, or the files that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Reads files.
pub(crate) fn platform() -> Result<Arc<ClientConfig>, LiveError> {
    let found = certificates();
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

/// Where distributions keep what they trust in one file; the first that is there counts. After `root_linux.go` of Go's
/// `crypto/x509`, as the folders are.
#[cfg(target_os = "linux")]
const FILES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
];
#[cfg(target_os = "linux")]
const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// `load_native_certs` would ask libc for the two variables and for where the files are, beside a runtime that writes them.
#[cfg(target_os = "linux")]
fn certificates() -> CertificateResult {
    use std::path::{Path, PathBuf};
    let named = |name| velox_sys::variable(name).into_iter();
    let mut files: Vec<PathBuf> = named("SSL_CERT_FILE").map(PathBuf::from).collect();
    let mut folders: Vec<PathBuf> = named("SSL_CERT_DIR")
        .flat_map(|folders| std::env::split_paths(&folders).collect::<Vec<_>>())
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect();
    if files.is_empty() && folders.is_empty() {
        let there = |path: &&Path| path.exists();
        files.extend(FILES.iter().map(Path::new).find(there).map(PathBuf::from));
        folders.extend(FOLDERS.iter().map(Path::new).filter(there).map(PathBuf::from));
    }
    let mut all = CertificateResult::default();
    let files = files.iter().map(|file| (Some(&**file), None));
    for (file, folder) in files.chain(folders.iter().map(|folder| (None, Some(&**folder)))) {
        let found = rustls_native_certs::load_certs_from_paths(file, folder);
        all.certs.extend(found.certs);
        all.errors.extend(found.errors);
    }
    all
}

/// Elsewhere the system has a store of its own.
#[cfg(not(target_os = "linux"))]
fn certificates() -> CertificateResult {
    rustls_native_certs::load_native_certs()
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
