//! Why a process cannot be used.

use std::io;

/// Why a process cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no such process.
    #[error("there is no process {0} on this node; `ps -e` lists the processes")]
    NotFound(u32),
    /// The process has ended. Its pid may belong to another process.
    #[error("process {0} has ended")]
    Gone(u32),
    /// The process cannot be read in /proc.
    #[error("cannot read process {pid} in /proc; run pfsnoop as root, in the node's pid namespace")]
    Unreadable {
        /// The pid.
        pid: u32,
        /// The kernel's error.
        source: io::Error,
    },
}
