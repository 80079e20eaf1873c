//! What the forwarder tells while it works.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use super::PortPair;
use super::relay::Broken;
use crate::node::process::ProcessError;
use crate::trace::{End, Outcome};

/// Something that whoever runs the forwarder wants to know.
#[derive(Debug)]
pub enum Notice {
    /// A client connected.
    Handling(Begun),
    /// The road is there: a helper that is in the target's namespace, or a socket that is connected.
    Dialed(Begun, FarEnd),
    /// The target answered, at that time of `CLOCK_BOOTTIME`, ns: the road knows it, or its first byte
    /// has come. Of a connection that ends well it is told at the latest before its end; of others
    /// perhaps never.
    Connected(Begun, u64),
    /// A connection is over. The forwarder goes on.
    Closed(Report),
    /// There are as many connections as may be: this one was turned away.
    TooMany(PortPair, u32),
    /// A listener cannot accept and tries again; told once until it could for a while.
    NotAccepted(SocketAddr, std::io::Error),
}

/// A connection that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Its number: each connection of a forwarder has another.
    pub number: u64,
    /// The ports that it joins.
    pub pair: PortPair,
    /// When it was accepted: `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
}

/// What is known of a connection's other end.
#[derive(Clone, Copy, Debug, Default)]
pub struct FarEnd {
    /// Which of the target's addresses answered, when the road can tell.
    pub address: Option<IpAddr>,
    /// The process that carries it, when there is one.
    pub helper_pid: Option<u32>,
    /// The socket's `SO_COOKIE`, when it is ours.
    pub cookie: Option<u64>,
}

/// One connection, when it is over.
#[derive(Debug)]
pub struct Report {
    /// Which one.
    pub begun: Begun,
    /// When it was over: `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// The road's end, as far as the road led.
    pub far_end: FarEnd,
    /// Bytes that arrived in the pod.
    pub bytes_to_pod: u64,
    /// Bytes that arrived at the client.
    pub bytes_from_pod: u64,
    /// From accept to the end.
    pub duration: Duration,
    /// How it ended.
    pub end: Result<(), Failure>,
}

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The target's process has ended.
    #[error("the target is gone, its pod may have been restarted: look its pid up again")]
    TargetGone(#[source] ProcessError),
    /// nsenter needs a process, and the target is a namespace alone.
    #[error("no process is in there for nsenter to enter by; use --dialer native")]
    NoProcess,
    /// The helper could not be started.
    #[error("cannot start {program}")]
    NotSpawned {
        /// The path of nsenter.
        program: String,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// The helper ended with an error: the kubelet's words, `<exit error>: <stderr>`.
    #[error("{}: {}", exit_error(*.status), stderr.trim_end())]
    HelperFailed {
        /// How it ended.
        status: ExitStatus,
        /// What it said, as far as it was kept. Not to be trusted on a terminal as it is.
        stderr: String,
    },
    /// No address of the target answered.
    #[error("cannot connect to port {port} inside the target")]
    NotConnected {
        /// The port.
        port: u16,
        /// What the first address answered.
        source: std::io::Error,
    },
    /// One side left in the middle.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The client's socket cannot be used.
    #[error("cannot use the client's connection")]
    BadClient(#[source] std::io::Error),
    /// The forward ended while it was open.
    #[error("the forward was ended")]
    Stopped,
    /// The kernel does not tell how the helper ended.
    #[error("cannot wait for the helper")]
    NotReaped(#[source] std::io::Error),
}

impl Failure {
    /// Whether it is the target's doing, and neither the client's nor ours.
    pub(super) fn is_of_the_target(&self) -> bool {
        matches!(self, Self::HelperFailed { .. } | Self::Broken(Broken::Target(_)))
    }

    /// It and what caused it, in one line. What a helper said is in there: not to be trusted on a
    /// terminal as it is.
    #[must_use]
    pub fn in_words(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |e| e.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// What it comes to, in one word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::TargetGone(_) => Outcome::TargetGone,
            Self::NotSpawned { source, .. } if source.kind() == ErrorKind::NotFound => {
                Outcome::HelperMissing
            }
            Self::HelperFailed { status, stderr } => Outcome::of_helper(end_of(*status), stderr),
            Self::NotConnected { source, .. } => Outcome::of_connect(source.kind()),
            Self::Stopped => Outcome::Killed,
            Self::NoProcess
            | Self::NotSpawned { .. }
            | Self::Broken(_)
            | Self::BadClient(_)
            | Self::NotReaped(_) => Outcome::Failed,
        }
    }
}

/// How a helper ended, as records have it.
pub(super) fn end_of(status: ExitStatus) -> End {
    End::from_wait_status(status.into_raw().cast_unsigned())
}

/// An exit as Go's `exec.ExitError` words it, which is what kubelet logs have.
fn exit_error(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("signal: {}", signal.unwrap_or(0)),
    }
}
