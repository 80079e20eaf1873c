//! The event of a process's end.

use super::{End, ProcessId};

/// The end of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitEvent {
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Start of the process, `CLOCK_BOOTTIME`, ns; 0 when the kernel does not report it.
    pub start_ns: u64,
    /// Process.
    pub pid: u32,
    /// Parent process.
    pub ppid: u32,
    /// Real user id.
    pub uid: u32,
    /// The process's name at its end.
    pub comm: Box<[u8]>,
    /// Inode of the network namespace that it was in; `None` when the kernel does not report it.
    pub netns: Option<u32>,
    /// How it ended.
    pub end: End,
}

impl ExitEvent {
    /// The process that ended.
    #[must_use]
    pub fn process(&self) -> ProcessId {
        ProcessId { pid: self.pid, start_ns: self.start_ns }
    }

    /// How long the process lived, ns; `None` when the kernel does not report its start.
    #[must_use]
    pub fn lived_ns(&self) -> Option<u64> {
        (self.start_ns != 0).then(|| self.time_ns.saturating_sub(self.start_ns))
    }
}
