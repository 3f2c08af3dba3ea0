//! Variables of the environment, in a process whose runtime writes them too.
//!
//! `std::env` and libc know nothing of each other's locks, nor of a runtime's: Node's `process.env.X = …` moves libc's
//! table under the feet of any other thread that reads it. So a host that has a runtime says once what stands there, and
//! libc is not asked again.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The variables that the engine looks at.
const NAMES: [&str; 5] = ["SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "VELOX_CLOCK", "XDG_RUNTIME_DIR"];

static GIVEN: OnceLock<[Option<OsString>; NAMES.len()]> = OnceLock::new();

/// Says for the rest of the process what the variables are that the engine looks at: `value` is asked for each by its name,
/// on this thread. The first host of a process is believed, later ones are not asked. Call it before anything else of the
/// engine.
pub fn give_variables(value: impl Fn(&str) -> Option<OsString>) {
    GIVEN.get_or_init(|| NAMES.map(value));
}

/// A variable of the environment: as [`give_variables`] was told, else as the process has it.
///
/// ```
/// assert_eq!(velox_sys::variable("TMPDIR"), std::env::var_os("TMPDIR"));
/// ```
///
/// # Panics
/// The engine looks at no variable of that name.
pub fn variable(name: &str) -> Option<OsString> {
    let at = NAMES.iter().position(|known| *known == name).expect("a variable that is in the list");
    match GIVEN.get() {
        Some(given) => given[at].clone(),
        None => std::env::var_os(name),
    }
}

/// The folder for temporary files, on Unix.
pub fn temporary_folder() -> PathBuf {
    variable("TMPDIR").map_or_else(|| "/tmp".into(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_first_host_gives_stands_and_the_environment_is_not_asked_again() {
        assert_eq!(variable("TMPDIR"), std::env::var_os("TMPDIR"));
        give_variables(|name| (name == "TMPDIR").then(|| "/given".into()));
        give_variables(|name| Some(name.into()));
        assert_eq!((temporary_folder(), variable("VELOX_CLOCK")), ("/given".into(), None));
    }
}
