//! Events that were read and wait to be applied, in order, within a limit in bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::model::Event;

/// At most this many bytes wait, as [`Event::memory`] counts them: some ten thousand ordinary
/// execs. No process on the node can raise this limit.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The part of the limit that only events of port-forwards may use: they are the last to be
/// dropped.
const RESERVED_BYTES: usize = 2 * 1024 * 1024;

/// At most this many events are handed on at once, so that signals and timers have their turn.
const BATCH: usize = 128;

/// A queue between the reader thread and the monitor.
#[derive(Default)]
pub(super) struct Inbox {
    queue: Mutex<Queue>,
    arrived: Notify,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<(Event, usize)>,
    bytes: usize,
    horizon_ns: u64,
    /// Something was pushed that was not taken yet, perhaps only a horizon.
    has_news: bool,
    dropped: u64,
    undecodable: u64,
    is_closed: bool,
}

/// Events in the order of time.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    /// Every record from before that time (`CLOCK_BOOTTIME`, ns) has been taken, or was lost.
    pub(super) horizon_ns: u64,
    /// Nothing more will come.
    pub(super) is_last: bool,
}

impl Inbox {
    /// Adds what was read. Drops and counts what does not fit. Never waits.
    pub(super) fn push(&self, events: &mut Vec<Event>, horizon_ns: u64, undecodable: u64) {
        let mut queue = self.lock();
        for event in events.drain(..) {
            queue.push(event);
        }
        queue.horizon_ns = queue.horizon_ns.max(horizon_ns);
        queue.undecodable = undecodable;
        queue.has_news = true;
        drop(queue);
        self.arrived.notify_one();
    }

    /// Nothing more will be pushed.
    pub(super) fn close(&self) {
        let mut queue = self.lock();
        queue.is_closed = true;
        queue.has_news = true;
        drop(queue);
        self.arrived.notify_one();
    }

    /// Waits until there is something to take. Cancel safe.
    pub(super) async fn news(&self) {
        loop {
            let arrived = self.arrived.notified();
            if self.lock().has_news {
                return;
            }
            arrived.await;
        }
    }

    /// Takes a batch, without waiting.
    pub(super) fn take(&self) -> Batch {
        let mut queue = self.lock();
        let count = queue.events.len().min(BATCH);
        let taken: Vec<(Event, usize)> = queue.events.drain(..count).collect();
        queue.bytes -= taken.iter().map(|(_, bytes)| bytes).sum::<usize>();
        let is_empty = queue.events.is_empty();
        queue.has_news = !is_empty || queue.is_closed;
        let events: Vec<Event> = taken.into_iter().map(|(event, _)| event).collect();
        let horizon_ns = match events.last() {
            Some(last) if !is_empty => last.time_ns(),
            _ => queue.horizon_ns,
        };
        if is_empty {
            // Frees the memory that a burst took.
            queue.events.shrink_to(BATCH);
        }
        Batch { events, horizon_ns, is_last: is_empty && queue.is_closed }
    }

    /// Events that were dropped and records that could not be decoded, since the start.
    pub(super) fn lost(&self) -> u64 {
        let queue = self.lock();
        queue.dropped + queue.undecodable
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, event: Event) {
        let bytes = event.memory();
        let limit = if event.is_of_forward() { MAX_BYTES } else { MAX_BYTES - RESERVED_BYTES };
        if self.bytes + bytes > limit {
            self.dropped += 1;
            return;
        }
        self.bytes += bytes;
        self.events.push_back((event, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ExecEvent;

    fn exec(time_ns: u64, comm: &[u8]) -> Event {
        let filename = Some(vec![b'x'; 1000].into());
        Event::Exec(ExecEvent { time_ns, comm: comm.into(), filename, ..ExecEvent::default() })
    }

    fn push(inbox: &Inbox, events: impl IntoIterator<Item = Event>, horizon_ns: u64) {
        inbox.push(&mut events.into_iter().collect(), horizon_ns, 0);
    }

    #[test]
    fn events_keep_their_order_and_the_horizon_comes_with_the_last() {
        let inbox = Inbox::default();
        push(&inbox, (1..=BATCH as u64 + 1).map(|time| exec(time, b"x")), 9999);
        let first = inbox.take();
        assert_eq!((first.events.len(), first.horizon_ns), (BATCH, BATCH as u64));
        let second = inbox.take();
        assert_eq!((second.events.len(), second.horizon_ns), (1, 9999));
        assert_eq!(inbox.take().events.len(), 0);
    }

    #[test]
    fn events_that_do_not_fit_are_dropped_and_counted_helpers_last() {
        let inbox = Inbox::default();
        let size = exec(0, b"x").memory();
        let fit = (MAX_BYTES - RESERVED_BYTES) / size;
        push(&inbox, (0..fit as u64 + 7).map(|time| exec(time, b"x")), 1);
        assert_eq!(inbox.lost(), 7);
        push(&inbox, [exec(2, b"nsenter")], 3);
        assert_eq!(inbox.lost(), 7, "there is room for a helper");
        while !inbox.take().events.is_empty() {}
        push(&inbox, [exec(4, b"x")], 5);
        assert_eq!((inbox.lost(), inbox.take().events.len()), (7, 1), "there is room again");
    }

    #[tokio::test]
    async fn the_end_is_news_too() {
        let inbox = Inbox::default();
        push(&inbox, [exec(1, b"x")], 1);
        inbox.close();
        inbox.news().await;
        assert!(inbox.take().is_last);
    }
}
