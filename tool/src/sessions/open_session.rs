//! The public view of a session that is not over.

use crate::model::{Bytes, ProcessId, Session, Via};

/// A session that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// Identifies the session among the open sessions.
    pub number: u64,
    /// The session, in its present state.
    pub session: Session,
    /// The process that connects: the helper, or the native forwarder. If nsenter starts socat as a
    /// child, that child.
    pub process: ProcessId,
    /// When it started: `CLOCK_BOOTTIME`, ns.
    pub started_ns: u64,
    /// Its connection, while it has one: the id by which the kernel programs count its bytes.
    pub connection: Option<u64>,
    /// The bytes that it has carried, when they were last counted.
    pub bytes: Option<Bytes>,
    /// Its process has closed the socket of the connection: the session ends in a moment.
    pub is_released: bool,
}

impl OpenSession {
    /// Whether it may still be open although the kernel programs follow no connection of it.
    pub fn may_be_open(&self, is_running: impl Fn(ProcessId) -> bool) -> bool {
        match self.session.via {
            // A helper runs without a followed connection before it connects, after its connection
            // has ended, or when there was no room to follow it.
            Via::NsenterSocat => is_running(self.process),
            // Between two attempts, the session has a deadline of its own.
            Via::Native => self.connection.is_none(),
        }
    }
}
