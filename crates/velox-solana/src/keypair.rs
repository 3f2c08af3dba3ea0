//! The key that signs. Its secret half is read here, stays here, and is told to nobody.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::Path;

use ed25519_dalek::{Signer, SigningKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{Address, Signature};

/// 64 numbers of three digits with commas and spaces; a longer file is none.
const MOST_TEXT: usize = 1_024;
/// The longest name of an environment variable; a key is longer, and must not be told as a name.
const LONGEST_NAME: usize = 64;

/// The shortest text that a secret of 32 bytes has in base58, but for leading zeros.
const LEAST_KEY: usize = 43;

/// Why there is no key. It says where, and never what stood there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No file is there.
    #[error("{path}: expected a key file, got nothing there")]
    NotFound {
        /// As it was given.
        path: String,
    },
    /// The key can't be used.
    #[error("{source_name}: expected {expected}, got {got}")]
    Refused {
        /// The file, or the environment variable.
        source_name: String,
        /// What can be.
        expected: &'static str,
        /// What came, without a byte of it.
        got: String,
    },
}

/// An ed25519 key pair. Its memory is cleared when it goes, and so is what it was read into; copies that the compiler or the
/// system made meanwhile are not. Its `Debug` shows the address.
pub struct Keypair {
    secret: Box<SigningKey>,
    address: Address,
}

const FORM: &str = "a Solana key: an array of 64 numbers, 0 to 255, or the same in base58";

impl Keypair {
    /// Reads a key file as `solana-keygen` writes it. On Unix its mode must let nobody but its owner read or write it
    /// (`chmod 600`); other systems are not asked.
    ///
    /// # Errors
    /// [`KeyError`], without any of the file's content.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let shown = path.to_string_lossy();
        let source = if is_like_a_key(&shown) { "the path".into() } else { shown.into_owned() };
        let refused = |expected, got: String| KeyError::Refused { source_name: source.clone(), expected, got };
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => KeyError::NotFound { path: source.clone() },
            _ => refused("a readable file", error.to_string()),
        };
        let mut options = OpenOptions::new();
        options.read(true);
        // Opening a pipe would wait for its other end.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
        let mut file = options.open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() {
            return Err(refused("a file", "something else".into()));
        }
        // What is asked is the opened file, so that it can't be another one by now.
        if let Some(mode) = shared_mode(&found) {
            return Err(refused("a file that only its owner can read (chmod 600)", format!("mode {mode:o}")));
        }
        let mut text = Zeroizing::new([0; MOST_TEXT]);
        let length = read_up_to(&mut file, &mut *text).map_err(failed)?;
        if length == MOST_TEXT {
            return Err(refused(FORM, "a longer file".into()));
        }
        Self::from_text(&source, &text[..length])
    }

    /// Reads a variable of the process's environment, as [`from_variable`](Self::from_variable) does.
    ///
    /// # Errors
    /// [`KeyError`], without any of its content.
    pub fn from_env(name: &str) -> Result<Self, KeyError> {
        Self::from_variable(name, |name| env::var_os(name).map(OsString::into_encoded_bytes))
    }

    /// Reads an environment variable that `read` gives: 64 numbers as in a key file, or base58. Weaker than a file: the environment is seen
    /// by whoever can look at the process, is inherited by its children, and isn't cleared; only
    /// what `read` gave is.
    ///
    /// # Errors
    /// [`KeyError`], without any of its content.
    pub fn from_variable(name: &str, read: impl FnOnce(&str) -> Option<Vec<u8>>) -> Result<Self, KeyError> {
        let is_form = name.len() <= LONGEST_NAME && !name.is_empty() && !name.contains(['=', '\0', '[']);
        let is_name = is_form && !is_like_a_key(name);
        if !is_name {
            let source_name = "the name of the environment variable".into();
            let expected = "at most 64 characters without '=' or '['";
            return Err(KeyError::Refused { source_name, expected, got: format!("{} others", name.len()) });
        }
        let source = format!("the environment variable {name}");
        let refused =
            |expected, got: &str| KeyError::Refused { source_name: source.clone(), expected, got: got.into() };
        let text = Zeroizing::new(read(name).ok_or_else(|| refused("a key", "nothing there"))?);
        Self::from_text(&source, &text)
    }

    /// A key of 64 bytes: the secret, then the address.
    ///
    /// # Errors
    /// [`KeyError`] where the address is not that of the secret.
    pub fn from_bytes(bytes: &[u8; 64]) -> Result<Self, KeyError> {
        Self::from_pair("the key", &Zeroizing::new(*bytes))
    }

    /// The account that it signs for.
    pub fn address(&self) -> Address {
        self.address
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        Signature::new(self.secret.sign(message).to_bytes())
    }

    fn from_text(source: &str, text: &[u8]) -> Result<Self, KeyError> {
        let mut pair = Zeroizing::new([0; 64]);
        if numbers(text, &mut pair).is_none() && five8::decode_64(text.trim_ascii(), &mut pair).is_err() {
            let got = "something else".into();
            return Err(KeyError::Refused { source_name: source.into(), expected: FORM, got });
        }
        Self::from_pair(source, &pair)
    }

    fn from_pair(source: &str, pair: &Zeroizing<[u8; 64]>) -> Result<Self, KeyError> {
        SigningKey::from_keypair_bytes(pair)
            .map(|secret| Self { address: Address::new(secret.verifying_key().to_bytes()), secret: Box::new(secret) })
            .map_err(|_| KeyError::Refused {
                source_name: source.into(),
                expected: "a public half that belongs to the secret one",
                got: "another".into(),
            })
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({})", self.address)
    }
}

/// Whether somebody passed a key where its place was asked for: numbers, base58, hex or base64.
fn is_like_a_key(text: &str) -> bool {
    let text = text.trim();
    let is_one_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.starts_with('[') || (text.len() >= LEAST_KEY && (is_one_word || text.ends_with('=')))
}

#[cfg(unix)]
fn shared_mode(found: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = found.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn shared_mode(_: &Metadata) -> Option<u32> {
    None
}

fn read_up_to(file: &mut File, into: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    loop {
        match file.read(&mut into[length..]) {
            Ok(0) => return Ok(length),
            Ok(count) => length += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A JSON array of 64 bytes, without a buffer in between that would have to be cleared.
fn numbers(text: &[u8], into: &mut [u8; 64]) -> Option<()> {
    let inner = text.trim_ascii().strip_prefix(b"[")?.strip_suffix(b"]")?;
    let mut count = 0;
    for part in inner.split(|byte| *byte == b',') {
        let digits = part.trim_ascii();
        let is_plain = matches!(digits, [b'0'..=b'9'] | [b'1'..=b'9', b'0'..=b'9', ..]);
        let value = digits.iter().try_fold(0_u8, |value, digit| {
            digit.is_ascii_digit().then_some(())?;
            value.checked_mul(10)?.checked_add(digit - b'0')
        });
        *into.get_mut(count)? = value.filter(|_| is_plain)?;
        count += 1;
    }
    (count == into.len()).then_some(())
}
