//! A run of the monitor, in the store.

use std::collections::HashMap;

use rusqlite::Connection;

/// Marks what earlier runs left open. They were not followed to their end.
const LOSE: &str = "UPDATE session SET state = 3, time_ns = max(time_ns, \
     (SELECT coalesce(ended_ns, written_ns) FROM run WHERE run.id = session.run)) \
     WHERE state < 2 AND run <> ?";

/// A run of the monitor: sessions are followed for as long as it lasts.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Its number in the store.
    pub(super) id: i64,
    /// Its number in this process.
    pub(super) number: u64,
    /// When it began: ns since 1970.
    pub(super) began_ns: i64,
    /// The boot of the node.
    pub(super) boot: String,
}

impl Run {
    /// Begins the run in the store. Returns the sessions that earlier runs of the same boot have left
    /// open, by their ids: they are `lost` now, unless this run still sees their end.
    pub(super) fn begin(&self, connection: &Connection) -> rusqlite::Result<HashMap<String, i64>> {
        let left_open = "SELECT session_id, session.id FROM session JOIN run ON run.id = session.run \
                         WHERE state < 2 AND run <> ? AND boot = ?";
        let left_open = connection
            .prepare(left_open)?
            .query_map((self.id, &self.boot), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        connection.execute(LOSE, [self.id])?;
        let insert = "INSERT INTO run (id, boot, version, began_ns, written_ns) \
                      VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO NOTHING";
        connection
            .execute(insert, (self.id, &self.boot, env!("CARGO_PKG_VERSION"), self.began_ns))?;
        Ok(left_open)
    }

    /// Notes that the run was alive at that time.
    pub(super) fn touch(&self, connection: &Connection, now_ns: i64) -> rusqlite::Result<()> {
        let update = "UPDATE run SET written_ns = ? WHERE id = ?";
        connection.prepare_cached(update)?.execute((now_ns, self.id)).map(drop)
    }

    /// Ends the run. What is still open is lost.
    pub(super) fn end(&self, connection: &Connection, now_ns: i64) -> rusqlite::Result<()> {
        let update = "UPDATE run SET written_ns = ?1, ended_ns = ?1 WHERE id = ?2";
        connection.execute(update, (now_ns, self.id))?;
        connection.execute(LOSE, [-1]).map(drop)
    }
}
