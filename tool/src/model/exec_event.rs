//! The event of an exec.

use super::{Arg, Args, Invocation, NamedProcess, NsenterSocat, ProcessId};

/// The least memory that one allocation takes, with the overhead of the allocator (glibc's
/// `MINSIZE`, malloc/malloc.c).
pub(super) const MIN_ALLOCATION: usize = 32;

/// An exec, as the kernel saw it at its return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecEvent {
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Start of the process, `CLOCK_BOOTTIME`, ns. With `pid` it identifies the process for good.
    pub start_ns: u64,
    /// Process: the kernel's tgid.
    pub pid: u32,
    /// Thread: the kernel's pid.
    pub tid: u32,
    /// Parent process.
    pub ppid: u32,
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// 0, or the negative errno of a failed exec.
    pub ret: i32,
    /// The process's own name at return, at most 15 bytes: the new program's name or, after a
    /// failed exec, the caller's.
    pub comm: Box<[u8]>,
    /// Name of the parent process.
    pub parent_comm: Box<[u8]>,
    /// Real user id of the parent process; `None` when the kernel does not report it.
    pub parent_uid: Option<u32>,
    /// The file that exec was called with; `None` if a failed exec's could not be read.
    pub filename: Option<Box<[u8]>>,
    /// The arguments, the program's name first.
    pub args: Args,
    /// The command of a port-forward, if the arguments are one.
    pub invocation: Option<Invocation>,
    /// Inode of the network namespace; `None` when the kernel does not report it.
    pub netns: Option<u32>,
    /// Inode of the mount namespace.
    pub mntns: Option<u32>,
    /// Inode of the pid namespace.
    pub pidns: Option<u32>,
    /// The share of the process in what is bounded: `pfsnoop_common::shares`.
    pub share: u32,
    /// cgroup v2 id.
    pub cgroup_id: u64,
    /// Name of the cgroup, if it was requested and may hold a container id.
    pub cgroup: Box<[u8]>,
}

impl ExecEvent {
    /// The process that called exec.
    #[must_use]
    pub fn process(&self) -> ProcessId {
        ProcessId { pid: self.pid, start_ns: self.start_ns }
    }

    /// The process that nsenter's arguments name; `None` if they name none, or if the kernel does not
    /// report the pid namespace in which the pid counts.
    #[must_use]
    pub fn named_target(&self) -> Option<NamedProcess> {
        let Some(Invocation::Nsenter(NsenterSocat { target, .. })) = self.invocation else {
            return None;
        };
        Some(NamedProcess { pid: target?, pidns: Some(self.pidns?), time_ns: self.time_ns })
    }

    /// Bytes of memory that its texts take.
    #[must_use]
    pub fn memory(&self) -> usize {
        let of = |text: &[u8]| text.len() + MIN_ALLOCATION;
        // Two allocations: the texts, and the places of the unreadable ones.
        let args = self.args.list.memory() + 2 * MIN_ALLOCATION;
        args + of(&self.comm)
            + of(&self.parent_comm)
            + self.filename.as_deref().map_or(0, of)
            + of(&self.cgroup)
    }

    /// The arguments as execsnoop shows them: if the first one is only the name of the file, the
    /// whole path is shown instead. Any other first argument is shown unchanged.
    pub fn shown_args(&self) -> impl Iterator<Item = Arg<'_>> {
        let path = self.filename.as_deref();
        let name = path.and_then(|path| path.rsplit(|&byte| byte == b'/').next());
        self.args.list.iter().enumerate().map(move |(n, arg)| match arg {
            Arg::Text(text) if n == 0 && Some(text) == name => Arg::Text(path.unwrap_or(text)),
            arg => arg,
        })
    }
}
