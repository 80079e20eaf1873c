//! The two views of a connection, and the key that joins them.

use std::sync::Arc;

use super::watched::Watched;
use crate::forward::event::{Accepted, Report, Upstream};
use crate::model::{Client, Closed, Destination, Session, State};

/// Identifies a connection both in the kernel's records and in the forwarder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum JoinKey {
    /// The pid of the helper: a child of this process, so the pid is not reused before it is
    /// reaped.
    Helper(u32),
    /// The cookie of the socket.
    Socket(u64),
}

/// The forwarder's view of a connection, until its end has been reported.
#[derive(Debug)]
pub(super) struct LocalView {
    pub(super) accepted: Accepted,
    pub(super) upstream: Upstream,
    pub(super) target: Arc<Destination>,
    pub(super) client: Option<Arc<Client>>,
    /// The kernel reports the connection.
    pub(super) is_watched: bool,
    /// The target's answer has been reported.
    pub(super) is_answer_reported: bool,
    /// When the forwarder saw the target's answer.
    pub(super) answered_ns: Option<u64>,
    pub(super) report: Option<Report>,
}

/// The kernel's view of a connection.
#[derive(Debug, Default)]
pub(super) struct KernelView {
    /// When it last changed: `CLOCK_BOOTTIME`, ns.
    pub(super) time_ns: u64,
    /// When its helper started.
    pub(super) helper_start_ns: Option<u64>,
    pub(super) connected: Option<Session>,
    pub(super) closed: Option<Closed>,
}

impl JoinKey {
    /// The key of a connection of the forwarder, once it has one.
    pub(super) fn of_upstream(upstream: Upstream) -> Option<Self> {
        upstream.helper_pid.map(Self::Helper).or(upstream.cookie.map(Self::Socket))
    }

    /// The key of a session that the kernel saw.
    pub(super) fn of_session(session: &Session) -> Option<Self> {
        let helper = session.helper.map(|helper| Self::Helper(helper.pid));
        helper.or(session.cookie.map(Self::Socket))
    }
}

impl LocalView {
    pub(super) fn new(
        accepted: Accepted,
        target: Arc<Destination>,
        client: Option<Arc<Client>>,
        watched: Option<Watched>,
    ) -> Self {
        let is_watched = watched.is_some_and(|watched| watched.shows(accepted.via, &target));
        Self {
            accepted,
            upstream: Upstream::default(),
            target,
            client,
            is_watched,
            is_answer_reported: false,
            answered_ns: None,
            report: None,
        }
    }

    /// The dialer has done its part. The target may have restarted while the connection waited.
    pub(super) fn dialed(
        &mut self,
        upstream: Upstream,
        target: Arc<Destination>,
        watched: Option<Watched>,
    ) {
        self.upstream = upstream;
        self.is_watched = watched.is_some_and(|watched| watched.shows(self.accepted.via, &target));
        self.target = target;
    }

    pub(super) fn key(&self) -> Option<JoinKey> {
        JoinKey::of_upstream(self.upstream)
    }
}

impl KernelView {
    /// Takes the next state of the session.
    pub(super) fn apply(&mut self, session: Session) {
        let (time_ns, helper) = (session.time_ns, session.helper);
        match session.state {
            // An earlier session with the same key is over.
            State::Started => *self = Self::default(),
            State::Connected => self.connected = Some(session),
            State::Closed(closed) => self.closed = Some(closed),
            State::Lost => {}
        }
        self.time_ns = time_ns;
        self.helper_start_ns = helper.and_then(|helper| helper.start_ns);
    }
}
