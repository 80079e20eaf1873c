//! The event of a TCP connection.

use std::net::{IpAddr, SocketAddr};

use super::ProcessId;

/// A TCP connection in one of its states: a connection in another network namespace than its
/// process's own, or any connection of socat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SockEvent {
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Identifies the connection until it is closed.
    pub id: u64,
    /// The socket's `SO_COOKIE`; `None` unless its process had asked for one before it connected.
    pub cookie: Option<u64>,
    /// The state.
    pub state: SockState,
    /// Process that made it.
    pub pid: u32,
    /// Thread that made it.
    pub tid: u32,
    /// Start of that process, `CLOCK_BOOTTIME`, ns; 0 when the kernel does not report it.
    pub start_ns: u64,
    /// Name of that process, at most 15 bytes.
    pub comm: Box<[u8]>,
    /// Real user id of that process; `None` when the kernel does not report it.
    pub uid: Option<u32>,
    /// Inode of the connection's network namespace; `None` when the kernel does not report it.
    pub netns: Option<u32>,
    /// The connection's network namespace is not the process's own.
    pub is_foreign: bool,
    /// The address of this side.
    pub source: IpAddr,
    /// The address and port of the other side.
    pub destination: SocketAddr,
    /// The other side has answered, even if the event of that was lost.
    pub is_answered: bool,
    /// Payload that it has carried so far; `None` when the kernel does not report it.
    pub bytes: Option<Bytes>,
}

/// The state of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SockState {
    /// Connecting has begun.
    Connecting,
    /// The other side answered.
    Connected,
    /// It is open. The event answers a request for its byte counts.
    Open,
    /// It has ended, or connecting has failed.
    Closed {
        /// The errno of its end.
        error: Option<i32>,
        /// This side closed it before it had read all data, which resets the connection.
        has_unread_data: bool,
    },
    /// It has ended, and how was not seen.
    Gone,
}

/// Payload that a connection has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// Bytes that this side sent and the other side acknowledged.
    pub sent: u64,
    /// Bytes that arrived from the other side.
    pub received: u64,
}

impl SockEvent {
    /// The process that made the connection.
    #[must_use]
    pub fn process(&self) -> ProcessId {
        ProcessId { pid: self.pid, start_ns: self.start_ns }
    }
}
