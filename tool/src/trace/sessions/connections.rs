//! What the states of a connection mean for the sessions.

use super::Whom;
use super::followed::Followed;
use super::tracked::Tracked;
use crate::trace::{Destination, Session, SockEvent, SockState, Via};

impl Followed {
    /// Whose the target is must be known of that connection.
    pub(super) fn whom_of_sock(&self, sock: &SockEvent) -> Option<Whom> {
        let is_known = sock.state == SockState::Connected && self.of_connection(sock).is_some();
        sock.netns.filter(|_| begins(sock) && !is_known).map(Whom::Netns)
    }

    pub(super) fn sock(
        &mut self,
        sock: &SockEvent,
        whose: Option<Destination>,
        changed: &mut Vec<Session>,
    ) {
        if sock.state == SockState::Connecting
            && let Some(number) = self.forget_connection(sock.id)
        {
            // Another connection of that id, perhaps of another process: the end of the last one
            // was lost.
            self.lose_connection(number, changed);
        }
        let number = match (self.of_connection(sock), sock.state) {
            (Some(number), _) => number,
            // A first state may have been lost.
            (None, SockState::Connecting | SockState::Connected) => {
                let Some(number) = self.session_of(sock, whose, changed) else { return };
                self.connected_by(number, sock.id);
                number
            }
            (None, SockState::Open | SockState::Closed { .. } | SockState::Gone) => return,
        };
        let Some(tracked) = self.get_mut(number) else { return };
        changed.extend(tracked.connection(sock));
        if matches!(sock.state, SockState::Closed { .. } | SockState::Gone) {
            let (is_over, may_try_again) = (tracked.is_over(), tracked.may_try_again());
            self.forget_connection(sock.id);
            if is_over {
                self.close(number, changed);
            } else if may_try_again {
                self.wait(number, sock.time_ns);
            }
        }
    }

    /// The session that a new connection belongs to: its helper's, one that was refused at another
    /// address a moment ago, or a new one.
    fn session_of(
        &mut self,
        sock: &SockEvent,
        whose: Option<Destination>,
        changed: &mut Vec<Session>,
    ) -> Option<u64> {
        let known = self.of_helper(sock.pid, sock.start_ns).or_else(|| self.tried_again_by(sock));
        known.or_else(|| begins(sock).then(|| self.begin(Tracked::native(sock, whose), changed)))
    }

    /// Its connection is over, and nobody knows how. A helper's own end will tell.
    fn lose_connection(&mut self, number: u64, changed: &mut Vec<Session>) {
        let Some(tracked) = self.get_mut(number) else { return };
        tracked.open.connection = None;
        if tracked.open.session.via == Via::Native || tracked.is_over() {
            self.close(number, changed);
        }
    }
}

/// Whether a connection is, by itself, a native forward: a runtime dials localhost in there. What a
/// runtime, a mesh's proxy or a DNS server sends out of somebody's namespace is none.
fn begins(sock: &SockEvent) -> bool {
    let is_new = matches!(sock.state, SockState::Connecting | SockState::Connected);
    is_new && sock.is_foreign && sock.destination.ip().is_loopback()
}
