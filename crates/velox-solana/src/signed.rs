use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// 64 bytes that prove who sent a transaction. The first one names it; as a text it is base58.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// The signature of these bytes.
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 88];
        let length = five8::encode_64(&self.0, &mut text);
        f.pad(std::str::from_utf8(&text[..usize::from(length)]).unwrap_or_default())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

/// A transaction that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    /// The first signature, by which the network knows it.
    pub signature: Signature,
    /// Its bytes, at most 1,232.
    pub wire: Vec<u8>,
    /// How many records are in it.
    pub records: usize,
    /// What it can spend at most besides the tip: fees, what the system program moves, and what was declared.
    pub lamports: u64,
    /// 0 where it has no tip.
    pub tip_lamports: u64,
}

impl SignedTransaction {
    /// As it is sent.
    pub fn base64(&self) -> String {
        STANDARD.encode(&self.wire)
    }
}

/// The id by which a block engine will know a bundle of these transactions: hex SHA-256 of their first signatures in
/// base58, joined by commas. Known before anything is sent.
///
/// Source: Jito's documentation of `sendBundle`.
pub fn bundle_id(signatures: &[Signature]) -> String {
    let joined = signatures.iter().map(Signature::to_string).collect::<Vec<_>>().join(",");
    Sha256::digest(joined).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a text never fails.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
