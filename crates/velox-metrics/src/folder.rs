//! Where the files of metrics lie.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::reader::look;

/// What the name of a complete file ends with.
pub(crate) const EXTENSION: &str = "metrics";
/// What it ends with before that: for the moments of a start.
pub(crate) const UNNAMED: &str = "new";

/// A file of a process that isn't there is removed once it hasn't beaten for so long: the process may live where this one
/// can't see it, as in another container.
const SILENT: Duration = Duration::from_secs(10);

/// Where the files of this user's engines are: `velox-engine` in `$XDG_RUNTIME_DIR`, else `velox-engine-UID` in `/dev/shm`, else
/// the same in the folder for temporary files; none on a system without users by number.
///
/// ```
/// if let Some(folder) = velox_metrics::folder() {
///     assert!(folder.file_name().unwrap().to_string_lossy().starts_with("velox-engine"));
/// }
/// ```
pub fn folder() -> Option<PathBuf> {
    let user = velox_sys::user()?;
    let of_user = format!("velox-engine-{user}");
    let runtime = velox_sys::variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|path| path.is_absolute() && path.is_dir());
    Some(match runtime {
        Some(runtime) => runtime.join("velox-engine"),
        None if Path::new("/dev/shm").is_dir() => Path::new("/dev/shm").join(of_user),
        None => velox_sys::temporary_folder().join(of_user),
    })
}

/// Makes the folder, and removes what dead processes left there.
pub(crate) fn ready(folder: &Path) -> io::Result<()> {
    velox_sys::private_folder(folder)?;
    for path in files(folder, EXTENSION) {
        if look(&path).is_ok_and(|found| !found.process_lives() && found.silent_for() > SILENT) {
            let _ = fs::remove_file(path);
        }
    }
    for path in files(folder, UNNAMED) {
        let made = fs::metadata(&path).and_then(|file| file.modified());
        if made.is_ok_and(|made| made.elapsed().is_ok_and(|since| since > SILENT)) {
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

/// The files in a folder that end so, in the order of their names.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    paths.sort();
    paths
}
