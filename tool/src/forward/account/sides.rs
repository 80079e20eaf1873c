//! The two sides of an account: ours and the kernel's, and what makes two of them one connection.

use crate::forward::notice::{Begun, FarEnd, Report};
use crate::trace::{Closed, Session, State};

/// By what the kernel and the forwarder know that they mean the same connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Link {
    /// The pid of its helper: a child of ours, which keeps its pid until we have reaped it.
    Helper(u32),
    /// Its socket's cookie.
    Socket(u64),
}

/// A connection that is not over, or whose end has not been told.
#[derive(Debug)]
pub(super) struct Ours {
    pub(super) begun: Begun,
    pub(super) far_end: FarEnd,
    /// It was told that the target answered.
    pub(super) is_answer_told: bool,
    /// When the forwarder saw the target's answer, and has not told it.
    pub(super) answered_ns: Option<u64>,
    pub(super) report: Option<Report>,
}

/// What the kernel saw of a connection.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// When it came about, or last changed: `CLOCK_BOOTTIME`, ns.
    pub(super) time_ns: u64,
    pub(super) connected: Option<Session>,
    pub(super) closed: Option<Closed>,
}

impl Link {
    /// Of a connection of ours, once it has one.
    pub(super) fn of(far_end: FarEnd) -> Option<Self> {
        far_end.helper_pid.map(Self::Helper).or(far_end.cookie.map(Self::Socket))
    }

    /// Of a connection that the kernel saw.
    pub(super) fn of_session(session: &Session) -> Option<Self> {
        session.helper_pid.map(Self::Helper).or(session.cookie.map(Self::Socket))
    }
}

impl Ours {
    pub(super) fn new(begun: Begun) -> Self {
        let far_end = FarEnd::default();
        Self { begun, far_end, is_answer_told: false, answered_ns: None, report: None }
    }
}

impl Seen {
    /// It came into the state of that record.
    pub(super) fn take(&mut self, session: Session) {
        let time_ns = session.time_ns;
        match session.state {
            // Whatever had the same link before is over.
            State::Started => *self = Self::default(),
            State::Connected => self.connected = Some(session),
            State::Closed(closed) => self.closed = Some(closed),
        }
        self.time_ns = time_ns;
    }
}
