//! The open sessions, and how an event finds its session.

use std::collections::{BTreeMap, HashMap};

use super::deadlines::Deadlines;
use super::loss_times::LossTimes;
use super::open_session::OpenSession;
use super::shares::Shares;
use super::state::SessionState;
use crate::model::{Losses, ProcessId, Session, SockEvent};

/// Sessions by number, in the order of their start.
#[derive(Debug, Default)]
pub(super) struct SessionIndex {
    open: BTreeMap<u64, SessionState>,
    /// How many sessions have started.
    started: u64,
    /// Numbers by pid of the helper.
    by_helper: HashMap<u32, u64>,
    /// Numbers by id of the connection.
    by_connection: HashMap<u64, u64>,
    deadlines: Deadlines,
    shares: Shares,
    losses: LossTimes,
}

impl SessionIndex {
    pub(super) fn open(&self) -> impl ExactSizeIterator<Item = &OpenSession> {
        self.open.values().map(|state| &state.open)
    }

    pub(super) fn get(&self, number: u64) -> Option<&SessionState> {
        self.open.get(&number)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut SessionState> {
        self.open.get_mut(&number)
    }

    pub(super) fn note_lost(&mut self, losses: Losses, now_ns: u64) {
        self.losses.note(losses, now_ns);
    }

    /// Adds a session and returns its number.
    pub(super) fn start(&mut self, mut state: SessionState, changed: &mut Vec<Session>) -> u64 {
        if let Some(oldest) = self.shares.oldest_in_the_way_of(state.share)
            && let Some(oldest) = self.remove(oldest)
        {
            changed.push(oldest.lost(state.open.started_ns));
        }
        changed.push(state.open.session.clone());
        self.started += 1;
        state.open.number = self.started;
        self.shares.add(state.share, self.started);
        self.open.insert(self.started, state);
        self.started
    }

    /// Closes a session, even if events of it are missing.
    pub(super) fn close(&mut self, number: u64, changed: &mut Vec<Session>) {
        let Some(state) = self.remove(number) else { return };
        let lacks_records = self.losses.concern(state.process_share, state.open.started_ns);
        changed.push(state.closed(lacks_records));
    }

    fn remove(&mut self, number: u64) -> Option<SessionState> {
        self.deadlines.forget(number);
        let state = self.open.remove(&number)?;
        self.shares.remove(state.share, number);
        if let Some(id) = state.open.connection
            && self.by_connection.get(&id) == Some(&number)
        {
            self.by_connection.remove(&id);
        }
        self.forget_helper(number, state.open.process.pid);
        Some(state)
    }

    /// The session of this helper process.
    pub(super) fn of_helper(&self, process: ProcessId) -> Option<u64> {
        let number = self.of_pid(process.pid)?;
        self.get(number).filter(|helper| helper.open.process == process).map(|_| number)
    }

    /// The session of a helper that has, or had, this pid.
    pub(super) fn of_pid(&self, pid: u32) -> Option<u64> {
        self.by_helper.get(&pid).copied()
    }

    /// Makes a process the session's helper, in place of an earlier one.
    pub(super) fn set_helper(&mut self, number: u64, process: ProcessId) {
        let Some(helper) = self.open.get_mut(&number) else { return };
        let before = std::mem::replace(&mut helper.open.process, process);
        self.forget_helper(number, before.pid);
        self.by_helper.insert(process.pid, number);
    }

    fn forget_helper(&mut self, number: u64, pid: u32) {
        if self.by_helper.get(&pid) == Some(&number) {
            self.by_helper.remove(&pid);
        }
    }

    /// The sessions that this process forwards, natively or by a helper.
    pub(super) fn of_forwarder(&self, process: ProcessId) -> Vec<u64> {
        let is_its =
            |state: &SessionState| state.is_native_of(process) || state.is_started_by(process);
        let its = self.open.iter().filter(|(_, state)| is_its(state));
        its.map(|(&number, _)| number).collect()
    }

    /// The session of this connection.
    pub(super) fn of_connection(&self, sock: &SockEvent) -> Option<u64> {
        let number = *self.by_connection.get(&sock.id)?;
        self.get(number).filter(|state| state.has_connection(sock)).map(|_| number)
    }

    /// Makes a connection the session's, in place of an earlier one.
    pub(super) fn set_connection(&mut self, number: u64, connection: u64) {
        let before = self.get(number).and_then(|state| state.open.connection);
        if let Some(before) = before {
            self.forget_connection(before);
        }
        self.by_connection.insert(connection, number);
    }

    /// Takes a connection from its session. Returns the number of the session.
    pub(super) fn forget_connection(&mut self, id: u64) -> Option<u64> {
        self.by_connection.remove(&id)
    }

    /// Gives a session time for one more event.
    pub(super) fn wait(&mut self, number: u64, from_ns: u64, timeout_ns: u64) {
        if self.open.contains_key(&number) {
            self.deadlines.wait(number, from_ns, timeout_ns);
        }
    }

    /// Whether a session waits for one more event.
    pub(super) fn is_waiting(&self, number: u64) -> bool {
        self.deadlines.contains(number)
    }

    /// A session that has waited too long for its next event.
    pub(super) fn overdue(&self, now_ns: u64) -> Option<u64> {
        self.deadlines.overdue(now_ns)
    }

    /// The session that waits for this attempt at another address. Ends the wait.
    pub(super) fn tried_again_by(&mut self, sock: &SockEvent) -> Option<u64> {
        let is_it = |&number: &u64| self.get(number).is_some_and(|one| one.is_tried_again_by(sock));
        let number = self.deadlines.waiting().find(is_it)?;
        self.deadlines.forget(number);
        Some(number)
    }

    /// How many sessions are open, and how many have a helper, a connection and a deadline.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 4] {
        let deadlines = self.deadlines.len();
        [self.open.len(), self.by_helper.len(), self.by_connection.len(), deadlines]
    }
}
