//! The files of a store.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// The default of `--store`, for `agent`, `history` and `doctor`.
pub const DEFAULT_STORE: &str = "/var/lib/pfsnoop/sessions.db";

/// The most damaged files beside a store: they must not fill a bad disk.
const MAX_CORRUPT: usize = 3;

/// A file beside the store, named for it.
pub(super) fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes the folder of the store, for root alone, if it is missing.
pub(super) fn make_folder(store: &Path) -> io::Result<()> {
    match store.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)
        }
        _ => Ok(()),
    }
}

/// Moves a damaged store aside, and returns its new name. The time makes the name unique.
pub(super) fn move_aside(store: &Path, time: &str) -> Result<PathBuf, StoreError> {
    let aside = beside(store, &format!(".corrupt-{time}"));
    let count = corrupt_files(store)?;
    if count >= MAX_CORRUPT {
        return Err(StoreError::ManyCorrupt(count));
    }
    fs::rename(store, &aside)?;
    for suffix in ["-wal", "-shm"] {
        // Without them there is nothing to move.
        let _ = fs::rename(beside(store, suffix), beside(&aside, suffix));
    }
    Ok(aside)
}

fn corrupt_files(store: &Path) -> io::Result<usize> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
    let prefix = beside(store, ".corrupt-");
    let prefix = prefix.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let entries = fs::read_dir(folder.unwrap_or(Path::new(".")))?;
    let is_corrupt = |name: &str| {
        name.starts_with(&prefix) && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    Ok(entries.flatten().filter(|entry| is_corrupt(&entry.file_name().to_string_lossy())).count())
}
