//! When a session that waits for one more event is given up.

use std::collections::{BTreeSet, HashMap};

/// How long a session waits for one more event. After the end of a helper, it waits for the end of
/// the helper's connection. After a refused connection, it waits for the next attempt (at
/// localhost's other address). On an idle node, both events come within microseconds.
pub(super) const EVENT_TIMEOUT_NS: u64 = 250_000_000;

/// How long a session waits for the end of its connection after its process has closed the socket.
/// What the process wrote last is on its way, and the other side may still answer. The kernel
/// itself waits for minutes.
pub(super) const LINGER_TIMEOUT_NS: u64 = 500_000_000;

/// The sessions that wait, by number. Times are `CLOCK_BOOTTIME`, ns.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// (time, number), the earliest first.
    ordered: BTreeSet<(u64, u64)>,
    by_number: HashMap<u64, u64>,
}

impl Deadlines {
    /// Makes a session wait for this long. This replaces an earlier deadline.
    pub(super) fn wait(&mut self, number: u64, from_ns: u64, timeout_ns: u64) {
        self.forget(number);
        let when = from_ns.saturating_add(timeout_ns);
        self.by_number.insert(number, when);
        self.ordered.insert((when, number));
    }

    /// The session waits no longer.
    pub(super) fn forget(&mut self, number: u64) {
        if let Some(when) = self.by_number.remove(&number) {
            self.ordered.remove(&(when, number));
        }
    }

    /// Whether the session waits.
    pub(super) fn contains(&self, number: u64) -> bool {
        self.by_number.contains_key(&number)
    }

    /// A session with a deadline that has passed.
    pub(super) fn overdue(&self, now_ns: u64) -> Option<u64> {
        self.ordered.first().filter(|&&(when, _)| when <= now_ns).map(|&(_, number)| number)
    }

    /// The sessions that wait, the earliest deadline first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = u64> {
        self.ordered.iter().map(|&(_, number)| number)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.ordered.len(), self.by_number.len());
        self.by_number.len()
    }
}
