//! Reads the store.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::database::{FileKind, file_kind};
use super::error::StoreError;
use super::past_row;
use super::paths::beside;
use super::query::{BY_NUMBER, Query};
use super::schema;
use crate::model::{HistoryFilter, PastSession};

/// How long a read waits for a writer that recovers the write-ahead log.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// A store, open for reading: also while an agent writes it, and without the right to write to the file
/// or its folder.
#[derive(Debug)]
pub struct History {
    connection: Connection,
    misses_newest: bool,
}

impl History {
    /// Opens a store.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        match file_kind(path)? {
            FileKind::None => return Err(StoreError::Missing),
            FileKind::Foreign => return Err(StoreError::Foreign),
            FileKind::Store => {}
        }
        match Self::connect(path, "mode=ro") {
            Err(StoreError::ReadOnly) => Self::connect_immutable(path),
            Err(StoreError::Sqlite(error))
                if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) =>
            {
                Self::connect_immutable(path)
            }
            opened => opened,
        }
    }

    /// For a reader that may not make the files that readers and writers share. It reads the file alone,
    /// which is complete if there is no write-ahead log.
    fn connect_immutable(path: &Path) -> Result<Self, StoreError> {
        let history = Self::connect(path, "immutable=1")?;
        let log = std::fs::metadata(beside(path, "-wal"));
        Ok(Self { misses_newest: log.is_ok_and(|log| log.len() > 0), ..history })
    }

    fn connect(path: &Path, how: &str) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(uri(path, how), flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        schema::check(&connection)?;
        Ok(Self { connection, misses_newest: false })
    }

    /// Whether the newest sessions may be missing: they are in a log that this process cannot use.
    #[must_use]
    pub fn misses_newest(&self) -> bool {
        self.misses_newest
    }

    /// The numbers of the newest sessions that match, oldest first. Without `count`, of all.
    pub fn numbers(
        &self,
        filter: &HistoryFilter,
        count: Option<u64>,
    ) -> Result<Vec<i64>, StoreError> {
        let limit = count.map_or(-1, |count| i64::try_from(count).unwrap_or(i64::MAX));
        let newest = |limit: i64| format!("ORDER BY time_ns DESC, id DESC LIMIT {limit}");
        let mut numbers = self.select(Query::in_time(filter), &newest(limit))?;
        if let Some(since_ns) = filter.since_ns {
            let found = i64::try_from(numbers.len()).unwrap_or(i64::MAX);
            let left = if limit < 0 { limit } else { limit - found };
            numbers.extend(self.select(Query::still_open(filter, since_ns), &newest(left))?);
        }
        numbers.reverse();
        Ok(numbers)
    }

    /// The numbers of the next sessions that changed after the one with this number, in order.
    pub fn numbers_after(
        &self,
        filter: &HistoryFilter,
        number: i64,
    ) -> Result<Vec<i64>, StoreError> {
        self.select(Query::after(filter, number), BY_NUMBER)
    }

    /// The number of the last session that changed.
    pub fn last_number(&self) -> Result<i64, StoreError> {
        let query = "SELECT coalesce(max(id), 0) FROM session";
        Ok(self.connection.query_row(query, (), |row| row.get(0))?)
    }

    /// The sessions with these numbers, all at one moment. A session that was deleted, or has changed and
    /// so has another number, is left out. The writer's log grows while this reads, so ask for a few
    /// hundred at once at most.
    pub fn sessions(&self, numbers: &[i64]) -> Result<Vec<PastSession>, StoreError> {
        Ok(past_row::read(&self.connection, numbers)?)
    }

    fn select(&self, query: Query, end: &str) -> Result<Vec<i64>, StoreError> {
        let (sql, values) = query.numbers(end);
        let mut statement = self.connection.prepare(&sql)?;
        let numbers = statement.query_map(params_from_iter(values), |row| row.get(0))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }
}

/// A path as a URI (<https://www.sqlite.org/uri.html>).
fn uri(path: &Path, how: &str) -> String {
    let mut uri = "file:".to_owned();
    // A relative path must not look like an authority, nor an absolute one: `file:///...`.
    if path.is_absolute() {
        uri.push_str("//");
    }
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(byte));
            }
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(uri, "%{byte:02x}");
            }
        }
    }
    format!("{uri}?{how}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_a_path_is_its_own() {
        assert_eq!(uri(Path::new("/a b/?#%.db"), "x=1"), "file:///a%20b/%3f%23%25.db?x=1");
        assert_eq!(uri(Path::new("s.db"), "x=1"), "file:s.db?x=1");
    }
}
