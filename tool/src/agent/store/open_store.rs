//! The store, open for writing.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::batch::Batch;
use super::database;
use super::error::StoreError;
use super::position::Position;
use super::queue::Item;
use super::retention::{self, Keep, Step};
use super::session_row::Dictionary;

/// A connection to the store.
#[derive(Debug)]
pub(super) struct OpenStore {
    connection: Connection,
    dictionary: Dictionary,
    path: PathBuf,
    /// The file's device and inode.
    file: Option<(u64, u64)>,
}

impl OpenStore {
    /// Opens the store, and makes it if it is missing.
    pub(super) fn open(path: &Path, position: &mut Position) -> Result<Self, StoreError> {
        let connection = database::open(path)?;
        let file = file_at(path);
        position.enter(&connection, file)?;
        Ok(Self { connection, dictionary: Dictionary::default(), path: path.to_owned(), file })
    }

    /// Whether the file is still at its path: somebody may have removed or replaced it.
    pub(super) fn is_in_place(&self) -> bool {
        file_at(&self.path) == self.file
    }

    /// Stores all items in one transaction, and returns how many records that were. Can be repeated
    /// after any error. A commit that returned an error may still have succeeded, so the sessions that it
    /// may have left are deleted first.
    pub(super) fn write(
        &mut self,
        items: &[Item],
        position: &mut Position,
        now_ns: i64,
    ) -> Result<usize, StoreError> {
        let written = self.write_once(items, position, now_ns);
        if written.is_err() {
            // Its numbers may be of rows that were rolled back.
            self.dictionary = Dictionary::default();
        }
        written
    }

    fn write_once(
        &mut self,
        items: &[Item],
        position: &mut Position,
        now_ns: i64,
    ) -> Result<usize, StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let left = "DELETE FROM session WHERE id >= ?";
        transaction.prepare_cached(left)?.execute([position.next])?;
        let mut batch = Batch::new(&transaction, &mut self.dictionary, position);
        batch.store(items)?;
        if let Some(run) = batch.run() {
            run.touch(&transaction, now_ns)?;
        }
        let (stored, outcome) = (batch.stored, batch.outcome());
        transaction.commit()?;
        outcome.apply(position);
        Ok(stored)
    }

    /// Deletes the next part of what is too old or too much.
    pub(super) fn shrink(&mut self, keep: Keep, now_ns: i64) -> Result<Step, StoreError> {
        Ok(retention::step(&mut self.connection, keep, now_ns)?)
    }

    /// Deletes what only deleted sessions referred to.
    pub(super) fn sweep(&mut self) -> Result<(), StoreError> {
        self.dictionary = Dictionary::default();
        Ok(retention::sweep(&self.connection)?)
    }

    /// Ends the run, and closes the file.
    pub(super) fn end(self, position: &Position, now_ns: i64) -> Result<(), StoreError> {
        if let Some(run) = &position.run {
            run.end(&self.connection, now_ns)?;
        }
        self.connection.close().map_err(|(_, error)| error.into())
    }

    /// The last time in this boot at which an agent stored: ns since 1970. That agent has stored what
    /// happened before.
    pub(super) fn stored_until(&self, boot: &str) -> Result<i64, StoreError> {
        let query =
            "SELECT coalesce(max(coalesce(ended_ns, written_ns)), 0) FROM run WHERE boot = ?";
        Ok(self.connection.query_row(query, [boot], |row| row.get(0))?)
    }
}

fn file_at(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
