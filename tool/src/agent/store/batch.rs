//! Several changes in one transaction.

use std::collections::HashMap;

use rusqlite::Connection;

use super::position::{MAX_OPEN, Position};
use super::queue::Item;
use super::record::Record;
use super::run::Run;
use super::session_row::Dictionary;
use crate::host::node;

/// What a transaction will have changed once it is committed.
pub(super) struct Batch<'a> {
    connection: &'a Connection,
    dictionary: &'a mut Dictionary,
    before: &'a Position,
    next: i64,
    next_run: i64,
    run: Option<Run>,
    /// The open sessions when a run began in this batch.
    left_open: Option<HashMap<String, i64>>,
    /// Changes of the open sessions: `None` for those that have ended.
    changed: HashMap<String, Option<i64>>,
    count: i64,
    pub(super) stored: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        dictionary: &'a mut Dictionary,
        before: &'a Position,
    ) -> Self {
        let Position { next, next_run, run, count, .. } = before;
        Self {
            connection,
            dictionary,
            before,
            next: *next,
            next_run: *next_run,
            run: run.clone(),
            left_open: None,
            changed: HashMap::new(),
            count: *count,
            stored: 0,
        }
    }

    /// Stores all items. Of several changes of a session, only the last is stored.
    pub(super) fn store(&mut self, items: &[Item]) -> rusqlite::Result<()> {
        let mut last = HashMap::new();
        for (n, item) in items.iter().enumerate() {
            if let Item::Changed(record) = item {
                last.insert(record.session.id.as_str(), n);
            }
        }
        for (n, item) in items.iter().enumerate() {
            match item {
                Item::Began { run, time_ns } => self.begin(*run, *time_ns)?,
                Item::Changed(record) => {
                    self.stored += 1;
                    if last.get(record.session.id.as_str()) == Some(&n) {
                        self.change(record)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, number: u64, began_ns: i64) -> rusqlite::Result<()> {
        let run = Run { id: self.next_run, number, began_ns, boot: node::boot_id() };
        self.next_run += 1;
        self.left_open = Some(run.begin(self.connection)?);
        self.changed.clear();
        self.run = Some(run);
        Ok(())
    }

    fn change(&mut self, record: &Record) -> rusqlite::Result<()> {
        // The item `Began` of this run may have been dropped.
        if self.run.as_ref().is_none_or(|run| run.number != record.run) {
            self.begin(record.run, record.time_ns)?;
        }
        let id = &record.session.id;
        if let Some(number) = self.number_of(id) {
            let delete = "DELETE FROM session WHERE id = ?";
            let deleted = self.connection.prepare_cached(delete)?.execute([number])?;
            self.count -= i64::try_from(deleted).unwrap_or(0);
        }
        let (number, run) = (self.next, self.run.as_ref().map_or(0, |run| run.id));
        self.dictionary.insert(self.connection, number, run, record)?;
        self.next += 1;
        self.count += 1;
        self.changed.insert(id.clone(), record.is_open().then_some(number));
        Ok(())
    }

    /// The number of an open session.
    fn number_of(&self, id: &str) -> Option<i64> {
        match self.changed.get(id) {
            Some(changed) => *changed,
            None => self.left_open.as_ref().unwrap_or(&self.before.open).get(id).copied(),
        }
    }

    /// The run that goes on.
    pub(super) fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// What is to be done once the transaction is committed.
    pub(super) fn outcome(self) -> Committed {
        let Self { next, next_run, run, left_open, changed, count, .. } = self;
        Committed { next, next_run, run, left_open, changed, count }
    }
}

/// The changes of a transaction that was committed.
pub(super) struct Committed {
    next: i64,
    next_run: i64,
    run: Option<Run>,
    left_open: Option<HashMap<String, i64>>,
    changed: HashMap<String, Option<i64>>,
    count: i64,
}

impl Committed {
    pub(super) fn apply(self, position: &mut Position) {
        let Self { next, next_run, run, left_open, changed, count } = self;
        (position.next, position.next_run, position.run, position.count) =
            (next, next_run, run, count);
        if let Some(left_open) = left_open {
            position.open = left_open;
        }
        for (id, number) in changed {
            match number {
                Some(number) if position.open.len() < MAX_OPEN => {
                    position.open.insert(id, number);
                }
                _ => {
                    position.open.remove(&id);
                }
            }
        }
    }
}
