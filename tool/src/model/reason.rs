//! Why a session ended as it did.

use std::net::IpAddr;

use super::End;

/// Why a session ended as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Both sides ended by themselves.
    BothEnded,
    /// The target answered that nothing listens there (a reset in answer to the SYN).
    NothingListens {
        /// The address that was asked.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// No answer came.
    NoAnswer {
        /// How long the forwarder waited, ns.
        after_ns: u64,
    },
    /// The target's network namespace has no route to that address.
    NoRoute,
    /// socat ended before it made a connection that the kernel could report: most likely there is
    /// no route.
    NotTried,
    /// Connecting, or the connection, failed with this errno.
    Errno(i32),
    /// The process to enter has ended, or never existed.
    TargetEnded(u32),
    /// nsenter could not enter. Only its stderr says why.
    NotEntered {
        /// The process to enter.
        target: Option<u32>,
        /// nsenter's exit code.
        exit_code: u8,
    },
    /// nsenter entered, and found no socat.
    NoSocat,
    /// nsenter entered, and could not run socat.
    SocatNotRun {
        /// nsenter's exit code.
        exit_code: u8,
    },
    /// A signal ended the helper.
    HelperKilled {
        /// The signal's number.
        signal: u8,
        /// nsenter had become socat.
        is_socat: bool,
    },
    /// socat ended with an error.
    SocatFailed {
        /// Its exit code.
        exit_code: u8,
    },
    /// The forwarder's process ended before its connection.
    ForwarderEnded(End),
    /// The forwarder closed the connection before it had read all data from the pod.
    UnreadData,
    /// Records of the end, or of what led to it, were lost.
    NotSeen,
    /// The forwarder's own error. It may quote a helper's stderr.
    InWords(String),
}
