//! Processes, named for good: a pid alone may be somebody else's a moment later.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::{
    Pid, PidfdFlags, Signal, getppid, pidfd_open, set_parent_process_death_signal,
};

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

/// A process that is held: its pid cannot come to mean another without [`Held::is_alive`] telling.
#[derive(Debug)]
pub struct Held {
    pid: u32,
    pidfd: OwnedFd,
}

impl Held {
    /// Looks a process up and holds it.
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

/// Has the calling process killed when `parent`, which forked it, ends; to be called between fork
/// and exec. (The signal is sent at the end of the *thread* that forked, prctl(2).)
pub fn die_with(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have ended before the line above.
    if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

/// Whether that process has not ended; `start_ns` is its start by `CLOCK_BOOTTIME`, 0 where nobody
/// knows it. One that cannot be looked at counts as running.
#[must_use]
pub fn is_running(pid: u32, start_ns: u64) -> bool {
    use procfs::ProcError;
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

/// When a process started, in clock ticks since the boot, also of one that waits to be reaped: with
/// its pid, that names it.
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
        let held = Held::open(child.id()).unwrap();
        assert!(held.is_alive());
        let pid = child.id();
        let stat = procfs::process::Process::new(pid.cast_signed()).unwrap().stat().unwrap();
        let start_ns = stat.starttime * (NS_A_SECOND / procfs::ticks_per_second());
        assert!(is_running(pid, start_ns) && is_running(pid, start_ns + 1) && is_running(pid, 0));
        assert!(!is_running(pid, start_ns - 1), "another process of that pid");
        child.kill().unwrap();
        // Ended, and not reaped yet.
        while held.is_alive() {}
        assert!(!is_running(pid, start_ns));
        assert!(matches!(netns_of(held.pid()), Err(ProcessError::Gone(_))));
        child.wait().unwrap();
        assert!(!held.is_alive());
        assert!(!is_running(pid, start_ns));
        assert!(matches!(Held::open(held.pid()), Err(ProcessError::NotFound(_))));
    }

    #[test]
    fn no_process_has_these_pids() {
        for pid in [0, u32::MAX, 1 << 30] {
            assert!(matches!(Held::open(pid), Err(ProcessError::NotFound(_))), "{pid}");
        }
    }
}
