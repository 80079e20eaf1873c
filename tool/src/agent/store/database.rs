//! Opens the file of the store for writing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::paths::beside;
use super::schema::{self, APPLICATION_ID};

/// The first bytes of a file of SQLite (<https://www.sqlite.org/fileformat2.html>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where its header has the application id.
const APPLICATION_ID_AT: usize = 68;

/// How long a write waits while another program, such as `sqlite3`, locks the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How many bytes of the write-ahead log stay on the disk after a burst.
const WAL_BYTES: i64 = 4 * 1024 * 1024;

/// What a file is, by its first bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// No file, or an empty one.
    None,
    /// A store.
    Store,
    /// Anything else.
    Foreign,
}

/// Looks at a file without SQLite. When SQLite opens a file, it rolls back what is in the journal, and so
/// would change the file of another program.
pub(super) fn file_kind(path: &Path) -> io::Result<FileKind> {
    let mut header = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(100).read_to_end(&mut header)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FileKind::None),
        Err(error) => return Err(error),
    };
    if header.is_empty() {
        return Ok(FileKind::None);
    }
    let id = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4);
    let is_store = header.starts_with(MAGIC) && id == Some(&APPLICATION_ID.to_be_bytes());
    Ok(if is_store { FileKind::Store } else { FileKind::Foreign })
}

/// Opens a store for writing, and makes it if it is missing.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    match file_kind(path)? {
        FileKind::Foreign => return Err(StoreError::Foreign),
        FileKind::None => create(path)?,
        FileKind::Store => {}
    }
    let mut connection = connect(path)?;
    schema::migrate(&mut connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    // Each commit is on the disk when it returns.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// Makes a store under another name, and then renames it. So a crash never leaves half a store, which
/// would look like the file of another program.
fn create(path: &Path) -> Result<(), StoreError> {
    let new = beside(path, ".new");
    let _ = fs::remove_file(&new);
    // SQLite gives its own files the mode of this one.
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
    let mut connection = connect(&new)?;
    // Before the first table (<https://www.sqlite.org/pragma.html#pragma_auto_vacuum>).
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    schema::migrate(&mut connection)?;
    drop(connection);
    Ok(fs::rename(new, path)?)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}
