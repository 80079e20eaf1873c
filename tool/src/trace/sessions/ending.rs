//! What became of a session, from how its processes and its connection ended.

use std::net::IpAddr;

use crate::trace::session::caught_by_socat;
use crate::trace::{End, Outcome, Via};

/// Why a session ended as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Both sides ended by themselves.
    BothEnded,
    /// The target answered that nothing listens there.
    NothingListens {
        /// The address that was asked.
        address: IpAddr,
        /// And the port.
        port: u16,
    },
    /// No answer came.
    NoAnswer {
        /// How long it was waited for, ns.
        after_ns: u64,
    },
    /// The kernel has no way to that address in there.
    NoWay,
    /// socat ended before there was a connection to see: most likely for want of a way.
    NotTried,
    /// Connecting, or the connection, failed with this errno.
    Errno(i32),
    /// The process to enter has ended, or never was.
    TargetEnded(u32),
    /// nsenter could not enter, and says so on its stderr alone.
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
    /// The helper was ended by a signal.
    HelperKilled {
        /// Its number.
        signal: u8,
        /// nsenter had become socat.
        is_socat: bool,
    },
    /// socat broke off.
    SocatFailed {
        /// Its exit code.
        exit_code: u8,
    },
    /// The forwarder's process ended before its connection.
    ForwarderEnded(End),
    /// The forwarder closed the connection with data not read.
    BrokenOff,
    /// Records of the end, or of what led to it, were lost.
    NotSeen,
    /// What the forwarder ran into, in its own words; those of a helper may be among them.
    InWords(String),
}

/// An attempt to connect that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The socket's errno; `None` where the connecting side gave up.
    pub(super) error: Option<i32>,
    /// How long it took, ns.
    pub(super) after_ns: u64,
    /// The address that was asked.
    pub(super) to: IpAddr,
}

/// What is known of a session.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an event that came or did not")]
pub(super) struct Facts {
    /// The process that nsenter enters.
    pub(super) target: Option<u32>,
    /// It could still be entered when the helper ended.
    pub(super) is_target_there: bool,
    /// nsenter became socat.
    pub(super) is_socat: bool,
    /// How the helper ended.
    pub(super) helper_end: Option<End>,
    /// How the native forwarder's process ended.
    pub(super) forwarder_end: Option<End>,
    /// A connection was begun.
    pub(super) is_tried: bool,
    /// The first attempt that failed.
    pub(super) failure: Option<Failure>,
    /// A connection came about.
    pub(super) is_connected: bool,
    /// How long that took, ns.
    pub(super) connect_ns: Option<u64>,
    /// The last connection, or attempt at one, is over.
    pub(super) is_closed: bool,
    /// The errno that it ended with.
    pub(super) error: Option<i32>,
    /// It was ended without a word to the other side.
    pub(super) is_broken_off: bool,
}

impl Facts {
    /// What became of it, and why. Where it lacks records, nothing is concluded from what is not known.
    pub(super) fn outcome(&self, via: Via, port: u16, lacks_records: bool) -> (Outcome, Reason) {
        let (outcome, reason) = match (via, self.helper_end) {
            // It is socat that connects, also where its exec was lost.
            (Via::NsenterSocat, Some(end)) if self.is_socat || self.is_tried => {
                self.of_socat(end, port)
            }
            (Via::NsenterSocat, Some(end)) => self.of_nsenter(end),
            (Via::NsenterSocat, None) => (Outcome::Failed, Reason::NotSeen),
            (Via::Native, _) => self.of_native(port),
        };
        if lacks_records && self.is_of_what_did_not_happen(&reason) {
            return (Outcome::Failed, Reason::NotSeen);
        }
        (outcome, reason)
    }

    /// Whether that is concluded from records that did not come: of the exec of socat, of how
    /// connecting went, or of the connection's end.
    fn is_of_what_did_not_happen(&self, reason: &Reason) -> bool {
        match reason {
            Reason::NotTried | Reason::TargetEnded(_) | Reason::NotEntered { .. } => true,
            Reason::SocatFailed { .. } => !self.is_connected,
            Reason::ForwarderEnded(_) => !self.is_closed,
            _ => false,
        }
    }

    fn of_native(&self, port: u16) -> (Outcome, Reason) {
        match (self.forwarder_end, &self.failure) {
            // It left the end of its connection to the kernel, which does it as well.
            (Some(End::Exited(0)), _) if self.is_connected && self.is_closed => {
                self.of_connection()
            }
            (Some(end), _) => (Outcome::Killed, Reason::ForwarderEnded(end)),
            (None, _) if self.is_connected && self.is_closed => self.of_connection(),
            (None, Some(failure)) if !self.is_connected => of_failure(failure, port),
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
            // It is socat's, whose exec was lost.
            End::Exited(0) => (Outcome::Ok, Reason::BothEnded),
            End::Exited(exit_code) => match self.target {
                Some(target) if !self.is_target_there => {
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
            End::Exited(exit_code) if let Some(signal) = caught_by_socat(exit_code) => {
                (Outcome::Killed, Reason::HelperKilled { signal, is_socat: true })
            }
            End::Exited(exit_code) if self.is_connected => {
                (Outcome::Failed, Reason::SocatFailed { exit_code })
            }
            // connect(2) fails before there is a connection to see where no way leads. It is 1 that
            // socat ends with after any error of its own.
            End::Exited(1) if !self.is_tried => (Outcome::Unreachable, Reason::NotTried),
            End::Exited(exit_code) => match &self.failure {
                Some(failure) => of_failure(failure, port),
                None => (Outcome::Failed, Reason::SocatFailed { exit_code }),
            },
        }
    }

    /// Of a native connection that came about.
    fn of_connection(&self) -> (Outcome, Reason) {
        match self.error {
            // An EPIPE is a reset too, one after the other side's end.
            Some(errno) if errno == libc::ETIMEDOUT => (Outcome::Timeout, Reason::Errno(errno)),
            Some(errno) => (Outcome::Failed, Reason::Errno(errno)),
            None if self.is_broken_off => (Outcome::Failed, Reason::BrokenOff),
            None => (Outcome::Ok, Reason::BothEnded),
        }
    }
}

fn of_failure(failure: &Failure, port: u16) -> (Outcome, Reason) {
    let Failure { error, after_ns, to: address } = *failure;
    match error {
        Some(libc::ECONNREFUSED) => (Outcome::Refused, Reason::NothingListens { address, port }),
        Some(libc::EHOSTUNREACH | libc::ENETUNREACH) => (Outcome::Unreachable, Reason::NoWay),
        None | Some(libc::ETIMEDOUT) => (Outcome::Timeout, Reason::NoAnswer { after_ns }),
        Some(errno) => (Outcome::Failed, Reason::Errno(errno)),
    }
}
