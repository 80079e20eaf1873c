//! One session: its start, the questions that the index asks about it, and its last record.

use std::net::IpAddr;

use super::ending::Facts;
use super::open_session::OpenSession;
use crate::model::{
    Bytes, Closed, Destination, ExecEvent, Helper, LookedUp, NsenterSocat, ProcessId, Program,
    Session, SockEvent, State, Via,
};

/// How many addresses a native session may try. A forwarder tries one or two, since `localhost` has
/// no more. An attempt beyond that begins another session.
const MAX_TRIED: usize = 16;

/// An open session, with what only the state machine needs.
#[derive(Debug)]
pub(super) struct SessionState {
    pub(super) open: OpenSession,
    pub(super) facts: Facts,
    /// Its share of the table.
    pub(super) share: u32,
    /// The share of its process, with which the records of that process are lost. An nsenter that enters
    /// more than the network namespace leaves the share in which it started.
    pub(super) process_share: u32,
    /// Where nsenter was before it entered the target: the inode of a network namespace.
    pub(super) home: Option<u64>,
    /// Addresses that a native session tried: each once, and at most [`MAX_TRIED`]. A helper may try
    /// without end (socat's `forever`), so its attempts are not kept.
    tried: Vec<IpAddr>,
    /// When the last attempt started.
    pub(super) connecting_ns: u64,
    /// When the forwarder's process ended.
    pub(super) forwarder_end_ns: u64,
    /// The bytes were counted when the process closed the socket, or later.
    pub(super) are_bytes_final: bool,
    /// The time of the last event that counts for the duration.
    pub(super) last_ns: u64,
}

impl SessionState {
    /// A session of an nsenter that is about to become socat.
    pub(super) fn helper(exec: &ExecEvent, nsenter: NsenterSocat, looked_up: LookedUp) -> Self {
        let LookedUp { destination, forwarder_exe } = looked_up;
        let target = destination
            .unwrap_or_else(|| Destination { pid: nsenter.target, ..Destination::default() });
        let target = Destination { is_claimed: true, ..target };
        let forwarder = Program {
            pid: exec.ppid,
            comm: exec.parent_comm.clone(),
            uid: exec.parent_uid,
            exe: forwarder_exe,
        };
        let session = Session {
            id: exec.process().to_string(),
            time_ns: exec.time_ns,
            via: Via::NsenterSocat,
            forwarder,
            helper: Some(Helper { pid: exec.pid, start_ns: Some(exec.start_ns) }),
            cookie: None,
            client: None,
            target,
            port: nsenter.port,
            ports: None,
            address: None,
            state: State::Started,
        };
        let facts = Facts { target: exec.named_target(), ..Facts::default() };
        let home = exec.netns.map(u64::from);
        Self { home, ..Self::new(session, exec.process(), exec.share, facts) }
    }

    /// A session of a process that dials natively.
    pub(super) fn native(sock: &SockEvent, looked_up: LookedUp) -> Self {
        let LookedUp { destination, forwarder_exe: exe } = looked_up;
        let netns = sock.netns.map(u64::from);
        let session = Session {
            // A process makes many connections.
            id: format!("{}-{}", sock.process(), sock.time_ns),
            time_ns: sock.time_ns,
            via: Via::Native,
            forwarder: Program { pid: sock.pid, comm: sock.comm.clone(), uid: sock.uid, exe },
            helper: None,
            cookie: sock.cookie,
            client: None,
            target: destination.unwrap_or_else(|| Destination { netns, ..Destination::default() }),
            port: sock.destination.port(),
            ports: None,
            address: None,
            state: State::Started,
        };
        Self::new(session, sock.process(), sock.share, Facts::default())
    }

    fn new(session: Session, process: ProcessId, share: u32, facts: Facts) -> Self {
        let started_ns = session.time_ns;
        let open = OpenSession {
            number: 0,
            session,
            process,
            started_ns,
            connection: None,
            bytes: None,
            is_released: false,
        };
        Self {
            open,
            facts,
            share,
            process_share: share,
            home: None,
            tried: Vec::new(),
            connecting_ns: started_ns,
            forwarder_end_ns: 0,
            are_bytes_final: false,
            last_ns: started_ns,
        }
    }

    /// Whether the nsenter of this session may have a child that becomes socat for this port.
    pub(super) fn may_fork_for(&self, port: u16) -> bool {
        !self.facts.is_socat && self.open.session.port == port
    }

    /// Whether a connection of the helper is the session's: to the port that the arguments name, and in
    /// the network namespace in which the helper was seen.
    pub(super) fn takes(&self, sock: &SockEvent) -> bool {
        let is_inside =
            self.facts.inside.is_some() && self.facts.inside == sock.netns.map(u64::from);
        is_inside && sock.destination.port() == self.open.session.port
    }

    /// Whether this socket is the session's connection, or its present attempt to connect.
    pub(super) fn has_connection(&self, sock: &SockEvent) -> bool {
        self.open.process == sock.process() && self.open.connection == Some(sock.id)
    }

    pub(super) fn is_native(&self) -> bool {
        self.open.session.via == Via::Native
    }

    pub(super) fn is_native_of(&self, process: ProcessId) -> bool {
        self.is_native() && self.open.process == process
    }

    /// Whether this process started the helper.
    pub(super) fn is_started_by(&self, process: ProcessId) -> bool {
        !self.is_native()
            && self.open.session.forwarder.pid == process.pid
            && process.start_ns < self.open.started_ns
    }

    /// Whether the end of its connection, which has just come, is the end of the session.
    pub(super) fn is_over(&self) -> bool {
        match self.open.session.via {
            // A socat without a connection ends, or tries the next address.
            Via::NsenterSocat => self.facts.helper_end.is_some(),
            Via::Native => self.facts.is_connected || self.facts.forwarder_end.is_some(),
        }
    }

    /// Whether another attempt may follow: nothing answered yet, and a native forwarder has more
    /// than one address to try.
    pub(super) fn may_try_again(&self) -> bool {
        self.is_native() && !self.facts.is_connected
    }

    /// Notes an attempt to connect to this address.
    pub(super) fn note_attempt(&mut self, address: IpAddr) {
        let is_new = self.is_native() && !self.tried.contains(&address);
        if is_new && self.tried.len() < MAX_TRIED {
            self.tried.push(address);
        }
    }

    /// How many attempts are kept.
    #[cfg(test)]
    pub(super) fn attempts_kept(&self) -> usize {
        self.tried.capacity()
    }

    /// Whether this connection is the session's next attempt, at another address of the same
    /// target.
    pub(super) fn is_tried_again_by(&self, sock: &SockEvent) -> bool {
        let OpenSession { session, connection, .. } = &self.open;
        let address = sock.destination.ip();
        self.is_native_of(sock.process())
            && connection.is_none()
            && sock.is_foreign
            && session.target.netns == sock.netns.map(u64::from)
            && session.port == sock.destination.port()
            && !self.tried.contains(&address)
            && self.tried.len() < MAX_TRIED
            // A connection from one of the namespace's addresses to itself stays inside.
            && (address.is_loopback() || address == sock.source)
    }

    /// Its last record. `lacks_records`: some of its events may have been lost.
    pub(super) fn closed(self, lacks_records: bool) -> Session {
        let OpenSession { session, .. } = &self.open;
        let (outcome, reason) = self.facts.outcome(session.via, session.port, lacks_records);
        let counted = self.open.bytes.filter(|_| self.are_bytes_final);
        let bytes = counted.or((!self.facts.is_connected).then(Bytes::default));
        let closed = Closed {
            outcome,
            reason,
            helper_end: self.facts.helper_end,
            stderr: None,
            error: None,
            bytes_to_pod: bytes.map(|bytes| bytes.sent),
            bytes_from_pod: bytes.map(|bytes| bytes.received),
            connect_ns: self.facts.connect_ns,
            duration_ns: Some(self.last_ns.saturating_sub(self.open.started_ns)),
        };
        Session { time_ns: self.last_ns, state: State::Closed(closed), ..self.open.session }
    }

    /// Its last record when it is no longer followed, at `now_ns` of `CLOCK_BOOTTIME`.
    pub(super) fn lost(self, now_ns: u64) -> Session {
        Session { time_ns: now_ns, state: State::Lost, ..self.open.session }
    }
}
