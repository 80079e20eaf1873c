//! One writer at a time.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::error::StoreError;
use super::paths::beside;

/// The lock of a store: a file beside it, locked with flock(2) for as long as this lives. The kernel
/// releases it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// Takes the lock, or fails with [`StoreError::Locked`].
    pub(super) fn take(store: &Path) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(beside(store, ".lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => Err(StoreError::Locked),
            Err(errno) => Err(StoreError::Io(errno.into())),
        }
    }
}
