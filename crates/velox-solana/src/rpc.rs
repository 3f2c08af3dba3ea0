//! Sends what was signed, over HTTP: the four calls that a program needs. It blocks; nothing is sent twice by itself.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use thiserror::Error;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::{Address, Signature, SignedTransaction};

/// How long a call may take, from the connection to the answer's last byte.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const MOST_ANSWER: u64 = 4 << 20;
/// How much of an answer that is none is told, in characters.
const TOLD: usize = 200;
/// A key in an address is at least so long.
const SECRET_LENGTH: usize = 8;
/// What a node takes in one call.
const MOST_STATUSES: usize = 256;
/// What a block engine takes in one bundle.
const MOST_BUNDLED: usize = 5;

/// Why a call gave nothing. Addresses are told without their paths, in which keys may stand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RpcError {
    /// An argument that no server would take.
    #[error("{name}: expected {expected}, got {got}")]
    Argument {
        /// Its name.
        name: &'static str,
        /// What can be.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// No answer. The server may have done what it was asked all the same.
    #[error("{server}: expected an answer, got: {reason}")]
    Unreachable {
        /// Scheme, host and port.
        server: String,
        /// What the system said.
        reason: String,
    },
    /// An HTTP status other than 200.
    #[error("{server}: expected HTTP status 200, got {status}: {text}")]
    Http {
        /// Scheme, host and port.
        server: String,
        /// As it came.
        status: u16,
        /// How long to wait, where the server said it in seconds.
        retry_after: Option<Duration>,
        /// The beginning of what it said.
        text: String,
    },
    /// What the server says is wrong.
    #[error("{server}: expected a result, got error {code}: {message}")]
    Rpc {
        /// Scheme, host and port.
        server: String,
        /// The server's own.
        code: i64,
        /// The server's own.
        message: String,
    },
    /// An answer of another form.
    #[error("{server}: expected {expected}, got {got}")]
    Answer {
        /// Scheme, host and port.
        server: String,
        /// What can be.
        expected: &'static str,
        /// The beginning of what came.
        got: String,
    },
}

/// What a transaction needs to be new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatestBlockhash {
    /// To be put in.
    pub blockhash: Address,
    /// The last block that takes a transaction with it.
    pub last_valid_block_height: u64,
}

/// What a node knows of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureStatus {
    /// The slot that it ran in.
    pub slot: u64,
    /// `processed`, `confirmed` or `finalized`.
    pub confirmation: String,
    /// The node's JSON of why it failed; none where it didn't.
    pub error: Option<String>,
}

/// A server of JSON-RPC: a node, or a block engine at its address of bundles.
pub struct RpcClient {
    url: String,
    server: String,
    /// Parts of the address that may be keys.
    secrets: Vec<String>,
    agent: Agent,
}

impl RpcClient {
    /// A client of this address, `http://` or `https://`. Connects with the first call. TLS by the platform's trust.
    ///
    /// # Errors
    /// [`RpcError::Argument`] for another scheme.
    pub fn new(url: &str) -> Result<Self, RpcError> {
        let argument = |got: &str| RpcError::Argument {
            name: "url",
            expected: "an address with http:// or https:// and a host",
            got: got.into(),
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| argument("one without a scheme"))?;
        let mut parts = rest.split(['/', '?', '#', '&', '=']);
        let host = parts.next().unwrap_or_default();
        let secrets = parts.filter(|part| part.len() >= SECRET_LENGTH).map(String::from).collect();
        // A password before the host is a secret too.
        let host = host.rsplit('@').next().unwrap_or_default();
        if !matches!(scheme, "http" | "https") || host.is_empty() {
            return Err(argument(scheme));
        }
        let config = Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false);
        let config = if scheme == "https" { config.tls_config(platform_trust()) } else { config };
        Ok(Self {
            url: url.into(),
            server: format!("{scheme}://{host}"),
            secrets,
            agent: Agent::new_with_config(config.build()),
        })
    }

    /// A confirmed blockhash.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn latest_blockhash(&self) -> Result<LatestBlockhash, RpcError> {
        let result = self.call("getLatestBlockhash", &json!([{ "commitment": "confirmed" }]))?;
        let value = &result["value"];
        let found = value["blockhash"].as_str().and_then(|text| text.parse().ok());
        match (found, value["lastValidBlockHeight"].as_u64()) {
            (Some(blockhash), Some(last_valid_block_height)) => {
                Ok(LatestBlockhash { blockhash, last_valid_block_height })
            }
            _ => Err(self.unlike("a blockhash and its last block height", &result)),
        }
    }

    /// Sends a transaction. That a server takes it is a receipt, not a landing: ask for its status.
    ///
    /// # Errors
    /// [`RpcError`]. After [`RpcError::Unreachable`] it may land all the same: sign no other one in its place before the
    /// last block height of its blockhash is over.
    pub fn send_transaction(&self, transaction: &SignedTransaction) -> Result<(), RpcError> {
        // By itself a node simulates on its last finalized block, which doesn't know the newest blockhashes.
        let options = json!({ "encoding": "base64", "maxRetries": 0, "preflightCommitment": "confirmed" });
        let result = self.call("sendTransaction", &json!([transaction.base64(), options]))?;
        if result.as_str() == Some(&transaction.signature.to_string()) {
            return Ok(());
        }
        Err(self.unlike("the transaction's own signature", &result))
    }

    /// Sends a bundle to a block engine, at its address of bundles (`…/api/v1/bundles`). Gives the id by which the engine
    /// knows it: a receipt, not a landing.
    ///
    /// # Errors
    /// [`RpcError`]: none or more than 5 transactions, none of which has a tip.
    pub fn send_bundle(&self, transactions: &[SignedTransaction]) -> Result<String, RpcError> {
        let argument = |expected, got| Err(RpcError::Argument { name: "transactions", expected, got });
        if transactions.is_empty() || transactions.len() > MOST_BUNDLED {
            return argument("1 to 5", transactions.len().to_string());
        }
        if transactions.iter().all(|transaction| transaction.tip_lamports == 0) {
            return argument("one with a tip", "none".into());
        }
        let encoded: Vec<_> = transactions.iter().map(SignedTransaction::base64).collect();
        let result = self.call("sendBundle", &json!([encoded, { "encoding": "base64" }]))?;
        result.as_str().map(String::from).ok_or_else(|| self.unlike("a bundle's id", &result))
    }

    /// What the node knows of these transactions, in their order; none of what it doesn't know.
    ///
    /// # Errors
    /// [`RpcError`]: more than 256 signatures.
    pub fn signature_statuses(&self, signatures: &[Signature]) -> Result<Vec<Option<SignatureStatus>>, RpcError> {
        if signatures.len() > MOST_STATUSES {
            let got = signatures.len().to_string();
            return Err(RpcError::Argument { name: "signatures", expected: "at most 256", got });
        }
        let texts: Vec<_> = signatures.iter().map(Signature::to_string).collect();
        let result = self.call("getSignatureStatuses", &json!([texts, { "searchTransactionHistory": true }]))?;
        let status = |value: &Json| {
            Some(SignatureStatus {
                slot: value["slot"].as_u64()?,
                confirmation: value["confirmationStatus"].as_str()?.into(),
                error: Some(&value["err"]).filter(|error| !error.is_null()).map(Json::to_string),
            })
        };
        let values = result["value"].as_array().filter(|values| values.len() == signatures.len());
        let values = values.ok_or_else(|| self.unlike("a status or null for each signature", &result))?;
        let read = |value: &Json| match (value.is_null(), status(value)) {
            (true, _) => Ok(None),
            (false, Some(status)) => Ok(Some(status)),
            (false, None) => Err(self.unlike("a slot and a confirmation status", value)),
        };
        values.iter().map(read).collect()
    }

    fn unlike(&self, expected: &'static str, got: &Json) -> RpcError {
        RpcError::Answer {
            server: self.server.clone(),
            expected,
            got: self.masked(&got.to_string()).chars().take(TOLD).collect(),
        }
    }

    fn masked(&self, text: &str) -> String {
        self.secrets.iter().fold(text.into(), |text, secret| text.replace(secret, "***"))
    }

    fn call(&self, method: &str, params: &Json) -> Result<Json, RpcError> {
        let server = || self.server.clone();
        let unreachable = |error: ureq::Error| {
            let reason = self.masked(&error.to_string().replace(&self.url, &self.server));
            RpcError::Unreachable { server: server(), reason }
        };
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let post = self.agent.post(&self.url).header("content-type", "application/json");
        let mut response = post.send(request).map_err(unreachable)?;
        let status = response.status().as_u16();
        let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = header.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let text = response.body_mut().with_config().limit(MOST_ANSWER).read_to_string().map_err(unreachable)?;
        // Servers repeat what they were asked.
        let told = || self.masked(&text).chars().take(TOLD).collect::<String>();
        let answer: Option<Json> = serde_json::from_str(&text).ok();
        if let Some(error) = answer.as_ref().and_then(|answer| answer["error"].as_object()) {
            let of = |name: &str| error.get(name).cloned().unwrap_or_default();
            let message = self.masked(&of("message").as_str().map_or_else(told, String::from));
            if status == 200 {
                return Err(RpcError::Rpc { server: server(), code: of("code").as_i64().unwrap_or(0), message });
            }
        }
        if status != 200 {
            return Err(RpcError::Http { server: server(), status, retry_after, text: told() });
        }
        let result = answer.and_then(|mut answer| answer.get_mut("result").map(Json::take));
        let expected = "JSON-RPC with a result or an error";
        result.ok_or_else(|| RpcError::Answer { server: server(), expected, got: told() })
    }
}

/// What the system trusts: its own store, or the files that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
fn platform_trust() -> TlsConfig {
    let found = rustls_native_certs::load_native_certs().certs;
    let certificates: Vec<_> = found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&certificates))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}
