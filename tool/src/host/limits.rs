//! Limits of resources: of this process, and of the node.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files to the maximum that the administrator allows. The default is
/// smaller, for programs that use select(2).
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // If this fails, the forwarder works with fewer connections, and reports it when it can
        // accept no more.
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            log::debug!("cannot raise the limit of open files from {current:?}: {error}");
        }
    }
}

/// How many processes may run at the same time (proc(5)). If the node does not say, as many as its
/// kernel allows by default.
#[must_use]
pub fn max_processes() -> u32 {
    /// `PID_MAX_DEFAULT` (include/linux/threads.h).
    const DEFAULT: u32 = 32 * 1024;
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse().ok();
    let limits = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"].map(number);
    limits.into_iter().flatten().min().unwrap_or(DEFAULT)
}
