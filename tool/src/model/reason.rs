//! Why a session ended as it did.

use std::net::IpAddr;

use super::End;

/// Why a session ended as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Both sides ended by themselves.
    BothEnded,
    /// The client's side ended first, and the pod had not ended a moment later.
    ClientEnded,
    /// The pod reset the connection after the client's side had ended. Everything that the pod had
    /// sent before has arrived.
    ResetAfterEnd,
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
    /// socat ran, but in another network namespace than that of the process to enter.
    Outside {
        /// The process to enter.
        target: Option<u32>,
    },
    /// A helper ended by itself without a connection to the port.
    NotConnected {
        /// Its exit code.
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
    /// socat ended with an error before it had connected.
    SocatFailed {
        /// Its exit code.
        exit_code: u8,
    },
    /// The forwarder's process ended before its connection.
    ForwarderEnded(End),
    /// socat ended with an error, and nothing was wrong with its connection: it could not pass data
    /// on to the client.
    NotPassedOn {
        /// socat's exit code.
        exit_code: u8,
    },
    /// The forwarder closed the connection before it had read all data from the pod.
    UnreadData,
    /// The forwarder reset the connection on purpose, by the option `SO_LINGER`.
    ResetOnPurpose,
    /// The forwarder closed the connection, and the pod has not taken all data.
    Unsent {
        /// Bytes that are left.
        bytes: u32,
    },
    /// The loopback device of the target's network namespace went down under the connection.
    LoopbackDown,
    /// The server ended: the process in the pod that had the other end of the connection.
    ServerEnded(End),
    /// Records of the end, or of what led to it, were lost.
    NotSeen,
    /// The forwarder's own error. It may quote a helper's stderr.
    InWords(String),
}
