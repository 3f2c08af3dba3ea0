//! Keys from files and from the environment: what is refused, and that nothing is told.

mod common;

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::key;
use ed25519_dalek::SigningKey;
use velox_solana::{KeyError, Keypair};

fn pair(seed: u8) -> [u8; 64] {
    SigningKey::from_bytes(&[seed; 32]).to_keypair_bytes()
}

fn json(bytes: &[u8]) -> String {
    format!("[{}]", bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(","))
}

struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str, mode: u32) -> Self {
        let path = std::env::temp_dir().join(format!("velox-key-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let _ = mode;
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Whatever says one of the secret's numbers beside another one of them, or its base58.
fn tells(text: &str, bytes: &[u8]) -> bool {
    let numbers = bytes
        .windows(2)
        .any(|two| [",", ", "].iter().any(|comma| text.contains(&format!("{}{comma}{}", two[0], two[1]))));
    let mut base58 = [0; 88];
    let length = five8::encode_64(bytes.try_into().unwrap(), &mut base58);
    numbers || text.contains(std::str::from_utf8(&base58[..usize::from(length)]).unwrap())
}

#[test]
fn a_key_file_is_read_and_shows_its_address_only() {
    let file = File::new("good", &format!(" {}\n", json(&pair(1))), 0o600);
    let read = Keypair::read(&file.0).unwrap();
    assert_eq!(read.address(), key(1).address());
    assert_eq!(format!("{read:?}"), format!("Keypair({})", key(1).address()));
}

#[test]
#[cfg(unix)]
fn a_key_file_that_others_can_read_is_refused() {
    for mode in [0o640, 0o604, 0o660, 0o777, 0o620] {
        let file = File::new(&format!("mode-{mode:o}"), &json(&pair(1)), mode);
        let error = Keypair::read(&file.0).unwrap_err().to_string();
        assert!(error.ends_with(&format!("only its owner can read (chmod 600), got mode {mode:o}")), "{error}");
        assert!(!tells(&error, &pair(1)));
    }
    let file = File::new("mode-400", &json(&pair(1)), 0o400);
    assert!(Keypair::read(&file.0).is_ok());
}

#[test]
fn what_is_no_key_is_refused_without_a_word_of_it() {
    let mut foreign = pair(1);
    foreign[32..].copy_from_slice(&pair(2)[32..]);
    let long = format!("{}{}", json(&pair(1)), " ".repeat(2_000));
    let texts = [
        json(&pair(1)[..63]),
        json(&[&pair(1)[..], &[0]].concat()),
        json(&pair(1)).replace(',', ";"),
        json(&pair(1)).replacen(',', ",0", 1),
        json(&pair(1)).replacen(',', ",256,", 1),
        json(&pair(1)).trim_end_matches(']').into(),
        json(&foreign),
        long,
        String::new(),
        "[]".into(),
        "hunter2 hunter2".into(),
    ];
    for (i, text) in texts.iter().enumerate() {
        let file = File::new(&format!("bad-{i}"), text, 0o600);
        let error = Keypair::read(&file.0).unwrap_err();
        assert!(matches!(error, KeyError::Refused { .. }), "{i}: {error}");
        assert!(!tells(&error.to_string(), &pair(1)) && !error.to_string().contains("hunter2"), "{i}: {error}");
        assert!(!tells(&format!("{error:?}"), &pair(1)), "{i}: {error:?}");
    }
    let missing = Keypair::read("/nowhere/id.json").unwrap_err();
    assert_eq!(missing.to_string(), "/nowhere/id.json: expected a key file, got nothing there");
    assert!(
        Keypair::read(std::env::temp_dir()).unwrap_err().to_string().contains("expected a file, got something else")
    );
    assert!(Keypair::from_bytes(&foreign).is_err());
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_nobody_waits() {
    let pipe = std::env::temp_dir().join(format!("velox-key-pipe-{}", std::process::id()));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = Keypair::read(&pipe).unwrap_err().to_string();
    fs::remove_file(&pipe).unwrap();
    assert!(error.contains("expected a file, got something else"), "{error}");
}

#[test]
fn a_key_in_the_place_of_its_path_or_name_is_not_told() {
    let mut base58 = [0; 88];
    let length = five8::encode_64(&pair(1), &mut base58);
    let base58 = std::str::from_utf8(&base58[..usize::from(length)]).unwrap();
    let hex: String = pair(1).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let base64 = STANDARD.encode(pair(1));
    for text in [&json(&pair(1))[..], base58, &format!(" {base58}\n"), &hex, &hex[..64], &base64] {
        for error in [Keypair::read(text).unwrap_err(), Keypair::from_env(text).unwrap_err()] {
            let told = error.to_string();
            assert!(!tells(&told, &pair(1)) && !told.contains(&hex[..64]) && !told.contains(&base64), "{error}");
        }
    }
}

#[test]
fn an_environment_variable_that_is_not_there_is_told_by_name() {
    let error = Keypair::from_env("VELOX_NO_SUCH_KEY").unwrap_err().to_string();
    assert_eq!(error, "the environment variable VELOX_NO_SUCH_KEY: expected a key, got nothing there");
    // PATH is there, and is no key.
    let error = Keypair::from_env("PATH").unwrap_err().to_string();
    assert_eq!(
        error,
        "the environment variable PATH: expected a Solana key: an array of 64 numbers, 0 to 255, or the same in base58, got something else"
    );
}
