//! The table of open sessions: events in, changed sessions out.

use super::deadlines::EVENT_TIMEOUT_NS;
use super::index::SessionIndex;
use super::open_session::OpenSession;
use crate::model::{Event, LookedUp, Lookup, Losses, NamedProcess, Session};

/// Every session that is not over.
#[derive(Debug, Default)]
pub struct SessionTable {
    pub(super) index: SessionIndex,
}

impl SessionTable {
    /// What must be looked up before [`apply`](Self::apply) takes this event.
    #[must_use]
    pub fn lookup_for(&self, event: &Event) -> Option<Lookup> {
        match event {
            Event::Exec(exec) => self.index.lookup_for_exec(exec),
            Event::Sock(sock) => self.index.lookup_for_sock(sock),
            Event::Exit(exit) => self.index.lookup_for_exit(exit),
        }
    }

    /// The process whose executable must be looked up before [`apply`](Self::apply) takes this event: its
    /// pid, as the kernel numbers processes, and a time at which it had that pid.
    #[must_use]
    pub fn forwarder_of(&self, event: &Event) -> Option<(u32, u64)> {
        match event {
            Event::Exec(exec) => SessionIndex::forwarder_of_exec(exec),
            Event::Sock(sock) => self.index.forwarder_of_sock(sock),
            Event::Exit(_) => None,
        }
    }

    /// Applies an event and returns the sessions that entered another state. `looked_up` has the answers
    /// to [`lookup_for`](Self::lookup_for) and [`forwarder_of`](Self::forwarder_of). `can_enter` reports
    /// whether a process can be entered now.
    pub fn apply(
        &mut self,
        event: &Event,
        looked_up: LookedUp,
        can_enter: impl FnMut(NamedProcess) -> bool,
    ) -> Vec<Session> {
        let mut changed = self.expire(event.time_ns());
        match event {
            Event::Exec(exec) => self.index.exec(exec, looked_up, &mut changed),
            Event::Exit(exit) => {
                self.index.exit(exit, looked_up.destination, can_enter, &mut changed);
            }
            Event::Sock(sock) => self.index.sock(sock, looked_up, &mut changed),
        }
        changed
    }

    /// Notes what was lost since the start. The lost records are from before `now_ns`
    /// (`CLOCK_BOOTTIME`), so each session that started before then may lack one of them.
    pub fn note_lost(&mut self, losses: Losses, now_ns: u64) {
        self.index.note_lost(losses, now_ns);
    }

    /// Closes the sessions that have waited too long for one more event. Every event until `now_ns`
    /// (`CLOCK_BOOTTIME`) must have been applied.
    pub fn expire(&mut self, now_ns: u64) -> Vec<Session> {
        let mut changed = Vec::new();
        while let Some(number) = self.index.overdue(now_ns) {
            self.index.close(number, &mut changed);
        }
        changed
    }

    /// The caller has found that nothing is left of a session. The records of its end may be on
    /// their way, or lost. The session waits for them for a moment, and then closes without them.
    pub fn give_up(&mut self, number: u64, now_ns: u64) {
        // A session that waits already must not wait longer.
        if !self.index.is_waiting(number) {
            self.index.wait(number, now_ns, EVENT_TIMEOUT_NS);
        }
    }

    /// Open sessions, the oldest first.
    pub fn open(&self) -> impl ExactSizeIterator<Item = &OpenSession> {
        self.index.open()
    }
}
