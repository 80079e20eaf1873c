//! Deletes what is too old or too much, a little at a time.

use std::time::Duration;

use rusqlite::Connection;

use super::codes::signed;
use super::texts::SEGMENT_BITS;

/// How much the store keeps.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Sessions that ended longer ago are deleted.
    pub age: Duration,
    /// When the file is larger, the oldest sessions are deleted.
    pub bytes: u64,
}

/// How many sessions one step deletes: some tens of milliseconds, between two batches.
const STEP: i64 = 4000;

/// How many free pages of 4 KiB one step gives back to the file system.
const PAGES: i64 = 512;

/// What a step has found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// How many sessions it deleted. More steps may be due.
    pub(super) deleted: usize,
    /// Bytes of the file that are in use.
    pub(super) bytes: u64,
}

/// Deletes the next sessions that are too old or too much, and what only they referred to.
pub(super) fn step(connection: &mut Connection, keep: Keep, now_ns: i64) -> rusqlite::Result<Step> {
    let oldest_ns =
        now_ns.saturating_sub(signed(u64::try_from(keep.age.as_nanos()).unwrap_or(u64::MAX)));
    let transaction = connection.transaction()?;
    let mut deleted = transaction
        .prepare_cached(
            "DELETE FROM session WHERE id IN \
             (SELECT id FROM session WHERE time_ns < ? AND state >= 2 ORDER BY time_ns LIMIT ?)",
        )?
        .execute((oldest_ns, STEP))?;
    let bytes = used_bytes(&transaction)?;
    if deleted == 0 && bytes > keep.bytes {
        deleted = transaction
            .prepare_cached(
                "DELETE FROM session WHERE id IN (SELECT id FROM session ORDER BY id LIMIT ?)",
            )?
            .execute([STEP])?;
    }
    transaction.commit()?;
    if deleted > 0 {
        // A pragma with rows: each gives back one page.
        connection
            .prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES})"))?
            .query_map((), |_| Ok(()))?
            .for_each(drop);
    }
    Ok(Step { deleted, bytes: used_bytes(connection)? })
}

/// Deletes pods, containers, texts and runs to which no session refers.
pub(super) fn sweep(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "DELETE FROM target
           WHERE NOT EXISTS (SELECT 1 FROM session WHERE session.target = target.id);
         DELETE FROM text WHERE segment IN (
           WITH found(segment) AS (SELECT DISTINCT segment FROM text)
           SELECT segment FROM found WHERE NOT EXISTS (
             SELECT 1 FROM session
             WHERE id >= segment << {SEGMENT_BITS} AND id < segment + 1 << {SEGMENT_BITS}));
         DELETE FROM run
           WHERE id < (SELECT run FROM session ORDER BY id LIMIT 1)
           AND id < (SELECT max(id) FROM run)"
    ))
}

fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let value = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let used = (value("page_count")? - value("freelist_count")?) * value("page_size")?;
    Ok(used.unsigned_abs())
}
