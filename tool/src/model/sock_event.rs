//! The event of a TCP connection.

use std::net::{IpAddr, SocketAddr};

use super::{End, ProcessId};

/// A TCP connection in one of its states: a connection in a network namespace that is not the home
/// of its process, or any connection of a process named nsenter or socat.
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
    /// The share of that process in what is bounded: `pfsnoop_common::shares`.
    pub share: u32,
    /// Inode of the connection's network namespace; `None` when the kernel does not report it.
    pub netns: Option<u32>,
    /// The connection's network namespace is not the home of its process.
    pub is_foreign: bool,
    /// The address of this side.
    pub source: IpAddr,
    /// The address and port of the other side.
    pub destination: SocketAddr,
    /// The other side has answered. This is set even if the event of the answer was lost.
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
    /// The process has closed its socket. The kernel may keep the connection for longer.
    Released(Ending),
    /// It has ended, or connecting has failed.
    Closed(Ending),
    /// The process closed its socket first, and the connection ended. Now the other end is closed
    /// too.
    ServerClosed {
        /// The other end sent data after the process had closed its socket. This resets the
        /// connection.
        is_reset: bool,
    },
    /// It has ended. How it ended was not seen.
    Gone,
}

/// What the kernel knew about a connection when its process closed the socket, or when the
/// connection ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Ending {
    /// The errno with which the connection ended.
    pub error: Option<i32>,
    /// The other side had ended: its FIN had arrived.
    pub is_ended_there: bool,
    /// This side had ended: its FIN was sent before.
    pub is_ended_here: bool,
    /// The process has closed its socket.
    pub is_released: bool,
    /// This side reset the connection.
    pub reset: Option<OwnReset>,
    /// Bytes that this side has written and the other side has not acknowledged.
    pub unsent: u32,
    /// The loopback device of the network namespace is down.
    pub is_loopback_down: bool,
    /// Set if the process at the other end was ending when the kernel closed the socket there: how
    /// that process ended.
    pub server_end: Option<End>,
}

/// Why this side reset a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnReset {
    /// The process closed the socket before it had read all data, or data came afterwards.
    UnreadData,
    /// The process asked for it.
    OnPurpose,
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

    /// Whether the process has left a connection on which the other side may still be sending. An
    /// event of the other side's end follows, unless that side does nothing.
    #[must_use]
    pub fn is_left(&self) -> bool {
        let SockState::Closed(ending) = &self.state else { return false };
        let Ending { error, is_ended_there, is_released, reset, .. } = *ending;
        let has_sent = self.bytes.is_some_and(|bytes| bytes.received > 0);
        has_sent && is_released && !is_ended_there && error.is_none() && reset.is_none()
    }
}
