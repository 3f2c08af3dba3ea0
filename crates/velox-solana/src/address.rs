use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// 32 bytes that name an account, a program or a blockhash. As a text it is base58.
///
/// ```
/// use velox_solana::Address;
/// let memo: Address = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr".parse().unwrap();
/// assert_eq!(memo.to_string(), "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Address([u8; 32]);

/// A text that names no account.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected 32 bytes in base58, got {got:?}")]
pub struct InvalidAddress {
    /// Its first characters.
    pub got: String,
}

/// How much of a wrong text is told.
const TOLD: usize = 44;

impl Address {
    /// The address of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The address of a text that is known to be one.
    ///
    /// # Panics
    /// For any other text; in a constant that is an error of the compiler.
    pub const fn known(text: &str) -> Self {
        Self(five8_const::decode_32_const(text))
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The base58 of UTF-8, without an allocation unless it is none.
    ///
    /// # Errors
    /// [`InvalidAddress`].
    pub fn from_base58(text: &[u8]) -> Result<Self, InvalidAddress> {
        let mut bytes = [0; 32];
        match five8::decode_32(text, &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) => Err(InvalidAddress { got: String::from_utf8_lossy(text).chars().take(TOLD).collect() }),
        }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        Self::from_base58(text.as_bytes())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 44];
        let length = five8::encode_32(&self.0, &mut text);
        f.pad(std::str::from_utf8(&text[..usize::from(length)]).unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}
