//! The thread that writes the store.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::counters::StoreCounters;
use super::error::StoreError;
use super::lock::StoreLock;
use super::open_store::OpenStore;
use super::options::StoreOptions;
use super::outage::{Outage, shown};
use super::paths::{make_folder, move_aside};
use super::position::Position;
use super::queue::{Item, Queue};
use crate::host::{clock, node, privileges};
use crate::output;

/// How long changes are collected for one transaction. A session that starts and ends in this time is
/// written once.
const WINDOW: Duration = Duration::from_millis(200);

/// How often an idle writer deletes what is too old, and notes that open sessions are still followed.
const IDLE_INTERVAL: Duration = Duration::from_mins(1);

/// How often a busy writer looks for what to delete; at once while there is more.
const SHRINK_INTERVAL: Duration = Duration::from_secs(5);

/// While another agent has the lock: how often this one tries to take it, and for how long it keeps what
/// it sees. After the other agent's end, it stores what that agent did not.
const LOCK_INTERVAL: Duration = Duration::from_secs(1);
const STANDBY_KEEP_NS: i64 = 3_000_000_000;

/// Writes what comes through the queue, until the queue is closed.
pub(super) struct Writer {
    queue: Arc<Queue>,
    counters: Arc<StoreCounters>,
    options: StoreOptions,
    lock: Option<StoreLock>,
    /// Another agent had the lock.
    is_standby: bool,
    store: Option<OpenStore>,
    position: Position,
    outage: Option<Outage>,
    next_shrink: Instant,
    is_sweep_due: bool,
}

impl Writer {
    pub(super) fn new(
        queue: Arc<Queue>,
        counters: Arc<StoreCounters>,
        options: StoreOptions,
    ) -> Self {
        Self {
            queue,
            counters,
            options,
            lock: None,
            is_standby: false,
            store: None,
            position: Position::default(),
            outage: None,
            next_shrink: Instant::now(),
            is_sweep_due: false,
        }
    }

    /// Writes until the queue is closed, and then what it still has.
    pub(super) fn run(mut self) {
        privileges::settle_thread();
        loop {
            let is_last = self.queue.is_closed();
            let mut items = self.queue.take(self.idle_time(), WINDOW);
            match self.turn(&mut items) {
                Ok(()) => self.succeeded(),
                Err(error) => self.failed(&error, items, is_last),
            }
            if is_last {
                return self.end();
            }
        }
    }

    /// Stores the items, which are gone then, and deletes what is too old or too much.
    fn turn(&mut self, items: &mut Vec<Item>) -> Result<(), StoreError> {
        let now_ns = clock::wall_ns();
        if self.store.as_ref().is_some_and(|store| !store.is_in_place()) {
            self.store = None;
        }
        let is_new = self.store.is_none();
        if is_new {
            self.open()?;
        }
        let Some(store) = &mut self.store else { return Ok(()) };
        let has_open = !self.position.open.is_empty();
        if !items.is_empty() || has_open || is_new {
            if self.is_standby {
                let until = store.stored_until(&node::boot_id())?;
                items.retain(|item| !item.is_record() || item.time_ns() > until);
            }
            let stored = store.write(items, &mut self.position, now_ns)?;
            items.clear();
            self.is_standby = false;
            self.counters.add_stored(stored);
        }
        self.shrink(now_ns)
    }

    fn open(&mut self) -> Result<(), StoreError> {
        let path = &self.options.path;
        make_folder(path)?;
        if self.lock.is_none() {
            self.lock = Some(StoreLock::take(path)?);
        }
        self.store = Some(OpenStore::open(path, &mut self.position)?);
        Ok(())
    }

    fn shrink(&mut self, now_ns: i64) -> Result<(), StoreError> {
        let Some(store) = &mut self.store else { return Ok(()) };
        if Instant::now() < self.next_shrink {
            return Ok(());
        }
        let step = store.shrink(self.options.keep, now_ns)?;
        self.position.count -= i64::try_from(step.deleted).unwrap_or(0);
        self.counters.set_size(step.bytes, self.position.count.unsigned_abs());
        if step.deleted > 0 {
            self.is_sweep_due = true;
            self.next_shrink = Instant::now();
        } else {
            self.next_shrink = Instant::now() + SHRINK_INTERVAL;
            if std::mem::take(&mut self.is_sweep_due) {
                store.sweep()?;
            }
        }
        Ok(())
    }

    /// How long to wait for the next item.
    fn idle_time(&self) -> Duration {
        if self.is_sweep_due { WINDOW } else { IDLE_INTERVAL }
    }

    fn succeeded(&mut self) {
        self.queue.done();
        self.counters.set_healthy(true);
        if let Some(outage) = self.outage.take() {
            outage.end(&self.options.path, self.counters.dropped());
        }
    }

    fn failed(&mut self, error: &StoreError, mut items: Vec<Item>, is_last: bool) {
        self.counters.set_healthy(false);
        // If the disk was full, the transaction was rolled back, and the connection can be used again.
        // After any other error, the state of the connection is unknown.
        if !matches!(error, StoreError::Full) {
            self.store = None;
        }
        self.report(error);
        if matches!(error, StoreError::Corrupt(_)) && self.begin_anew() {
            return self.queue.give_back(items);
        }
        if matches!(error, StoreError::Locked) {
            self.is_standby = true;
            let oldest_ns = clock::wall_ns() - STANDBY_KEEP_NS;
            items.retain(|item| !item.is_record() || item.time_ns() > oldest_ns);
        }
        self.queue.give_back(items);
        let wait = match (&mut self.outage, is_last) {
            (_, true) => Duration::ZERO,
            (Some(outage), _) if !matches!(error, StoreError::Locked) => outage.next_wait(),
            _ => LOCK_INTERVAL,
        };
        self.queue.pause(wait);
    }

    fn report(&mut self, error: &StoreError) {
        let path = &self.options.path;
        let is_new = if let Some(outage) = &mut self.outage {
            outage.go_on(path, error)
        } else {
            self.outage = Some(Outage::begin(path, error, self.counters.dropped()));
            true
        };
        if is_new {
            self.counters.add_failure(error);
        }
    }

    /// Moves a damaged file aside, so that the next attempt begins a new one.
    fn begin_anew(&mut self) -> bool {
        let path = &self.options.path;
        match move_aside(path, &clock::file_time()) {
            Ok(aside) => {
                output::complain(&format!("the damaged file is now {}", shown(&aside)));
                true
            }
            Err(error) => {
                self.report(&error);
                false
            }
        }
    }

    /// Ends the run in the store. What could not be stored is lost.
    fn end(mut self) {
        let mut left = self.queue.take(Duration::ZERO, Duration::ZERO);
        if !left.is_empty() && self.turn(&mut left).is_err() {
            let count = left.iter().filter(|item| item.is_record()).count();
            if count > 0 && !self.is_standby {
                self.counters.add_dropped(count);
                let path = shown(&self.options.path);
                output::complain(&format!("{count} records of sessions were not stored in {path}"));
            }
        }
        if let Some(store) = self.store.take()
            && let Err(error) = store.end(&self.position, clock::wall_ns())
        {
            report_end(&self.options.path, &error);
        }
    }
}

fn report_end(path: &Path, error: &StoreError) {
    output::complain(&format!("cannot close {}: {error}", shown(path)));
}
