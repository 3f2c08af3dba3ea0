//! TLS by the platform's trust: a certificate authority of one's own, named by `SSL_CERT_FILE`.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::exchange::Exchange;
use common::{Keeper, options};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use velox_live::{Live, LiveError};

/// Says to a child process what it is to see.
const EXPECTED: &str = "VELOX_TEST_TLS";

/// A server's configuration with a certificate for localhost, and the PEM of the authority that it is from.
fn certified() -> (ServerConfig, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    (config, authority_certificate.pem())
}

/// What the child process does: the variables of the environment are the process's.
#[test]
#[ignore = "the other tests run it, in a process of its own"]
fn child() {
    let expected = std::env::var(EXPECTED).unwrap();
    let (config, authority) = certified();
    let exchange = Exchange::with_tls(config);
    let file = std::env::var("SSL_CERT_FILE").unwrap();
    if expected != "none" {
        let pem = if expected == "trusted" { authority } else { certified().1 };
        std::fs::write(&file, pem).unwrap();
    }
    if expected == "trusted" {
        let mut keeper = Keeper::new(options(&exchange));
        keeper.until_right(&exchange, 100);
        keeper.is_whole(&exchange);
        return;
    }
    let events = Live::new(options(&exchange)).unwrap().start(None).unwrap();
    let begun = Instant::now();
    let error = loop {
        if let Some(error) = events.failure() {
            break error;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{:#?}", events.stats().report());
        std::thread::sleep(Duration::from_millis(1));
    };
    match expected.as_str() {
        "untrusted" => assert!(matches!(&error, LiveError::Untrusted { host, .. } if host == "localhost"), "{error}"),
        _ => assert!(matches!(error, LiveError::NoTrust { .. }), "{error}"),
    }
    assert_eq!(error.code(), "VELOX_TLS_UNTRUSTED");
}

fn in_a_child(expected: &str) {
    let file = std::env::temp_dir().join(format!("velox-live-{}-{expected}.pem", std::process::id()));
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(EXPECTED, expected)
        .env("SSL_CERT_FILE", &file)
        .env("SSL_CERT_DIR", Path::new("no-such-folder"))
        .output()
        .unwrap();
    let _ = std::fs::remove_file(file);
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}{error}");
}

#[test]
fn a_server_of_a_trusted_authority_is_accepted() {
    in_a_child("trusted");
}

#[test]
fn a_server_of_an_unknown_authority_is_refused() {
    in_a_child("untrusted");
}

#[test]
fn a_system_that_trusts_nobody_is_told_so() {
    in_a_child("none");
}
