//! Processes, held by a pidfd or checked by their start time: a moment later, a pid alone may
//! belong to another process.

mod death_signal;
mod error;
mod facts;
mod handle;
mod homes;

#[cfg(test)]
mod tests;

pub use death_signal::die_with;
pub use error::ProcessError;
pub use facts::{
    can_be_entered, comm_of, is_running, netns_of, processes_and_netns, processes_in_netns,
    start_of,
};
pub use handle::ProcessHandle;
pub use homes::{Home, homes, is_in_first_pid_namespace};
