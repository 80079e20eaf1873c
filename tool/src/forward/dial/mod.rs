//! Roads into the target's network namespace.

mod nsenter;

use tokio::process::{ChildStdin, ChildStdout};

pub use nsenter::{HelperMissing, Nsenter};

/// A connection into the target, as its two directions.
pub(super) struct Streams {
    /// Closing it is the client's half-close.
    pub(super) to_target: ChildStdin,
    /// Ends when the target has sent everything.
    pub(super) from_target: ChildStdout,
}
