//! Why the store cannot be used.

use std::io;

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why the store cannot be written or read. Each has a defined outcome: see `docs/agent.md`.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another agent writes it. This one takes over once the other has ended.
    #[error("another agent stores there")]
    Locked,
    /// The file was not made by pfsnoop. It is never touched.
    #[error("the file is not a store of pfsnoop; name another one with --store")]
    Foreign,
    /// A newer pfsnoop made it. It is never touched.
    #[error(
        "a newer pfsnoop made the file (schema version {version}); use that one, or another file"
    )]
    Newer {
        /// The version of the file's schema.
        version: usize,
    },
    /// An older pfsnoop made it. An agent migrates it, a reader cannot.
    #[error("an older pfsnoop made the file; `pfsnoop agent --store` on it brings it up to date")]
    Older,
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// The file is one of pfsnoop, and damaged.
    #[error("the file is damaged: {0}")]
    Corrupt(String),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The file or the file system cannot be written.
    #[error("the file or its file system is read-only")]
    ReadOnly,
    /// Too many damaged files were moved aside already.
    #[error("{0} damaged files lie beside it; remove them")]
    ManyCorrupt(usize),
    /// The system's error.
    #[error("{0}")]
    Io(io::Error),
    /// Another error of SQLite.
    #[error("{0}")]
    Sqlite(rusqlite::Error),
}

impl StoreError {
    /// The kind, in one word for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        Self::KINDS[self.index()]
    }

    /// Every kind.
    pub const KINDS: [&'static str; 6] =
        ["locked", "foreign", "corrupt", "full", "read-only", "io"];

    pub(super) fn index(&self) -> usize {
        match self {
            Self::Locked => 0,
            Self::Foreign | Self::Newer { .. } | Self::Older => 1,
            Self::Corrupt(_) | Self::ManyCorrupt(_) => 2,
            Self::Full => 3,
            Self::ReadOnly => 4,
            Self::Missing | Self::Io(_) | Self::Sqlite(_) => 5,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Sqlite(error),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Io(error),
        }
    }
}
