//! Events that were read and wait to be applied, in order, within a limit in bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pfsnoop_common::shares;
use tokio::sync::Notify;

use crate::model::{Event, LossPlaces, Losses};

/// At most this many bytes wait, as [`Event::memory`] counts them: some ten thousand ordinary
/// execs. No process on the node can raise this limit.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The part of the limit that only events of port-forwards may use: they are the last to be
/// dropped.
const RESERVED_BYTES: usize = 2 * 1024 * 1024;

/// The part of that which only events of the host's root may use. A container or a user can make
/// connections without end.
const HOSTS_BYTES: usize = 1024 * 1024;

/// At most this many events are handed on at once, so that signals and timers have their turn.
const BATCH: usize = 128;

/// No more events are handed on at once than have this many bytes, except for a single larger one.
const BATCH_BYTES: usize = 512 * 1024;

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
    dropped: Losses,
    undecodable: u64,
    is_closed: bool,
}

/// Events in the order of time.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    /// Every record from before that time (`CLOCK_BOOTTIME`, ns) has been taken, or was lost.
    pub(super) horizon_ns: u64,
    /// Memory of the events.
    pub(super) bytes: usize,
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
        let (mut events, mut bytes) = (Vec::new(), 0);
        while events.len() < BATCH
            && let Some((event, of_it)) =
                queue.events.pop_front_if(|(_, next)| bytes == 0 || bytes + *next <= BATCH_BYTES)
        {
            bytes += of_it;
            events.push(event);
        }
        queue.bytes -= bytes;
        let is_empty = queue.events.is_empty();
        queue.has_news = !is_empty || queue.is_closed;
        let horizon_ns = match events.last() {
            Some(last) if !is_empty => last.time_ns(),
            _ => queue.horizon_ns,
        };
        if is_empty {
            // Frees the memory that a burst took.
            queue.events.shrink_to(BATCH);
        }
        Batch { events, horizon_ns, bytes, is_last: is_empty && queue.is_closed }
    }

    /// Events that were dropped and records that could not be decoded, since the start.
    pub(super) fn losses(&self) -> Losses {
        let queue = self.lock();
        let (inbox, undecodable) = (queue.dropped.total(), queue.undecodable);
        let places = LossPlaces { inbox, undecodable, ..LossPlaces::default() };
        let Losses { of_host, of_others, .. } = queue.dropped;
        Losses { of_host: of_host + undecodable, of_others, places }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, event: Event) {
        let bytes = event.memory();
        let is_hosts = event.share() == shares::HOST;
        let reserved = match event.is_of_forward() {
            false => RESERVED_BYTES,
            true if is_hosts => 0,
            true => HOSTS_BYTES,
        };
        if self.bytes + bytes > MAX_BYTES - reserved {
            let dropped =
                if is_hosts { &mut self.dropped.of_host } else { &mut self.dropped.of_others };
            *dropped += 1;
            return;
        }
        self.bytes += bytes;
        self.events.push_back((event, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ArgList, Args, ExecEvent};

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
        assert_eq!(inbox.losses().total(), 7);
        push(&inbox, [exec(2, b"nsenter")], 3);
        assert_eq!(inbox.losses().total(), 7, "there is room for a helper");
        let of_a_user = |n| match exec(n, b"nsenter") {
            Event::Exec(exec) => Event::Exec(ExecEvent { share: shares::of_user(65_534), ..exec }),
            other => other,
        };
        push(&inbox, (0..fit as u64).map(of_a_user), 4);
        let Losses { of_host, of_others, .. } = inbox.losses();
        assert!(of_host == 7 && of_others > 0, "{of_host} {of_others}");
        push(&inbox, (0..100).map(|n| exec(n, b"nsenter")), 5);
        assert_eq!(inbox.losses().of_host, 7, "there is room for the host's");
        while !inbox.take().events.is_empty() {}
        push(&inbox, [exec(4, b"x")], 5);
        assert_eq!(inbox.losses().of_host, 7, "there is room again");
        assert_eq!(inbox.take().events.len(), 1);
    }

    #[test]
    fn a_batch_has_a_limit_in_bytes() {
        let inbox = Inbox::default();
        let large = |time_ns| {
            let args =
                Args { list: ArgList::terminated(&b"x\0".repeat(32_000)), ..Args::default() };
            Event::Exec(ExecEvent { time_ns, args, ..ExecEvent::default() })
        };
        let size = large(0).memory();
        assert!((64_000..66_000).contains(&size), "{size}");
        push(&inbox, (1..=90).map(large), 999);
        let first = inbox.take();
        let len = first.events.len();
        assert_eq!((len, first.horizon_ns), (BATCH_BYTES / size, len as u64));
        let mut count = len;
        while let batch = inbox.take()
            && !batch.events.is_empty()
        {
            count += batch.events.len();
        }
        assert_eq!((count, inbox.losses().total(), inbox.lock().bytes), (90, 0, 0));
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
