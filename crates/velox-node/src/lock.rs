//! Files that one owner has at a time.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use fs4::{FileExt, TryLockError};
use napi_derive::napi;
use serde_json::json;

use crate::errors::{Result, Thrown};
use crate::slots::{self, Object};

/// Locks a file beside the one that it is for, and writes this process's number into it. The system gives the lock back with
/// the slot, and where the process is killed; the file stays, as one that is deleted could be locked twice.
///
/// # Errors
/// `VELOX_JOURNAL_LOCKED` where somebody has it, this process too; `VELOX_FILE_UNWRITABLE`.
#[napi(catch_unwind)]
pub fn file_lock(path: String) -> Result<u32> {
    let unwritable = |error: std::io::Error| {
        Thrown::new("VELOX_FILE_UNWRITABLE", json!({ "path": path, "reason": error.to_string() }))
    };
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(unwritable)?;
    match FileExt::try_lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // On some systems a locked file can't be read either.
            let _ = Read::by_ref(&mut file).take(20).read_to_string(&mut owner);
            let by =
                owner.trim().parse::<u32>().map_or_else(|_| "another process".into(), |id| format!("process {id}"));
            return Err(Thrown::new("VELOX_JOURNAL_LOCKED", json!({ "path": path, "by": by })).into());
        }
        Err(TryLockError::Error(error)) => return Err(unwritable(error).into()),
    }
    sign(&mut file).map_err(unwritable)?;
    Ok(slots::put(Object::Lock(file)))
}

fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}
