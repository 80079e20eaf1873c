//! Why a connection failed.

use std::io::{Error, ErrorKind};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use super::allowed_users::NotAllowed;
use super::own_endpoint::LeadsToEndpoint;
use super::own_listeners::LeadsBack;
use super::relay_end::{RelayError, is_reset};
use crate::host::process::ProcessError;
use crate::model::{Attempt, End, Outcome, Reason};
use crate::target::{FindError, TargetEnded};

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The target's process has ended.
    #[error("the target is gone, perhaps because its pod was restarted: look up its pid again")]
    TargetGone(#[source] TargetEnded),
    /// What the client asked for has no target now.
    #[error(transparent)]
    NoTarget(Box<FindError>),
    /// The target has ended, and nothing has come in its place in time.
    #[error("{ended}, and {what} did not run again{}: {why}", in_time(*.within))]
    NotBack {
        /// What the user named.
        what: String,
        /// How it ended.
        ended: String,
        /// How long the connection waited.
        within: Duration,
        /// The last lookup's answer.
        why: String,
    },
    /// nsenter needs a process, and the target is only a namespace.
    #[error("nsenter needs a process inside the target, and none is known; use --dialer native")]
    NoProcess,
    /// The helper could not be started.
    #[error("cannot start {program}")]
    NotSpawned {
        /// The path of nsenter.
        program: String,
        /// The kernel's error.
        source: Error,
    },
    /// Nobody can tell which namespace the helper is in, so it gets no bytes.
    #[error(
        "cannot check that nsenter has entered the target's network namespace; \
         use --dialer native"
    )]
    HelperUnreadable(#[source] ProcessError),
    /// The helper failed. Worded as in the kubelet: `<exit error>: <stderr>`.
    #[error("{}: {}", exit_error(*.status), stderr.trim_end())]
    HelperFailed {
        /// How it ended.
        status: ExitStatus,
        /// The start of its stderr. Must be escaped for a terminal.
        stderr: String,
    },
    /// No address of the target answered.
    #[error("cannot connect to port {port} inside the target")]
    NotConnected {
        /// The port.
        port: u16,
        /// The attempt at the first address; `None` if pfsnoop itself gave up.
        first: Option<Attempt>,
        /// The answer of the first address.
        source: Error,
    },
    /// The client is not one of the users that may use the forward.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The port is one on which the forward itself listens.
    #[error(transparent)]
    LeadsBack(#[from] LeadsBack),
    /// The port is one on which the endpoint itself listens.
    #[error(transparent)]
    LeadsToEndpoint(#[from] LeadsToEndpoint),
    /// The relay failed, in most cases because one side reset the connection.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The client's socket cannot be used.
    #[error("cannot use the client's connection")]
    BadClient(#[source] Error),
    /// The forward was stopped while the connection was open.
    #[error("the forward was stopped")]
    Stopped,
    /// The kernel does not report how the helper ended.
    #[error("cannot wait for the helper")]
    NotReaped(#[source] Error),
}

fn in_time(time: Duration) -> String {
    if time.is_zero() { String::new() } else { format!(" within {} s", time.as_secs_f64()) }
}

/// The error of a connect(2) that `--connect-timeout` ended.
pub(super) fn no_answer(limit: Duration) -> Error {
    let limit = limit.as_secs_f64();
    let what = format!("no answer in {limit} s, the limit set by --connect-timeout");
    Error::new(ErrorKind::TimedOut, what)
}

impl Failure {
    /// Whether the target caused it, and neither the client nor pfsnoop.
    pub(super) fn is_of_target(&self) -> bool {
        matches!(self, Self::HelperFailed { .. } | Self::Relay(RelayError::Target(_)))
    }

    /// The failure and its causes, in one line. It may quote a helper's stderr, and must be escaped
    /// for a terminal.
    #[must_use]
    pub fn in_words(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |e| e.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// The reason in records. An attempt that the kernel answered has the same reason as one of a
    /// forwarder that only the kernel saw.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::NotConnected { port, first: Some(first), .. } => first.outcome(*port).1,
            _ => Reason::InWords(self.in_words()),
        }
    }

    /// The outcome of the connection.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::TargetGone(_) | Self::NotBack { .. } => Outcome::TargetGone,
            Self::NoTarget(error) if error.is_gone() => Outcome::TargetGone,
            Self::NotSpawned { source, .. } if source.kind() == ErrorKind::NotFound => {
                Outcome::HelperMissing
            }
            Self::HelperFailed { status, stderr } => Outcome::of_helper(end_of(*status), stderr),
            Self::NotConnected { source, .. } => Outcome::of_connect(source.kind()),
            Self::Stopped => Outcome::Killed,
            Self::Relay(RelayError::Client(error) | RelayError::Target(error))
                if is_reset(error) =>
            {
                Outcome::Reset
            }
            Self::Relay(RelayError::Target(error)) if error.kind() == ErrorKind::TimedOut => {
                Outcome::Timeout
            }
            Self::NoProcess
            | Self::NoTarget(_)
            | Self::NotAllowed(_)
            | Self::LeadsBack(_)
            | Self::LeadsToEndpoint(_)
            | Self::NotSpawned { .. }
            | Self::HelperUnreadable(_)
            | Self::Relay(_)
            | Self::BadClient(_)
            | Self::NotReaped(_) => Outcome::Failed,
        }
    }
}

/// How a helper ended, as records have it.
pub(super) fn end_of(status: ExitStatus) -> End {
    End::from_wait_status(status.into_raw().cast_unsigned())
}

/// The status as Go's `exec.ExitError` prints it, and so as kubelet logs have it.
fn exit_error(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("signal: {}", signal.unwrap_or(0)),
    }
}
