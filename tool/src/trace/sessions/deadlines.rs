//! When sessions that wait for one more event are given up.

use std::collections::{BTreeSet, HashMap};

/// How long the end of a helper waits for the end of its connection, and a refused connection for
/// the next attempt (localhost's other address). Both come within microseconds on an idle node.
pub(super) const GRACE_NS: u64 = 250_000_000;

/// The sessions that wait, by their number; times are `CLOCK_BOOTTIME`, ns.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// (time, number), the first to be given up first.
    ordered: BTreeSet<(u64, u64)>,
    of: HashMap<u64, u64>,
}

impl Deadlines {
    /// It waits from then on, whatever it waited for before.
    pub(super) fn wait(&mut self, number: u64, from_ns: u64) {
        self.forget(number);
        let when = from_ns.saturating_add(GRACE_NS);
        self.of.insert(number, when);
        self.ordered.insert((when, number));
    }

    /// It waits no more.
    pub(super) fn forget(&mut self, number: u64) {
        if let Some(when) = self.of.remove(&number) {
            self.ordered.remove(&(when, number));
        }
    }

    /// Whether it waits.
    pub(super) fn is_of(&self, number: u64) -> bool {
        self.of.contains_key(&number)
    }

    /// One that has waited in vain.
    pub(super) fn overdue(&self, now_ns: u64) -> Option<u64> {
        self.ordered.first().filter(|&&(when, _)| when <= now_ns).map(|&(_, number)| number)
    }

    /// Those that wait, the one that waits longest first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = u64> {
        self.ordered.iter().map(|&(_, number)| number)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.ordered.len(), self.of.len());
        self.of.len()
    }
}
