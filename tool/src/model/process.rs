//! Identifies processes: a pid alone may belong to another process a moment later.

use std::fmt;

/// A process, identified for good by the kernel's tgid and the start of the process.
///
/// Its text, `PID-START`, is the `exec_id` of the JSON records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessId {
    /// The kernel's tgid.
    pub pid: u32,
    /// `CLOCK_BOOTTIME`, ns; 0 where the kernel does not report it.
    pub start_ns: u64,
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pid, self.start_ns)
    }
}

/// A process as another process named it: by its pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NamedProcess {
    /// The pid.
    pub pid: u32,
    /// Inode of the pid namespace in which it counts: that of the process that named it. `None` is
    /// pfsnoop's own.
    pub pidns: Option<u32>,
    /// When it was named, `CLOCK_BOOTTIME`, ns. A process that started later was not meant.
    pub time_ns: u64,
}

/// A process that forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its pid.
    pub pid: u32,
    /// Its name, at most 15 bytes.
    pub comm: Box<[u8]>,
    /// Its real user id; `None` where the kernel does not report it.
    pub uid: Option<u32>,
    /// Its executable, as its own mount namespace shows it; `None` if that could not be read.
    pub exe: Option<Box<[u8]>>,
}
