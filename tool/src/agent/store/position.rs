//! What the writer must remember when it opens the store again.

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
    /// The numbers of the open sessions, by their ids. The monitor's session table bounds how many are
    /// open. If the end of a session was dropped, its entry stays until the next run, hence [`MAX_OPEN`].
    pub(super) open: HashMap<String, i64>,
    /// Sessions in the file.
    pub(super) count: i64,
}

/// The most open sessions that are remembered. The end of any further one becomes a row of its own.
pub(super) const MAX_OPEN: usize = 65_536;

impl Position {
    /// Continues in this file. If it is the same file as before, rows from the next number on come from a
    /// transaction that seemed to fail, and are replaced. In any other file, all rows stay.
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
