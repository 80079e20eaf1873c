//! What the forwarder tells while it works.

use std::net::SocketAddr;
use std::process::ExitStatus;

use super::PortPair;
use crate::node::process::ProcessError;

/// Something that whoever runs the forwarder wants to know.
#[derive(Debug)]
pub enum Notice {
    /// A client connected.
    Handling(PortPair),
    /// A connection could not be made or did not end well. The forwarder goes on.
    Failed(PortPair, Failure),
    /// A listener could not accept and tries again.
    NotAccepted(SocketAddr, std::io::Error),
}

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The target's process has ended.
    #[error("the target is gone, its pod may have been restarted: look its pid up again")]
    TargetGone(#[source] ProcessError),
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
    /// Data could not be carried.
    #[error("the connection broke")]
    Broken(#[source] std::io::Error),
}

/// An exit as Go's `exec.ExitError` words it, which is what kubelet logs have.
fn exit_error(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("signal: {}", signal.unwrap_or(0)),
    }
}
