//! How a relay ends.

use std::io;

/// Why a relay failed.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The client reset the connection, or no longer reads, or has vanished.
    #[error("the client {}", if is_silent(.0) { SILENT } else { "closed the connection early" })]
    Client(#[source] io::Error),
    /// The target reset the connection.
    #[error("the target {}", if is_silent(.0) { SILENT } else { "reset the connection" })]
    Target(#[source] io::Error),
    /// Too many files are open to start.
    #[error("cannot make a pipe; `ulimit -n` shows how many files may be open")]
    NoPipe(#[source] io::Error),
}

const SILENT: &str = "does not answer any more";

/// Whether the peer has vanished.
fn is_silent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

/// How a relay ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayEnd {
    /// Both sides ended by themselves.
    Ended,
    /// The target reset the connection after the client's side had ended.
    ResetAfterEnd,
    /// After the client's side had ended, the helper waited for the target no longer. The client sees
    /// a reset.
    GivenUp,
    /// The helper ended, but the target's data is not complete. The client sees a reset.
    CutOff,
}

/// How a target has ended its direction, as far as a helper lets it be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetEnd {
    /// Everything has come, or nothing speaks against that.
    Complete,
    /// The target reset the connection, or the helper failed.
    Reset,
    /// The target had not ended, and the helper has.
    GivenUp,
}

/// Whether the error is a reset. EPIPE is one that came after the other side's FIN (`tcp_reset`,
/// net/ipv4/tcp_input.c).
pub(super) fn is_reset(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}
