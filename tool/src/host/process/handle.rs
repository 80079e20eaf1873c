//! A process held by a pidfd.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::error::ProcessError;
use super::facts::netns_of;

/// How often to check whether the process has ended, if too many files are open to be told.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// A process held by a pidfd. While [`ProcessHandle::is_alive`], its pid belongs to it.
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
            // EINVAL: the id of a thread that is not the first of its process.
            rustix::io::Errno::SRCH | rustix::io::Errno::INVAL => ProcessError::NotFound(pid),
            errno => ProcessError::Unreadable { pid, source: errno.into() },
        })?;
        // A process that has ended, or that cannot be read, is of no use.
        netns_of(pid)?;
        Ok(Self { pid, pidfd })
    }

    /// Its pid (the kernel's tgid).
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until the process has ended.
    pub async fn ended(&self) {
        while self.is_alive() {
            if let Err(error) = self.wait_readable().await {
                log::debug!("cannot wait for the end of process {}: {error}", self.pid);
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        }
    }

    /// A pidfd becomes readable when its process ends (pidfd_open(2)).
    async fn wait_readable(&self) -> io::Result<()> {
        let pidfd = self.pidfd.try_clone()?;
        // SAFETY: the descriptor is owned, and stays the same while it is registered.
        let pidfd = unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE)? };
        pidfd.readable().await.map(drop)
    }

    /// Whether the process has not ended. One that waits to be reaped has ended: it has no
    /// namespaces.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, poll};
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let now = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
        // A pidfd becomes readable when its process ends (pidfd_open(2)).
        matches!(poll(&mut fds, Some(&now)), Ok(0))
    }
}
