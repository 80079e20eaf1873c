//! What the events of its processes and its connection make of a session.

use super::super::ending::Failure;
use super::Tracked;
use crate::trace::{Destination, ExecEvent, ExitEvent, Session, SockEvent, SockState, State};

impl Tracked {
    /// nsenter has entered, and become socat.
    pub(in crate::trace::sessions) fn became_socat(
        &mut self,
        exec: &ExecEvent,
        whose: Option<Destination>,
    ) {
        self.facts.is_socat = true;
        self.last_ns = exec.time_ns;
        let target = &mut self.open.session.target;
        if let Some(whose) = whose {
            let pid = target.pid.or(whose.pid);
            *target = Destination { pid, ..whose };
        } else if exec.netns.is_some() {
            target.netns = exec.netns.map(u64::from);
        }
    }

    /// The helper's process has ended; `is_there` tells whether a process can be entered.
    pub(in crate::trace::sessions) fn helper_ended(
        &mut self,
        exit: &ExitEvent,
        is_there: impl Fn(u32) -> bool,
    ) {
        self.facts.helper_end = Some(exit.end);
        self.facts.is_target_there = self.facts.target.is_none_or(is_there);
        self.last_ns = exit.time_ns;
    }

    /// The process that connected has ended.
    pub(in crate::trace::sessions) fn forwarder_ended(&mut self, exit: &ExitEvent) {
        // An attempt that had failed before is what it came to.
        if self.open.connection.is_some() {
            self.facts.forwarder_end = Some(exit.end);
            self.last_ns = exit.time_ns;
        }
    }

    /// Its connection came into another state; the session may have too.
    pub(in crate::trace::sessions) fn connection(&mut self, sock: &SockEvent) -> Option<Session> {
        if let Some(bytes) = sock.bytes {
            self.open.bytes = Some(bytes);
        }
        if sock.state == SockState::Open {
            return None;
        }
        // The end of the helper is the session's, though its socket's end comes after it.
        if self.facts.helper_end.is_none() {
            self.last_ns = sock.time_ns;
        }
        match sock.state {
            SockState::Connecting => self.connecting(sock),
            SockState::Connected => return Some(self.connected(sock)),
            SockState::Closed { error, is_broken_off } => {
                return self.disconnected(sock, error, is_broken_off);
            }
            SockState::Gone => self.open.connection = None,
            SockState::Open => {}
        }
        None
    }

    fn connecting(&mut self, sock: &SockEvent) {
        self.open.connection = Some(sock.id);
        self.open.session.cookie = sock.cookie;
        self.connecting_ns = sock.time_ns;
        self.facts.is_tried = true;
        self.tried.push(sock.destination.ip());
    }

    fn connected(&mut self, sock: &SockEvent) -> Session {
        // Where its beginning was lost, the time that it took is unknown.
        let is_timed = self.open.connection.replace(sock.id) == Some(sock.id);
        let took = sock.time_ns.saturating_sub(self.connecting_ns);
        self.facts.connect_ns = is_timed.then_some(took);
        self.answered(sock)
    }

    fn disconnected(
        &mut self,
        sock: &SockEvent,
        error: Option<i32>,
        is_broken_off: bool,
    ) -> Option<Session> {
        self.open.connection = None;
        self.facts.is_closed = true;
        // That was missed.
        let answered = (sock.is_answered && !self.facts.is_connected).then(|| self.answered(sock));
        if self.facts.is_connected {
            self.facts.error = error;
            self.facts.is_broken_off = is_broken_off;
        } else if self.facts.failure.is_none() {
            // The answer of the first address counts: it is the one that kubectl asks.
            let after_ns = sock.time_ns.saturating_sub(self.connecting_ns);
            self.facts.failure = Some(Failure { error, after_ns, to: sock.destination.ip() });
        }
        answered
    }

    fn answered(&mut self, sock: &SockEvent) -> Session {
        self.facts.is_tried = true;
        self.facts.is_connected = true;
        self.open.session.address = Some(sock.destination.ip());
        self.open.session.state = State::Connected;
        self.open.session.time_ns = sock.time_ns;
        self.open.session.clone()
    }
}
