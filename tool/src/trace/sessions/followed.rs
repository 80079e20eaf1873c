//! The sessions that are not over, and how an event finds its own.

use std::collections::{BTreeMap, HashMap};

use super::deadlines::Deadlines;
use super::tracked::{Open, Tracked};
use crate::trace::{Session, SockEvent};

/// Most sessions that are followed at once, as many as the kernel side follows connections. The
/// oldest gives way.
pub(super) const MAX_OPEN: usize = 16 * 1024;

/// Sessions by number, in the order of their start.
#[derive(Debug, Default)]
pub(super) struct Followed {
    open: BTreeMap<u64, Tracked>,
    /// How many there have been.
    begun: u64,
    /// Their numbers by pid of their helper.
    by_helper: HashMap<u32, u64>,
    /// Their numbers by id of their connection.
    by_connection: HashMap<u64, u64>,
    deadlines: Deadlines,
    /// Records that were lost, and when they were last seen to have become more.
    lost: u64,
    lost_ns: u64,
}

impl Followed {
    pub(super) fn open(&self) -> impl ExactSizeIterator<Item = &Open> {
        self.open.values().map(|tracked| &tracked.open)
    }

    pub(super) fn get(&self, number: u64) -> Option<&Tracked> {
        self.open.get(&number)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Tracked> {
        self.open.get_mut(&number)
    }

    pub(super) fn lost_in_all(&mut self, records: u64, now_ns: u64) {
        if records > self.lost {
            (self.lost, self.lost_ns) = (records, now_ns);
        }
    }

    pub(super) fn begin(&mut self, mut tracked: Tracked, changed: &mut Vec<Session>) -> u64 {
        if self.open.len() >= MAX_OPEN
            && let Some((&oldest, _)) = self.open.first_key_value()
        {
            self.close(oldest, changed);
        }
        changed.push(tracked.open.session.clone());
        self.begun += 1;
        tracked.open.number = self.begun;
        self.open.insert(self.begun, tracked);
        self.begun
    }

    /// The session is over, whatever is still missing.
    pub(super) fn close(&mut self, number: u64, changed: &mut Vec<Session>) {
        self.deadlines.forget(number);
        let Some(tracked) = self.open.remove(&number) else { return };
        if let Some(id) = tracked.open.connection
            && self.by_connection.get(&id) == Some(&number)
        {
            self.by_connection.remove(&id);
        }
        self.forget_helper(number, tracked.open.process.0);
        let lacks_records = tracked.open.begun_ns <= self.lost_ns;
        changed.push(tracked.closed(lacks_records));
    }

    /// The session of that process, a helper.
    pub(super) fn of_helper(&self, pid: u32, start_ns: u64) -> Option<u64> {
        let number = self.of_pid(pid)?;
        self.get(number).filter(|helper| helper.open.process == (pid, start_ns)).map(|_| number)
    }

    /// The session of a helper that has, or had, that pid.
    pub(super) fn of_pid(&self, pid: u32) -> Option<u64> {
        self.by_helper.get(&pid).copied()
    }

    /// That process is the session's helper, and no other any more.
    pub(super) fn helped_by(&mut self, number: u64, process: (u32, u64)) {
        let Some(helper) = self.open.get_mut(&number) else { return };
        let (before, _) = std::mem::replace(&mut helper.open.process, process);
        self.forget_helper(number, before);
        self.by_helper.insert(process.0, number);
    }

    fn forget_helper(&mut self, number: u64, pid: u32) {
        if self.by_helper.get(&pid) == Some(&number) {
            self.by_helper.remove(&pid);
        }
    }

    /// The sessions of that process, which connects by itself.
    pub(super) fn of_native(&self, process: (u32, u64)) -> Vec<u64> {
        let of_it = self.open.iter().filter(|(_, tracked)| tracked.is_native_of(process));
        of_it.map(|(&number, _)| number).collect()
    }

    /// The session whose connection has, or had, that id.
    pub(super) fn by_connection(&self, id: u64) -> Option<u64> {
        self.by_connection.get(&id).copied()
    }

    /// The session of that connection.
    pub(super) fn of_connection(&self, sock: &SockEvent) -> Option<u64> {
        let number = self.by_connection(sock.id)?;
        self.get(number).filter(|tracked| tracked.is_of(sock)).map(|_| number)
    }

    /// The session has that connection, and no other any more.
    pub(super) fn connected_by(&mut self, number: u64, connection: u64) {
        let before = self.get(number).and_then(|tracked| tracked.open.connection);
        if let Some(before) = before {
            self.forget_connection(before);
        }
        self.by_connection.insert(connection, number);
    }

    /// No session has that connection any more; the one that had it.
    pub(super) fn forget_connection(&mut self, id: u64) -> Option<u64> {
        self.by_connection.remove(&id)
    }

    /// One more event may come, or not.
    pub(super) fn wait(&mut self, number: u64, from_ns: u64) {
        if self.open.contains_key(&number) {
            self.deadlines.wait(number, from_ns);
        }
    }

    /// Whether it waits for one more event.
    pub(super) fn is_waiting(&self, number: u64) -> bool {
        self.deadlines.is_of(number)
    }

    /// One that has waited in vain.
    pub(super) fn overdue(&self, now_ns: u64) -> Option<u64> {
        self.deadlines.overdue(now_ns)
    }

    /// The session that waits for that attempt, which it need not wait for any more.
    pub(super) fn tried_again_by(&mut self, sock: &SockEvent) -> Option<u64> {
        let is_it = |&number: &u64| self.get(number).is_some_and(|one| one.is_tried_again_by(sock));
        let number = self.deadlines.waiting().find(is_it)?;
        self.deadlines.forget(number);
        Some(number)
    }

    /// How many are open, and how many are found by helper, by connection and by deadline.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 4] {
        let deadlines = self.deadlines.len();
        [self.open.len(), self.by_helper.len(), self.by_connection.len(), deadlines]
    }
}
