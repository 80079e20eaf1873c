//! Facts about processes from /proc.

use std::io;
use std::path::Path;

use super::error::ProcessError;
use crate::model::ProcessId;

/// Whether this process still runs. A process that cannot be read counts as running.
#[must_use]
pub fn is_running(process: ProcessId) -> bool {
    use procfs::ProcError;
    let ProcessId { pid, start_ns } = process;
    let found = i32::try_from(pid).map(procfs::process::Process::new);
    let stat = match found.map(|process| process.and_then(|process| process.stat())) {
        Ok(Ok(stat)) => stat,
        Ok(Err(ProcError::NotFound(_))) | Err(_) => return false,
        Ok(Err(_)) => return true,
    };
    let is_it =
        start_ns == 0 || stat.starttime == start_ns / (NS_PER_SECOND / procfs::ticks_per_second());
    // A process that waits to be reaped has ended.
    is_it && !matches!(stat.state, 'Z' | 'X')
}

const NS_PER_SECOND: u64 = 1_000_000_000;

/// Whether a process can be entered now. A process that waits to be reaped cannot.
#[must_use]
pub fn can_be_entered(pid: u32) -> bool {
    netns_of(pid).is_ok()
}

/// Inode of a process's network namespace.
pub fn netns_of(pid: u32) -> Result<u64, ProcessError> {
    use std::os::unix::fs::MetadataExt as _;
    let process = Path::new("/proc").join(pid.to_string());
    match std::fs::metadata(process.join("ns/net")) {
        Ok(namespace) => Ok(namespace.ino()),
        // A process that has ended but was not reaped has no namespaces left.
        Err(error) if error.kind() == io::ErrorKind::NotFound && process.exists() => {
            Err(ProcessError::Gone(pid))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ProcessError::NotFound(pid)),
        Err(source) => Err(ProcessError::Unreadable { pid, source }),
    }
}

/// When a process started, in clock ticks since boot; also for a process that waits to be reaped.
#[must_use]
pub fn start_of(pid: u32) -> Option<u64> {
    let process = procfs::process::Process::new(i32::try_from(pid).ok()?);
    process.and_then(|process| process.stat()).ok().map(|stat| stat.starttime)
}

/// The comm of a process. At most 15 bytes, which the process chooses itself.
#[must_use]
pub fn comm_of(pid: u32) -> Option<Box<[u8]>> {
    let comm = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(comm.strip_suffix(b"\n").unwrap_or(&comm).into())
}

/// Every process in that network namespace. Processes that cannot be read are left out.
pub fn processes_in_netns(netns: u64) -> impl Iterator<Item = u32> {
    processes_and_netns().filter_map(move |(pid, of_it)| (of_it == netns).then_some(pid))
}

/// Every process and its network namespace. Processes that cannot be read are left out.
pub fn processes_and_netns() -> impl Iterator<Item = (u32, u64)> {
    let all = procfs::process::all_processes().into_iter().flatten();
    let pids = all.filter_map(|process| u32::try_from(process.ok()?.pid()).ok());
    pids.filter_map(|pid| Some((pid, netns_of(pid).ok()?)))
}
