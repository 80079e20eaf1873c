//! The outcome of a session, from the ends of its processes and of its connection.
//!
//! `docs/outcomes.md` has the same rules as a table.

use crate::model::{
    Attempt, End, Ending, NamedProcess, Outcome, OwnReset, Reason, Via, signal_caught_by_socat,
};

/// What is known about a session.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The process that nsenter enters.
    pub(super) target: Option<NamedProcess>,
    /// That process could still be entered when the helper ended.
    pub(super) is_target_alive: bool,
    /// nsenter became socat.
    pub(super) is_socat: bool,
    /// The network namespace in which the kernel has seen the helper, if that can be the target's.
    pub(super) inside: Option<u64>,
    /// How the helper ended.
    pub(super) helper_end: Option<End>,
    /// How the forwarder's process ended while the connection was open.
    pub(super) forwarder_end: Option<End>,
    /// A connection was attempted.
    pub(super) is_tried: bool,
    /// The first attempt that failed.
    pub(super) first_failure: Option<Attempt>,
    /// A connection was established.
    pub(super) is_connected: bool,
    /// How long connecting took, ns.
    pub(super) connect_ns: Option<u64>,
    /// The state of the connection when its process closed the socket, or when the connection
    /// ended.
    pub(super) ending: Option<Ending>,
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
            (Via::NsenterSocat, None) => NOT_SEEN,
            (Via::Native, _) => self.of_native(port),
        };
        if lacks_records && self.is_from_absence(&reason) {
            return NOT_SEEN;
        }
        (outcome, reason)
    }

    /// Whether a reason is concluded from records that did not come: socat's exec, the attempt to
    /// connect, or the connection's end.
    fn is_from_absence(&self, reason: &Reason) -> bool {
        match reason {
            Reason::NotTried
            | Reason::TargetEnded(_)
            | Reason::NotEntered { .. }
            | Reason::Outside { .. }
            | Reason::NotConnected { .. } => true,
            Reason::SocatFailed { .. } => !self.is_connected,
            Reason::ForwarderEnded(_) => self.ending.is_none(),
            _ => false,
        }
    }

    fn of_nsenter(&self, end: End) -> (Outcome, Reason) {
        match end {
            End::Killed(signal) => {
                (Outcome::Killed, Reason::HelperKilled { signal, is_socat: false })
            }
            // util-linux's EX_EXEC_ENOENT and EX_EXEC_FAILED (include/exitcodes.h).
            End::Exited(127) if self.is_inside() => (Outcome::HelperMissing, Reason::NoSocat),
            End::Exited(exit_code @ 126) if self.is_inside() => {
                (Outcome::Failed, Reason::SocatNotRun { exit_code })
            }
            // nsenter itself never exits with 0.
            End::Exited(exit_code @ 0) if self.is_inside() => {
                (Outcome::Failed, Reason::NotConnected { exit_code })
            }
            End::Exited(exit_code) => match self.target {
                Some(target) if !self.is_target_alive && exit_code != 0 => {
                    (Outcome::TargetGone, Reason::TargetEnded(target.pid))
                }
                target => {
                    let target = target.map(|target| target.pid);
                    (Outcome::Failed, Reason::NotEntered { target, exit_code })
                }
            },
        }
    }

    /// Whether the kernel has seen the helper in the target.
    fn is_inside(&self) -> bool {
        self.inside.is_some()
    }

    fn of_socat(&self, end: End, port: u16) -> (Outcome, Reason) {
        let signal = match end {
            End::Killed(signal) => Some(signal),
            End::Exited(exit_code) => signal_caught_by_socat(exit_code),
        };
        if let Some(signal) = signal {
            return match &self.ending {
                // The forwarder ended socat in order to reset the connection. (A forward that is
                // stopped resets it too, and sends SIGTERM.)
                Some(ending) if ending.reset == Some(OwnReset::OnPurpose) && signal != SIGTERM => {
                    self.of_connection(ending)
                }
                _ => (Outcome::Killed, Reason::HelperKilled { signal, is_socat: true }),
            };
        }
        let End::Exited(exit_code) = end else { return NOT_SEEN };
        if !self.is_inside() {
            let target = self.target.map(|target| target.pid);
            return (Outcome::Failed, Reason::Outside { target });
        }
        match (&self.ending, &self.first_failure) {
            (Some(ending), _) => self.of_connection(ending),
            (None, _) if self.is_connected => NOT_SEEN,
            (_, Some(failure)) => failure.outcome(port),
            // Without a route, connect(2) fails before the kernel reports a connection. socat exits
            // with 1 after any error of its own.
            _ if !self.is_tried && exit_code == 1 => (Outcome::Unreachable, Reason::NotTried),
            // An attempt ends with a record.
            _ if self.is_tried => NOT_SEEN,
            _ if exit_code == 0 => (Outcome::Failed, Reason::NotConnected { exit_code }),
            _ => (Outcome::Failed, Reason::SocatFailed { exit_code }),
        }
    }

    fn of_native(&self, port: u16) -> (Outcome, Reason) {
        match (&self.ending, self.forwarder_end, &self.first_failure) {
            (Some(ending), _, _) => self.of_connection(ending),
            (None, Some(end), _) => of_forwarder_end(end),
            (None, None, Some(failure)) if !self.is_connected => failure.outcome(port),
            _ => NOT_SEEN,
        }
    }

    /// The outcome of a connection that was established. What the kernel saw decides. socat's exit
    /// code counts only when nothing was wrong with the connection: it differs between versions.
    fn of_connection(&self, ending: &Ending) -> (Outcome, Reason) {
        self.of_processes(ending)
            .or_else(|| of_error(ending))
            .or_else(|| self.of_own_reset(ending))
            .unwrap_or_else(|| of_close(ending))
    }

    /// The outcome if the process at one of the ends ended, or the loopback device went down, while
    /// the connection was open.
    fn of_processes(&self, ending: &Ending) -> Option<(Outcome, Reason)> {
        // When the connection is over, a native forwarder may simply exit: the kernel then closes
        // the socket.
        let is_over = self.helper_end.is_none() && ending.is_ended_there && ending.reset.is_none();
        match self.forwarder_end {
            Some(End::Exited(0)) if is_over => {}
            Some(end) => return Some(of_forwarder_end(end)),
            None => {}
        }
        match ending.server_end {
            // A server may serve each connection with a process of its own, which then ends.
            None | Some(End::Exited(0)) => {}
            Some(end) => return Some((Outcome::TargetGone, Reason::ServerEnded(end))),
        }
        (ending.is_loopback_down && !ending.is_ended_there)
            .then_some((Outcome::TargetGone, Reason::LoopbackDown))
    }

    /// The outcome if the forwarder closed the connection before all data had reached the client.
    fn of_own_reset(&self, ending: &Ending) -> Option<(Outcome, Reason)> {
        let reason = match (ending.reset, self.helper_end) {
            (Some(OwnReset::UnreadData), _) => Reason::UnreadData,
            (Some(OwnReset::OnPurpose), _) => Reason::ResetOnPurpose,
            (None, Some(End::Exited(exit_code @ 1..))) => Reason::NotPassedOn { exit_code },
            (None, _) => return None,
        };
        Some((Outcome::Reset, reason))
    }
}

/// signal(7)
const SIGTERM: u8 = 15;

/// Records of the end, or of what led to it, were lost.
const NOT_SEEN: (Outcome, Reason) = (Outcome::Failed, Reason::NotSeen);

fn of_forwarder_end(end: End) -> (Outcome, Reason) {
    (Outcome::Killed, Reason::ForwarderEnded(end))
}

/// The outcome if the connection ended with an error.
fn of_error(ending: &Ending) -> Option<(Outcome, Reason)> {
    let errno = ending.error?;
    Some(match errno {
        // Data that comes after the process has closed its socket resets the connection too.
        libc::ECONNRESET | libc::EPIPE if ending.reset.is_some() => return None,
        libc::ECONNRESET | libc::EPIPE if ending.is_ended_here => {
            (Outcome::Ok, Reason::ResetAfterEnd)
        }
        // EPIPE is a reset that comes after the other side's FIN (tcp_reset,
        // net/ipv4/tcp_input.c).
        libc::ECONNRESET | libc::EPIPE => (Outcome::Reset, Reason::Errno(errno)),
        libc::ETIMEDOUT => (Outcome::Timeout, Reason::Errno(errno)),
        _ => (Outcome::Failed, Reason::Errno(errno)),
    })
}

/// The outcome of a connection that ended without an error, or that will end so as soon as the
/// other side answers.
fn of_close(ending: &Ending) -> (Outcome, Reason) {
    match *ending {
        Ending { is_ended_there: true, .. } => (Outcome::Ok, Reason::BothEnded),
        Ending { unsent: bytes @ 1.., .. } => (Outcome::Failed, Reason::Unsent { bytes }),
        Ending { is_released: true, .. } => (Outcome::Ok, Reason::ClientEnded),
        _ => (Outcome::Ok, Reason::BothEnded),
    }
}
