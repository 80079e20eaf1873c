//! What waits for the store.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::counters::StoreCounters;
use super::record::Record;

/// The most memory that waiting records take, with those that the writer has in hand: some thousand
/// sessions. Above it, the oldest are dropped and counted.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What is to be stored.
#[derive(Debug)]
pub(super) enum Item {
    /// A run of the monitor has begun: its number, and the time in ns since 1970.
    Began { run: u64, time_ns: i64 },
    /// A session has changed.
    Changed(Box<Record>),
}

impl Item {
    fn memory(&self) -> usize {
        let record = match self {
            Self::Began { .. } => 0,
            Self::Changed(record) => record.memory(),
        };
        size_of::<Self>() + record
    }

    /// When it happened: ns since 1970.
    pub(super) fn time_ns(&self) -> i64 {
        match self {
            Self::Began { time_ns, .. } => *time_ns,
            Self::Changed(record) => record.time_ns,
        }
    }

    pub(super) fn is_record(&self) -> bool {
        matches!(self, Self::Changed(_))
    }
}

/// A queue with one writer at its end. Whoever adds to it never waits for a disk.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    counters: Arc<StoreCounters>,
}

#[derive(Debug, Default)]
struct Waiting {
    items: VecDeque<Item>,
    /// Of the items.
    bytes: usize,
    /// Of what the writer has taken and not stored yet.
    in_hand: usize,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(counters: Arc<StoreCounters>) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), counters }
    }

    /// Adds an item at the end.
    pub(super) fn push(&self, item: Item) {
        let mut waiting = self.lock();
        waiting.bytes += item.memory();
        waiting.items.push_back(item);
        self.trim(&mut waiting);
        drop(waiting);
        self.changed.notify_all();
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Whether nothing more will come.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Takes all items: those that came up to `window` after the first. Waits for the first one up to
    /// `timeout`, and for nothing once the queue is closed.
    pub(super) fn take(&self, timeout: Duration, window: Duration) -> Vec<Item> {
        let waiting = self.wait(self.lock(), timeout, |waiting| !waiting.items.is_empty());
        let is_empty = waiting.items.is_empty();
        let mut waiting = if is_empty { waiting } else { self.wait(waiting, window, |_| false) };
        waiting.in_hand = std::mem::take(&mut waiting.bytes);
        std::mem::take(&mut waiting.items).into()
    }

    /// Waits so long, but not once the queue is closed.
    pub(super) fn pause(&self, time: Duration) {
        drop(self.wait(self.lock(), time, |_| false));
    }

    /// What was taken is stored.
    pub(super) fn done(&self) {
        self.lock().in_hand = 0;
    }

    /// Puts what was taken back to the front: it could not be stored.
    pub(super) fn give_back(&self, items: Vec<Item>) {
        let mut waiting = self.lock();
        waiting.bytes += std::mem::take(&mut waiting.in_hand);
        for item in items.into_iter().rev() {
            waiting.items.push_front(item);
        }
        self.trim(&mut waiting);
    }

    /// Drops the oldest items above the limit.
    fn trim(&self, waiting: &mut Waiting) {
        while waiting.bytes + waiting.in_hand > MAX_BYTES {
            let Some(item) = waiting.items.pop_front() else { break };
            waiting.bytes -= item.memory();
            self.counters.add_dropped(usize::from(item.is_record()));
        }
    }

    fn wait<'a>(
        &self,
        waiting: MutexGuard<'a, Waiting>,
        time: Duration,
        is_enough: impl Fn(&Waiting) -> bool,
    ) -> MutexGuard<'a, Waiting> {
        let Some(deadline) = Instant::now().checked_add(time) else { return waiting };
        let mut waiting = waiting;
        while !waiting.is_closed && !is_enough(&waiting) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(waiting, left);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        waiting
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Closed, Outcome, Session};

    fn changed(number: usize) -> Item {
        let session =
            Session { id: number.to_string(), ..Session::example(Closed::example(Outcome::Ok)) };
        Item::Changed(Box::new(Record { session, time_ns: 0, run: 1 }))
    }

    fn first_id(items: &[Item]) -> usize {
        let Some(Item::Changed(record)) = items.first() else { panic!("{items:?}") };
        record.session.id.parse().unwrap()
    }

    #[test]
    fn the_oldest_are_dropped_and_counted_also_those_that_come_back() {
        let queue = Queue::new(Arc::default());
        let fits = MAX_BYTES / changed(10_000).memory();
        let count = fits + fits / 2;
        (0..count).for_each(|number| queue.push(changed(10_000 + number)));
        let dropped = usize::try_from(queue.counters.dropped()).unwrap();
        assert!(dropped.abs_diff(count - fits) <= 1, "{dropped} of {count}, {fits} fit");
        let taken = queue.take(Duration::ZERO, Duration::ZERO);
        assert_eq!((first_id(&taken), taken.len() + dropped), (10_000 + dropped, count));
        // What is in hand counts too.
        queue.push(changed(99_999));
        queue.push(changed(99_999));
        assert!(queue.lock().items.len() <= 1);
        queue.give_back(taken);
        let dropped = usize::try_from(queue.counters.dropped()).unwrap();
        assert_eq!(queue.lock().items.len() + dropped, count + 2);
    }

    #[test]
    fn a_closed_queue_waits_for_nothing() {
        let queue = Queue::new(Arc::default());
        queue.push(changed(1));
        queue.close();
        let start = Instant::now();
        assert_eq!(queue.take(Duration::from_mins(1), Duration::from_mins(1)).len(), 1);
        queue.pause(Duration::from_mins(1));
        assert!(start.elapsed() < Duration::from_secs(10) && queue.is_closed());
    }
}
