//! Where the writer is in the store.

use std::collections::HashMap;

use rusqlite::Connection;

use super::run::Run;

/// What the writer knows beyond the life of one connection. It changes only after a commit.
#[derive(Debug, Default)]
pub(super) struct Position {
    /// The number of the next session.
    pub(super) next: i64,
    /// The number of the next run.
    pub(super) next_run: i64,
    /// The device and inode of the file that was written.
    file: Option<(u64, u64)>,
    /// The run that goes on.
    pub(super) run: Option<Run>,
    /// Sessions that are open, by their ids: their numbers. The session table of the monitor bounds how
    /// many are open. Where an end was dropped, the entry stays until the next run: [`MAX_OPEN`].
    pub(super) open: HashMap<String, i64>,
    /// Sessions in the file.
    pub(super) count: i64,
}

/// The most open sessions that are remembered. Above it, further ones are not: their ends are rows of
/// their own then.
pub(super) const MAX_OPEN: usize = 65_536;

impl Position {
    /// Continues in this file. In the file that was written before, everything from the next number on
    /// is of a transaction that seemed to fail. Another file keeps what it has.
    pub(super) fn enter(
        &mut self,
        connection: &Connection,
        file: Option<(u64, u64)>,
    ) -> rusqlite::Result<()> {
        let number = |query| connection.query_row(query, (), |row| row.get::<_, i64>(0));
        if self.file != file || file.is_none() {
            self.next = self.next.max(number("SELECT coalesce(max(id), 0) + 1 FROM session")?);
            self.next_run = self.next_run.max(number("SELECT coalesce(max(id), 0) + 1 FROM run")?);
            if let Some(run) = &mut self.run {
                run.id = self.next_run;
                self.next_run += 1;
            }
            self.open.clear();
            self.file = file;
        }
        self.count = number("SELECT count(*) FROM session")?;
        if let Some(run) = &self.run {
            run.begin(connection)?;
        }
        Ok(())
    }
}
