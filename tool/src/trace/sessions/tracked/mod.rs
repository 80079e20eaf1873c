//! One session: how it begins, what is asked of it, and its last record.

mod progress;

use std::net::IpAddr;

use super::ending::Facts;
use crate::trace::{
    Bytes, Closed, Destination, ExecEvent, NsenterSocat, Program, Session, SockEvent, State, Via,
};

/// A session that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Names it among those that are open.
    pub number: u64,
    /// In the state that it came into last.
    pub session: Session,
    /// The helper, from its socat on that one, or the process that connects: pid, and start in ns of
    /// `CLOCK_BOOTTIME`.
    pub process: (u32, u64),
    /// When it started: `CLOCK_BOOTTIME`, ns.
    pub begun_ns: u64,
    /// Its connection, while there is one: what the kernel side can be asked to count.
    pub connection: Option<u64>,
    /// What that has carried, when it was last counted.
    pub bytes: Option<Bytes>,
}

impl Open {
    /// Whether it may be open though the kernel side follows no connection of it; `is_running` tells
    /// of a process, by pid and start.
    pub fn may_be_open(&self, is_running: impl Fn(u32, u64) -> bool) -> bool {
        match self.session.via {
            // Before its connection, and after it, and where others' have pushed it out.
            Via::NsenterSocat => is_running(self.process.0, self.process.1),
            // Between two attempts, for which there is a time already.
            Via::Native => self.connection.is_none(),
        }
    }
}

/// The same, with what only the state machine needs.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) open: Open,
    facts: Facts,
    /// Addresses that were tried.
    tried: Vec<IpAddr>,
    /// When the last attempt began.
    connecting_ns: u64,
    /// When the last event came.
    last_ns: u64,
}

impl Tracked {
    /// An nsenter that is to become socat.
    pub(super) fn helper(
        exec: &ExecEvent,
        nsenter: NsenterSocat,
        whose: Option<Destination>,
    ) -> Self {
        let target =
            whose.unwrap_or_else(|| Destination { pid: nsenter.target, ..Destination::default() });
        let session = Session {
            id: format!("{}-{}", exec.pid, exec.start_ns),
            time_ns: exec.time_ns,
            via: Via::NsenterSocat,
            forwarder: Program { pid: exec.ppid, comm: exec.parent_comm.clone() },
            helper_pid: Some(exec.pid),
            cookie: None,
            target,
            port: nsenter.port,
            address: None,
            state: State::Started,
        };
        let facts = Facts { target: nsenter.target, ..Facts::default() };
        Self::new(session, (exec.pid, exec.start_ns), facts)
    }

    /// A process that connects by itself.
    pub(super) fn native(sock: &SockEvent, whose: Option<Destination>) -> Self {
        let netns = sock.netns.map(u64::from);
        let session = Session {
            // A process makes many of them.
            id: format!("{}-{}-{}", sock.pid, sock.start_ns, sock.time_ns),
            time_ns: sock.time_ns,
            via: Via::Native,
            forwarder: Program { pid: sock.pid, comm: sock.comm.clone() },
            helper_pid: None,
            cookie: sock.cookie,
            target: whose.unwrap_or_else(|| Destination { netns, ..Destination::default() }),
            port: sock.destination.port(),
            address: None,
            state: State::Started,
        };
        Self::new(session, (sock.pid, sock.start_ns), Facts::default())
    }

    fn new(session: Session, process: (u32, u64), facts: Facts) -> Self {
        let begun_ns = session.time_ns;
        Self {
            open: Open { number: 0, session, process, begun_ns, connection: None, bytes: None },
            facts,
            tried: Vec::new(),
            connecting_ns: begun_ns,
            last_ns: begun_ns,
        }
    }

    /// Whether its nsenter may have a child that becomes the socat for that port.
    pub(super) fn may_fork_for(&self, port: u16) -> bool {
        !self.facts.is_socat && self.open.session.port == port
    }

    /// Whether that socket is its connection, or an attempt at it.
    pub(super) fn is_of(&self, sock: &SockEvent) -> bool {
        self.open.process == (sock.pid, sock.start_ns) && self.open.connection == Some(sock.id)
    }

    pub(super) fn is_native_of(&self, process: (u32, u64)) -> bool {
        self.open.session.via == Via::Native && self.open.process == process
    }

    /// Its connection is closed: is that its end?
    pub(super) fn is_over(&self) -> bool {
        match self.open.session.via {
            // A socat without a connection ends, or tries the next address.
            Via::NsenterSocat => self.facts.helper_end.is_some(),
            Via::Native => self.facts.is_connected || self.facts.forwarder_end.is_some(),
        }
    }

    /// Nothing was reached yet, and a native forwarder has more than one address to try.
    pub(super) fn may_try_again(&self) -> bool {
        self.open.session.via == Via::Native && !self.facts.is_connected
    }

    /// Whether that connection is its next attempt: to another address of the same place.
    pub(super) fn is_tried_again_by(&self, sock: &SockEvent) -> bool {
        let Open { session, connection, .. } = &self.open;
        let address = sock.destination.ip();
        self.is_native_of((sock.pid, sock.start_ns))
            && connection.is_none()
            && sock.is_foreign
            && session.target.netns == sock.netns.map(u64::from)
            && session.port == sock.destination.port()
            && !self.tried.contains(&address)
            // The way from an address of the namespace to itself is inside.
            && (address.is_loopback() || address == sock.source)
    }

    /// Its last record; some that came before it may have been lost.
    pub(super) fn closed(self, lacks_records: bool) -> Session {
        let Open { session, .. } = &self.open;
        let (outcome, reason) = self.facts.outcome(session.via, session.port, lacks_records);
        let helper = self.facts.helper_end;
        let bytes = self.open.bytes.or((!self.facts.is_connected).then(Bytes::default));
        let closed = Closed {
            outcome,
            reason: Some(reason),
            helper,
            stderr: None,
            bytes_to_pod: bytes.map(|bytes| bytes.sent),
            bytes_from_pod: bytes.map(|bytes| bytes.received),
            connect_ns: self.facts.connect_ns,
            duration_ns: Some(self.last_ns.saturating_sub(self.open.begun_ns)),
        };
        Session { time_ns: self.last_ns, state: State::Closed(closed), ..self.open.session }
    }
}
