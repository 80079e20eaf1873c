//! Processes, held by a pidfd or checked by their start time: a moment later, a pid alone may
//! belong to another process.

mod death_signal;
mod error;
mod exe;
mod facts;
mod handle;
mod homes;
mod pid_space;
mod translate;

#[cfg(test)]
mod tests;

pub use death_signal::die_with;
pub use error::ProcessError;
pub use exe::exe_at;
pub use facts::{
    ProcessFacts, is_running, netns_of, processes_and_netns, processes_in_netns, start_of,
};
pub use handle::ProcessHandle;
pub use homes::{Home, homes};
pub use pid_space::{foreign_namespace, host_mntns, proc_has_kernel_pids, shows_pids_of};
pub use translate::{find_in_pidns, has_pid_in};
