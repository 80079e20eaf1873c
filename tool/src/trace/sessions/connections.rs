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
        let number = match (self.of_connection(sock), sock.state) {
            (Some(number), state) if state != SockState::Connecting => number,
            (Some(number), SockState::Connecting) if self.is_native(number) => {
                // Another connection of that id: the end of the last one was lost.
                self.close(number, changed);
                return self.sock(sock, whose, changed);
            }
            // A first state may have been lost.
            (before, SockState::Connecting | SockState::Connected) => {
                if before.is_none() {
                    self.id_is_anothers(sock.id, changed);
                }
                let Some(number) = self.session_of(sock, whose, changed) else { return };
                self.connected_by(number, sock.id);
                number
            }
            (_, SockState::Open | SockState::Closed { .. } | SockState::Gone) => return,
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

    /// A connection of another process has that id: the end of the one that had it was lost.
    fn id_is_anothers(&mut self, id: u64, changed: &mut Vec<Session>) {
        let Some(number) = self.by_connection(id) else { return };
        self.forget_connection(id);
        if self.is_native(number) {
            self.close(number, changed);
        } else if let Some(helper) = self.get_mut(number) {
            helper.open.connection = None;
        }
    }

    fn is_native(&self, number: u64) -> bool {
        self.get(number).is_some_and(|one| one.open.session.via == Via::Native)
    }
}

/// Whether a connection is, by itself, a native forward: a runtime dials localhost in there. What a
/// runtime, a mesh's proxy or a DNS server sends out of somebody's namespace is none.
fn begins(sock: &SockEvent) -> bool {
    let is_new = matches!(sock.state, SockState::Connecting | SockState::Connected);
    is_new && sock.is_foreign && sock.destination.ip().is_loopback()
}
