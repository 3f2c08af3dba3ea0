//! Folders that one user has for itself.

use std::fs::Metadata;
use std::io;
use std::path::Path;

/// Makes a folder that only this user may enter (0700), or takes the one that is there. The folder that it lies in must be
/// there.
///
/// # Errors
/// What is there is no folder (a symbolic link is none), belongs to somebody else, or lets others in; the system makes
/// none; a system without owners of files ([`io::ErrorKind::Unsupported`]).
pub fn private_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, MetadataExt};
        match std::fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Not followed: a link could lead anywhere. Whoever could put another in its place is this user, or root.
        let found = path.symlink_metadata()?;
        let refuse = |what: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("expected {what}")));
        if !found.is_dir() {
            return refuse("a folder, not a link or a file");
        }
        if !is_own(&found) {
            return refuse("a folder of this user's own");
        }
        if found.mode() & 0o077 != 0 {
            return refuse("a folder that nobody else may enter (0700)");
        }
        Ok(())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Whether a file belongs to this user; `false` on a system without owners of files.
pub fn is_own(file: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some(file.uid()) == crate::user()
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        false
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_folder_is_made_once_and_refused_where_others_could_reach_it() {
        let at = std::env::temp_dir().join(format!("velox-folder-{}", std::process::id()));
        private_folder(&at).unwrap();
        private_folder(&at).unwrap();
        assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o777, 0o700);

        let link = at.join("link");
        symlink(&at, &link).unwrap();
        assert_eq!(private_folder(&link).unwrap_err().kind(), io::ErrorKind::PermissionDenied);

        let open = at.join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(private_folder(&open).unwrap_err().to_string().contains("0700"));

        let file = at.join("file");
        fs::write(&file, "").unwrap();
        assert!(private_folder(&file).is_err());
        fs::remove_dir_all(&at).unwrap();
    }
}
