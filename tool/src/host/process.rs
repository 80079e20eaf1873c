//! Processes, held by a pidfd or checked by their start: a pid alone may be another process's a
//! moment later.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::{
    Pid, PidfdFlags, Signal, getppid, pidfd_open, set_parent_process_death_signal,
};

use crate::model::ProcessId;

/// Why a process cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no such process.
    #[error("there is no process {0} on this node; `ps -e` lists those that there are")]
    NotFound(u32),
    /// It ended and another took its number.
    #[error("process {0} has ended")]
    Gone(u32),
    /// The kernel does not let us look.
    #[error("cannot look at process {pid}; run pfsnoop as root, with the node's own pids")]
    Unreadable {
        /// Which one.
        pid: u32,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A process held by a pidfd: [`ProcessHandle::is_alive`] reports when the pid no longer means it.
#[derive(Debug)]
pub struct ProcessHandle {
    pid: u32,
    pidfd: OwnedFd,
}

impl ProcessHandle {
    /// Looks up a process and holds it.
    pub fn open(pid: u32) -> Result<Self, ProcessError> {
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let raw = raw.ok_or(ProcessError::NotFound(pid))?;
        let pidfd = pidfd_open(raw, PidfdFlags::empty()).map_err(|errno| match errno {
            // EINVAL is what a thread that leads no process gets.
            rustix::io::Errno::SRCH | rustix::io::Errno::INVAL => ProcessError::NotFound(pid),
            errno => ProcessError::Unreadable { pid, source: errno.into() },
        })?;
        // One that has ended, or into which we may not look, is of no use.
        netns_of(pid)?;
        Ok(Self { pid, pidfd })
    }

    /// Its pid (the kernel's tgid).
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the pid still means this process: one that waits to be reaped has no namespaces.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, poll};
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let now = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
        // A pidfd becomes readable when its process ends (pidfd_open(2)).
        matches!(poll(&mut fds, Some(&now)), Ok(0))
    }
}

/// Has the kernel kill the calling process when `parent`, which forked it, ends. To be called between
/// fork and exec. (The signal is sent at the end of the *thread* that forked, prctl(2).)
pub fn die_with(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have ended before the line above.
    if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

/// Whether this process has not ended. A process that cannot be looked at counts as running.
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
        start_ns == 0 || stat.starttime == start_ns / (NS_A_SECOND / procfs::ticks_per_second());
    // One that waits to be reaped has ended.
    is_it && !matches!(stat.state, 'Z' | 'X')
}

const NS_A_SECOND: u64 = 1_000_000_000;

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

/// Every process with that network namespace, as far as they can be looked at.
pub fn processes_in_netns(netns: u64) -> impl Iterator<Item = u32> {
    let all = procfs::process::all_processes().into_iter().flatten();
    let pids = all.filter_map(|process| u32::try_from(process.ok()?.pid()).ok());
    pids.filter(move |&pid| netns_of(pid).ok() == Some(netns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_a_process_until_it_ends() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let handle = ProcessHandle::open(child.id()).unwrap();
        assert!(handle.is_alive());
        let pid = child.id();
        let stat = procfs::process::Process::new(pid.cast_signed()).unwrap().stat().unwrap();
        let start_ns = stat.starttime * (NS_A_SECOND / procfs::ticks_per_second());
        let of = |start_ns| ProcessId { pid, start_ns };
        assert!(is_running(of(start_ns)) && is_running(of(start_ns + 1)) && is_running(of(0)));
        assert!(!is_running(of(start_ns - 1)), "another process of that pid");
        child.kill().unwrap();
        // Ended, and not reaped yet.
        while handle.is_alive() {}
        assert!(!is_running(of(start_ns)));
        assert!(matches!(netns_of(handle.pid()), Err(ProcessError::Gone(_))));
        child.wait().unwrap();
        assert!(!handle.is_alive());
        assert!(!is_running(of(start_ns)));
        assert!(matches!(ProcessHandle::open(handle.pid()), Err(ProcessError::NotFound(_))));
    }

    #[test]
    fn no_process_has_these_pids() {
        for pid in [0, u32::MAX, 1 << 30] {
            assert!(matches!(ProcessHandle::open(pid), Err(ProcessError::NotFound(_))), "{pid}");
        }
    }
}
