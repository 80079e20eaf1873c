//! Executables of processes.

use std::os::unix::ffi::OsStringExt as _;
use std::sync::LazyLock;

use super::facts::ProcessFacts;
use super::pid_space::{foreign_namespace, proc_has_kernel_pids};

/// The executable of the process that had this pid, as the kernel numbers processes, at that time of
/// `CLOCK_BOOTTIME`. `None` if the process has ended. The path is as the process's own mount namespace
/// shows it: a container chooses it.
#[must_use]
pub fn exe_at(pid: u32, time_ns: u64) -> Option<Box<[u8]>> {
    if !proc_has_kernel_pids() {
        return None;
    }
    if *OWN_PID == Some(pid) {
        return OWN_EXE.clone();
    }
    let facts = ProcessFacts::now(pid)?;
    // A process that started later is another one.
    let exe = facts.is_older_than(time_ns).then(|| facts.process().exe().ok())??;
    Some(exe.into_os_string().into_vec().into())
}

/// Our own pid, if we are in the first pid namespace.
static OWN_PID: LazyLock<Option<u32>> =
    LazyLock::new(|| foreign_namespace().is_none().then(std::process::id));

/// Our own executable. An endpoint needs it at each of its connections.
static OWN_EXE: LazyLock<Option<Box<[u8]>>> = LazyLock::new(|| {
    let exe = std::env::current_exe().ok()?;
    Some(exe.into_os_string().into_vec().into())
});
