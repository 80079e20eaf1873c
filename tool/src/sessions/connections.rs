//! What the states of a connection mean for the sessions.

use super::deadlines::{EVENT_TIMEOUT_NS, LINGER_TIMEOUT_NS};
use super::index::SessionIndex;
use super::state::SessionState;
use crate::model::{LookedUp, Lookup, Session, SockEvent, SockState, Via};

impl SessionIndex {
    /// What must be looked up before this event of a connection is applied.
    pub(super) fn lookup_for_sock(&self, sock: &SockEvent) -> Option<Lookup> {
        let is_new = matches!(sock.state, SockState::Connecting | SockState::Connected);
        if !is_new || self.of_connection(sock).is_some() && sock.state == SockState::Connected {
            return None;
        }
        match self.of_helper(sock.process()) {
            Some(helper) => self.lookup_inside(helper, sock.netns),
            None => sock.netns.filter(|_| starts_session(sock)).map(Lookup::Netns),
        }
    }

    /// The process that makes a connection with which a session starts, and when it was there.
    pub(super) fn forwarder_of_sock(&self, sock: &SockEvent) -> Option<(u32, u64)> {
        let is_known = sock.state == SockState::Connected && self.of_connection(sock).is_some();
        (starts_session(sock) && !is_known).then_some((sock.pid, sock.time_ns))
    }

    pub(super) fn sock(
        &mut self,
        sock: &SockEvent,
        looked_up: LookedUp,
        changed: &mut Vec<Session>,
    ) {
        if sock.state == SockState::Connecting
            && let Some(number) = self.forget_connection(sock.id)
        {
            // The kernel uses the id again, perhaps for another process: the end of the earlier
            // connection was lost.
            self.lose_connection(number, changed);
        }
        let number = match (self.of_connection(sock), sock.state) {
            (Some(number), _) => number,
            // The first state may have been lost.
            (None, SockState::Connecting | SockState::Connected) => {
                let Some(number) = self.session_of(sock, looked_up, changed) else { return };
                self.set_connection(number, sock.id);
                number
            }
            (None, _) => return,
        };
        let Some(state) = self.get_mut(number) else { return };
        let was_released = state.open.is_released;
        changed.extend(state.connection_changed(sock));
        let (is_over, may_try_again) = (state.is_over(), state.may_try_again());
        match sock.state {
            // What the other end does next tells whether the client left too early.
            SockState::Closed(_) if state.open.is_released && sock.is_left() => {}
            SockState::Closed(_) | SockState::ServerClosed { .. } | SockState::Gone => {
                self.forget_connection(sock.id);
                if is_over {
                    self.close(number, changed);
                } else if may_try_again {
                    self.wait(number, sock.time_ns, EVENT_TIMEOUT_NS);
                }
            }
            SockState::Released(_) if is_over && !was_released => {
                self.wait(number, sock.time_ns, LINGER_TIMEOUT_NS);
            }
            _ => {}
        }
    }

    /// The session of a new connection: the session of its helper, a session that was refused at
    /// another address a moment ago, or a new one.
    fn session_of(
        &mut self,
        sock: &SockEvent,
        looked_up: LookedUp,
        changed: &mut Vec<Session>,
    ) -> Option<u64> {
        if let Some(number) = self.of_helper(sock.process()) {
            let helper = self.get_mut(number)?;
            // The record of socat's exec may have been lost.
            helper.seen_in(sock.netns, looked_up.destination);
            return helper.takes(sock).then_some(number);
        }
        let known = self.tried_again_by(sock);
        known.or_else(|| {
            starts_session(sock).then(|| self.start(SessionState::native(sock, looked_up), changed))
        })
    }

    /// The session's connection is over, and its end was not seen. A session with a helper goes on
    /// until the helper's exit.
    fn lose_connection(&mut self, number: u64, changed: &mut Vec<Session>) {
        let Some(state) = self.get_mut(number) else { return };
        state.open.connection = None;
        if state.open.session.via == Via::Native || state.is_over() {
            self.close(number, changed);
        }
    }
}

/// Whether a connection is a native forward: a process dials localhost of another namespace. A
/// connection from there to the outside is not: container runtimes, proxies of a service mesh and
/// DNS servers make such connections.
fn starts_session(sock: &SockEvent) -> bool {
    let is_new = matches!(sock.state, SockState::Connecting | SockState::Connected);
    is_new && sock.is_foreign && sock.destination.ip().is_loopback()
}
