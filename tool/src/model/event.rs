//! The events that the kernel programs report.
//!
//! Texts are bytes: a process chooses its own names and arguments, and need not choose UTF-8.

use pfsnoop_common::shares;

use super::exec_event::MIN_ALLOCATION;
use super::{ExecEvent, ExitEvent, SockEvent};

/// Something that happened on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A process called exec, with success or without.
    Exec(ExecEvent),
    /// A process ended.
    Exit(ExitEvent),
    /// A followed TCP connection entered another state.
    Sock(SockEvent),
}

impl Event {
    /// When it happened: `CLOCK_BOOTTIME`, ns.
    #[must_use]
    pub fn time_ns(&self) -> u64 {
        match self {
            Self::Exec(exec) => exec.time_ns,
            Self::Exit(exit) => exit.time_ns,
            Self::Sock(sock) => sock.time_ns,
        }
    }

    /// Bytes of memory that the event takes, with the overhead of the allocator.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Exec(exec) => exec.memory(),
                Self::Exit(_) | Self::Sock(_) => MIN_ALLOCATION,
            }
    }

    /// The share of its process in what is bounded: `pfsnoop_common::shares`. The end of a process counts
    /// as the host's.
    #[must_use]
    pub fn share(&self) -> u32 {
        match self {
            Self::Exec(exec) => exec.share,
            Self::Exit(_) => shares::HOST,
            Self::Sock(sock) => sock.share,
        }
    }

    /// Whether it may concern a port-forward: such events are the last to be dropped.
    #[must_use]
    pub fn is_of_forward(&self) -> bool {
        let is_helper = |comm: &[u8]| matches!(comm, b"nsenter" | b"socat");
        match self {
            Self::Exec(exec) => is_helper(&exec.comm),
            Self::Exit(exit) => is_helper(&exit.comm),
            Self::Sock(_) => true,
        }
    }
}
