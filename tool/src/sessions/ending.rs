//! The outcome of a session, from the ends of its processes and of its connection.

use std::net::IpAddr;

use crate::model::{End, Outcome, Reason, Via, signal_caught_by_socat};

/// An attempt to connect that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// The socket's errno; `None` where the connecting side gave up.
    pub(super) error: Option<i32>,
    /// How long it took, ns.
    pub(super) after_ns: u64,
    /// The address that was dialed.
    pub(super) to: IpAddr,
}

/// What is known about a session.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an event that came or did not")]
pub(super) struct Facts {
    /// The process that nsenter enters.
    pub(super) target: Option<u32>,
    /// That process could still be entered when the helper ended.
    pub(super) is_target_alive: bool,
    /// nsenter became socat.
    pub(super) is_socat: bool,
    /// How the helper ended.
    pub(super) helper_end: Option<End>,
    /// How the native forwarder's process ended.
    pub(super) forwarder_end: Option<End>,
    /// A connection was attempted.
    pub(super) is_tried: bool,
    /// The first attempt that failed.
    pub(super) first_failure: Option<Attempt>,
    /// A connection was established.
    pub(super) is_connected: bool,
    /// How long connecting took, ns.
    pub(super) connect_ns: Option<u64>,
    /// The last connection, or attempt at one, has ended.
    pub(super) is_closed: bool,
    /// The errno of that end.
    pub(super) error: Option<i32>,
    /// The forwarder closed the connection before it had read all data.
    pub(super) has_unread_data: bool,
}

impl Facts {
    /// The outcome and its reason. If records may be missing, nothing is concluded from a record
    /// that did not come.
    pub(super) fn outcome(&self, via: Via, port: u16, lacks_records: bool) -> (Outcome, Reason) {
        let (outcome, reason) = match (via, self.helper_end) {
            // Only socat connects, so a connection proves socat's exec even if that record was
            // lost.
            (Via::NsenterSocat, Some(end)) if self.is_socat || self.is_tried => {
                self.of_socat(end, port)
            }
            (Via::NsenterSocat, Some(end)) => self.of_nsenter(end),
            (Via::NsenterSocat, None) => (Outcome::Failed, Reason::NotSeen),
            (Via::Native, _) => self.of_native(port),
        };
        if lacks_records && self.is_from_absence(&reason) {
            return (Outcome::Failed, Reason::NotSeen);
        }
        (outcome, reason)
    }

    /// Whether a reason is concluded from records that did not come: socat's exec, the attempt to
    /// connect, or the connection's end.
    fn is_from_absence(&self, reason: &Reason) -> bool {
        match reason {
            Reason::NotTried | Reason::TargetEnded(_) | Reason::NotEntered { .. } => true,
            Reason::SocatFailed { .. } => !self.is_connected,
            Reason::ForwarderEnded(_) => !self.is_closed,
            _ => false,
        }
    }

    fn of_native(&self, port: u16) -> (Outcome, Reason) {
        match (self.forwarder_end, &self.first_failure) {
            // The forwarder exited, and the kernel closed the connection.
            (Some(End::Exited(0)), _) if self.is_connected && self.is_closed => {
                self.of_connection()
            }
            (Some(end), _) => (Outcome::Killed, Reason::ForwarderEnded(end)),
            (None, _) if self.is_connected && self.is_closed => self.of_connection(),
            (None, Some(failure)) if !self.is_connected => of_attempt(failure, port),
            (None, _) => (Outcome::Failed, Reason::NotSeen),
        }
    }

    fn of_nsenter(&self, end: End) -> (Outcome, Reason) {
        match end {
            End::Killed(signal) => {
                (Outcome::Killed, Reason::HelperKilled { signal, is_socat: false })
            }
            // util-linux's EX_EXEC_ENOENT and EX_EXEC_FAILED (include/exitcodes.h).
            End::Exited(127) => (Outcome::HelperMissing, Reason::NoSocat),
            End::Exited(exit_code @ 126) => (Outcome::Failed, Reason::SocatNotRun { exit_code }),
            // nsenter never exits with 0: this is socat's exit, and its exec was lost.
            End::Exited(0) => (Outcome::Ok, Reason::BothEnded),
            End::Exited(exit_code) => match self.target {
                Some(target) if !self.is_target_alive => {
                    (Outcome::TargetGone, Reason::TargetEnded(target))
                }
                target => (Outcome::Failed, Reason::NotEntered { target, exit_code }),
            },
        }
    }

    fn of_socat(&self, end: End, port: u16) -> (Outcome, Reason) {
        match end {
            End::Exited(0) => (Outcome::Ok, Reason::BothEnded),
            End::Killed(signal) => {
                (Outcome::Killed, Reason::HelperKilled { signal, is_socat: true })
            }
            End::Exited(exit_code) if let Some(signal) = signal_caught_by_socat(exit_code) => {
                (Outcome::Killed, Reason::HelperKilled { signal, is_socat: true })
            }
            End::Exited(exit_code) if self.is_connected => {
                (Outcome::Failed, Reason::SocatFailed { exit_code })
            }
            // Without a route, connect(2) fails before the kernel reports a connection. socat exits
            // with 1 after any error of its own.
            End::Exited(1) if !self.is_tried => (Outcome::Unreachable, Reason::NotTried),
            End::Exited(exit_code) => match &self.first_failure {
                Some(failure) => of_attempt(failure, port),
                None => (Outcome::Failed, Reason::SocatFailed { exit_code }),
            },
        }
    }

    /// The outcome of a native connection that was established.
    fn of_connection(&self) -> (Outcome, Reason) {
        match self.error {
            // EPIPE is a reset that comes after the other side's FIN (tcp_reset,
            // net/ipv4/tcp_input.c).
            Some(errno @ (libc::ECONNRESET | libc::EPIPE)) => {
                (Outcome::Reset, Reason::Errno(errno))
            }
            Some(errno) if errno == libc::ETIMEDOUT => (Outcome::Timeout, Reason::Errno(errno)),
            Some(errno) => (Outcome::Failed, Reason::Errno(errno)),
            None if self.has_unread_data => (Outcome::Reset, Reason::UnreadData),
            None => (Outcome::Ok, Reason::BothEnded),
        }
    }
}

fn of_attempt(attempt: &Attempt, port: u16) -> (Outcome, Reason) {
    let Attempt { error, after_ns, to: address } = *attempt;
    match error {
        Some(libc::ECONNREFUSED) => (Outcome::Refused, Reason::NothingListens { address, port }),
        Some(libc::EHOSTUNREACH | libc::ENETUNREACH) => (Outcome::Unreachable, Reason::NoRoute),
        None | Some(libc::ETIMEDOUT) => (Outcome::Timeout, Reason::NoAnswer { after_ns }),
        Some(errno) => (Outcome::Failed, Reason::Errno(errno)),
    }
}
