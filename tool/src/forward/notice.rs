//! What the forwarder tells while it works.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitStatus;
use std::time::Duration;

use super::PortPair;
use super::relay::Broken;
use crate::node::process::ProcessError;

/// Something that whoever runs the forwarder wants to know.
#[derive(Debug)]
pub enum Notice {
    /// A client connected.
    Handling(PortPair),
    /// A connection is over. The forwarder goes on.
    Closed(Report),
    /// There are as many connections as may be: this one was turned away.
    TooMany(PortPair, u32),
    /// A listener could not accept and tries again.
    NotAccepted(SocketAddr, std::io::Error),
}

/// One connection, when it is over.
#[derive(Debug)]
pub struct Report {
    /// The ports that it joined.
    pub pair: PortPair,
    /// Which of the target's addresses answered, when the road can tell.
    pub address: Option<IpAddr>,
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
    /// The kernel does not tell how the helper ended.
    #[error("cannot wait for the helper")]
    NotReaped(#[source] std::io::Error),
}

/// An exit as Go's `exec.ExitError` words it, which is what kubelet logs have.
fn exit_error(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("signal: {}", signal.unwrap_or(0)),
    }
}
