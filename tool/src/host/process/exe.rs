//! Executables of processes.

use std::os::unix::ffi::OsStringExt as _;

use super::facts::ProcessFacts;
use super::pid_space::proc_has_kernel_pids;

/// The executable of the process that had this pid, as the kernel numbers processes, at that time of
/// `CLOCK_BOOTTIME`. `None` if the process has ended. The path is as the process's own mount namespace
/// shows it: a container chooses it.
#[must_use]
pub fn exe_at(pid: u32, time_ns: u64) -> Option<Box<[u8]>> {
    let facts = proc_has_kernel_pids().then(|| ProcessFacts::now(pid))??;
    // A process that started later is another one.
    let exe = facts.is_older_than(time_ns).then(|| facts.process().exe().ok())??;
    Some(exe.into_os_string().into_vec().into())
}
