//! How the events of processes and connections change a session.

use super::state::SessionState;
use crate::model::{
    Attempt, Destination, Ending, ExecEvent, ExitEvent, NamedProcess, OwnReset, Session, SockEvent,
    SockState, State,
};

/// When a helper ends later than this after its forwarder, the forwarder's end was not the reason.
const ORPHAN_TIMEOUT_NS: u64 = 2_000_000_000;

impl SessionState {
    /// nsenter has become socat.
    pub(super) fn became_socat(&mut self, exec: &ExecEvent, destination: Option<Destination>) {
        self.facts.is_socat = true;
        self.process_share = exec.share;
        self.last_ns = exec.time_ns;
        self.seen_in(exec.netns, destination);
    }

    /// The kernel has seen the helper in this network namespace, where it runs socat, connects, or ends.
    /// Until then, the target is what nsenter's arguments claim. `destination` is that of the namespace.
    pub(super) fn seen_in(&mut self, netns: Option<u32>, destination: Option<Destination>) {
        let Some(netns) = netns.map(u64::from) else { return };
        let target = &mut self.open.session.target;
        if self.facts.inside.is_some() || !target.is_claimed {
            return;
        }
        let is_at_home = self.home == Some(netns);
        if target.netns == Some(netns) {
            // The helper has stayed where it started, and many processes are in that namespace. Only the
            // arguments say which one is the target.
            target.is_claimed = is_at_home;
        } else if is_at_home && target.netns.is_some() {
            return;
        } else {
            // It has entered another namespace than the arguments name, or they name none.
            let unknown = Destination { netns: Some(netns), ..Destination::default() };
            *target = destination.unwrap_or(unknown);
        }
        self.facts.inside = Some(netns);
    }

    /// Whether the destination of this namespace must be looked up before the helper is
    /// [seen in](Self::seen_in) it.
    pub(super) fn needs_destination_of(&self, netns: u32) -> bool {
        let (netns, claimed) = (Some(u64::from(netns)), self.open.session.target.netns);
        let has_stayed = self.home == netns && claimed.is_some();
        self.facts.inside.is_none() && !self.is_native() && claimed != netns && !has_stayed
    }

    /// The helper's process has ended; `can_enter` reports whether a process can be entered.
    /// `destination` is that of its network namespace.
    pub(super) fn helper_ended(
        &mut self,
        exit: &ExitEvent,
        destination: Option<Destination>,
        can_enter: impl FnMut(NamedProcess) -> bool,
    ) {
        if self.has_entered_at(exit) {
            self.seen_in(exit.netns, destination);
        }
        self.facts.helper_end = Some(exit.end);
        let has_entered = self.facts.inside.is_some();
        self.facts.is_target_alive = has_entered || self.facts.target.is_none_or(can_enter);
        self.last_ns = exit.time_ns;
        if exit.time_ns.saturating_sub(self.forwarder_end_ns) > ORPHAN_TIMEOUT_NS {
            self.facts.forwarder_end = None;
        }
    }

    /// Whether the helper was in the target at its end, and not only where it had started.
    pub(super) fn has_entered_at(&self, exit: &ExitEvent) -> bool {
        let netns = exit.netns.map(u64::from);
        self.home != netns || self.open.session.target.netns == netns
    }

    /// The forwarder's process has ended: the one that connected, or the parent of the helper.
    pub(super) fn forwarder_ended(&mut self, exit: &ExitEvent) {
        // Without a connection, the attempt that failed before is the outcome.
        if self.open.connection.is_some() && !self.open.is_released {
            self.facts.forwarder_end = Some(exit.end);
            self.forwarder_end_ns = exit.time_ns;
            if self.is_native() {
                self.last_ns = exit.time_ns;
            }
        }
    }

    /// The connection entered another state. Returns the session if the session did too.
    pub(super) fn connection_changed(&mut self, sock: &SockEvent) -> Option<Session> {
        if let Some(bytes) = sock.bytes {
            self.open.bytes = Some(bytes);
        }
        if sock.state == SockState::Open {
            return None;
        }
        // A session ends with its helper, or when its process closes the socket. The end of the
        // connection may come later.
        if self.facts.helper_end.is_none() && !self.open.is_released {
            self.last_ns = sock.time_ns;
        }
        match sock.state {
            SockState::Connecting => self.connecting(sock),
            SockState::Connected => return Some(self.connected(sock)),
            SockState::Released(ending) => {
                self.open.is_released = true;
                return self.ending(sock, ending);
            }
            SockState::Closed(ending) => {
                if !(self.open.is_released && sock.is_left()) {
                    self.open.connection = None;
                }
                return self.ending(sock, ending);
            }
            SockState::ServerClosed { is_reset } => {
                self.open.connection = None;
                if let Some(ending) = &mut self.facts.ending {
                    ending.is_ended_there = !is_reset;
                    ending.reset = is_reset.then_some(OwnReset::UnreadData);
                }
            }
            SockState::Gone => {
                self.open.connection = None;
                self.are_bytes_final = sock.bytes.is_some();
            }
            SockState::Open => {}
        }
        None
    }

    fn connecting(&mut self, sock: &SockEvent) {
        self.open.connection = Some(sock.id);
        self.open.session.cookie = sock.cookie;
        self.connecting_ns = sock.time_ns;
        self.facts.is_tried = true;
        self.facts.ending = None;
        self.open.is_released = false;
        self.note_attempt(sock.destination.ip());
    }

    fn connected(&mut self, sock: &SockEvent) -> Session {
        // If the event of its start was lost, the time to connect is unknown.
        let is_timed = self.open.connection.replace(sock.id) == Some(sock.id);
        let took = sock.time_ns.saturating_sub(self.connecting_ns);
        self.facts.connect_ns = is_timed.then_some(took);
        self.answered(sock)
    }

    fn ending(&mut self, sock: &SockEvent, mut ending: Ending) -> Option<Session> {
        // The event of the answer was missed.
        let answered = (sock.is_answered && !self.facts.is_connected).then(|| self.answered(sock));
        if self.facts.is_connected {
            self.are_bytes_final = sock.bytes.is_some();
            if let Some(before) = &self.facts.ending {
                // What happened to the namespace after the process had closed the socket does not
                // count.
                ending.is_loopback_down = before.is_loopback_down;
            }
            self.facts.ending = Some(ending);
        } else if self.facts.first_failure.is_none() {
            // The answer of the first address counts: it is the one that kubectl asks.
            let after_ns = sock.time_ns.saturating_sub(self.connecting_ns);
            let to = sock.destination.ip();
            self.facts.first_failure = Some(Attempt { error: ending.error, after_ns, to });
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
