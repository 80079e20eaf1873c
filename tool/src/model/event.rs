//! The events that the kernel programs report.
//!
//! Texts are bytes: a process chooses its own names and arguments, and need not choose UTF-8.

use std::net::{IpAddr, SocketAddr};

use super::{Invocation, ProcessId};

/// Something that happened on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A process called exec, with success or without.
    Exec(ExecEvent),
    /// A process ended.
    Exit(ExitEvent),
    /// A TCP connection that is followed came into another state.
    Sock(SockEvent),
}

impl Event {
    /// When it happened: `CLOCK_BOOTTIME`, ns.
    #[must_use]
    pub fn time_ns(&self) -> u64 {
        match self {
            Self::Exec(exec) => exec.time_ns,
            Self::Exit(exit) => exit.time_ns,
            Self::Sock(sock) => sock.time_ns,
        }
    }

    /// Bytes of memory that it takes, with what the allocator adds to each piece.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Exec(exec) => exec.memory(),
                Self::Exit(_) | Self::Sock(_) => PIECE,
            }
    }

    /// Whether it may concern a port-forward: such events are the last to be dropped.
    #[must_use]
    pub fn is_of_forward(&self) -> bool {
        let is_helper = |comm: &[u8]| matches!(comm, b"nsenter" | b"socat");
        match self {
            Self::Exec(exec) => is_helper(&exec.comm),
            Self::Exit(exit) => is_helper(&exit.comm),
            Self::Sock(_) => true,
        }
    }
}

/// The least that a piece of allocated memory takes, with the allocator's own bytes (glibc's
/// `MINSIZE`, malloc/malloc.c).
const PIECE: usize = 32;

/// An exec, as the kernel saw it at its return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecEvent {
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Start of the process, `CLOCK_BOOTTIME`, ns. With `pid` it names the process for good.
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
    /// The process's own name at return: the new program's, or the caller's of a failed exec.
    /// At most 15 bytes.
    pub comm: Box<[u8]>,
    /// Name of the parent process.
    pub parent_comm: Box<[u8]>,
    /// Real user id of the parent process; `None` when the kernel does not report it.
    pub parent_uid: Option<u32>,
    /// The file that exec was called with.
    pub filename: Box<[u8]>,
    /// The arguments, the program's name first.
    pub args: Args,
    /// What the arguments mean, if they are those of a port-forward.
    pub invocation: Option<Invocation>,
    /// Inode of the network namespace; `None` when the kernel does not tell.
    pub netns: Option<u32>,
    /// Inode of the mount namespace.
    pub mntns: Option<u32>,
    /// Inode of the pid namespace.
    pub pidns: Option<u32>,
    /// cgroup v2 id.
    pub cgroup_id: u64,
    /// Name of the cgroup, when it may hold a container id and somebody wanted to know.
    pub cgroup: Box<[u8]>,
}

/// The end of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitEvent {
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Start of the process, `CLOCK_BOOTTIME`, ns; 0 when the kernel does not tell.
    pub start_ns: u64,
    /// Process.
    pub pid: u32,
    /// Parent process.
    pub ppid: u32,
    /// Real user id.
    pub uid: u32,
    /// The process's name at its end.
    pub comm: Box<[u8]>,
    /// How it ended.
    pub end: End,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Exited(u8),
    /// By this signal.
    Killed(u8),
}

impl End {
    /// From a status as `wait(2)` has it.
    #[must_use]
    pub fn from_wait_status(status: u32) -> Self {
        let [low, code, ..] = status.to_le_bytes();
        match low & 0x7f {
            0 => Self::Exited(code),
            signal => Self::Killed(signal),
        }
    }
}

/// A TCP connection in one of its states: one that somebody makes out of the process's own network
/// namespace, or socat anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SockEvent {
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Names the connection until it is closed.
    pub id: u64,
    /// What its owner knows it by, `SO_COOKIE`; `None` when nobody had asked before it connected.
    pub cookie: Option<u64>,
    /// What it has come to.
    pub state: SockState,
    /// Process that made it.
    pub pid: u32,
    /// Thread that made it.
    pub tid: u32,
    /// Start of that process, `CLOCK_BOOTTIME`, ns; 0 when the kernel does not tell.
    pub start_ns: u64,
    /// Name of that process, at most 15 bytes.
    pub comm: Box<[u8]>,
    /// Real user id of that process; `None` when the kernel does not report it.
    pub uid: Option<u32>,
    /// Inode of the connection's network namespace; `None` when the kernel does not tell.
    pub netns: Option<u32>,
    /// That is not the process's own network namespace.
    pub is_foreign: bool,
    /// Address that it comes from.
    pub source: IpAddr,
    /// Where it leads.
    pub destination: SocketAddr,
    /// The other side has answered, also where that was not reported.
    pub is_answered: bool,
    /// What it has carried so far; `None` when the kernel does not tell.
    pub bytes: Option<Bytes>,
}

/// What a TCP connection has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SockState {
    /// It is being made.
    Connecting,
    /// The other side answered.
    Connected,
    /// It is open, and somebody asked how much it has carried.
    Open,
    /// It is over, or never came about.
    Closed {
        /// The errno that it ended with.
        error: Option<i32>,
        /// This side closed it before it had read all data, which resets the connection.
        has_unread_data: bool,
    },
    /// It is over, and how it ended was not seen.
    Gone,
}

/// Payload that a connection has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// What this side sent and the other acknowledged.
    pub sent: u64,
    /// What arrived from the other side.
    pub received: u64,
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

impl SockEvent {
    /// The process that made the connection.
    #[must_use]
    pub fn process(&self) -> ProcessId {
        ProcessId { pid: self.pid, start_ns: self.start_ns }
    }
}

impl ExecEvent {
    /// The process that called exec.
    #[must_use]
    pub fn process(&self) -> ProcessId {
        ProcessId { pid: self.pid, start_ns: self.start_ns }
    }

    /// Bytes of memory that its texts take.
    #[must_use]
    pub fn memory(&self) -> usize {
        let of = |text: &[u8]| text.len() + PIECE;
        let args: usize = self.args.list.iter().map(|arg| of(arg.text().unwrap_or_default())).sum();
        args + of(&self.comm)
            + of(&self.parent_comm)
            + of(&self.filename)
            + of(&self.cgroup)
            + self.args.list.len() * size_of::<Arg>()
    }

    /// The arguments as execsnoop shows them: when the first is just the name of the file, the
    /// whole path stands in its place. A first argument that is anything else is shown as it is.
    pub fn shown_args(&self) -> impl Iterator<Item = Arg<&[u8]>> {
        let name = self.filename.rsplit(|&byte| byte == b'/').next();
        self.args.list.iter().enumerate().map(move |(n, arg)| match arg {
            Arg::Text(text) if n == 0 && Some(&**text) == name => Arg::Text(&*self.filename),
            Arg::Text(text) => Arg::Text(&**text),
            Arg::Unreadable => Arg::Unreadable,
        })
    }
}

/// A process's arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// Those that arrived.
    pub list: Vec<Arg>,
    /// The rest, or all, could not be read.
    pub unreadable: bool,
    /// There were more than the record holds.
    pub cut: bool,
    /// Bytes that all of them have, NULs included. Of a failed exec: of those that arrived.
    pub bytes: u64,
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg<T = Box<[u8]>> {
    /// Its bytes, without NUL.
    Text(T),
    /// Only in a failed exec: the kernel never copied it, and its page was not in memory.
    Unreadable,
}

impl<T: AsRef<[u8]>> Arg<T> {
    /// The bytes, when they could be read.
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_ref()),
            Self::Unreadable => None,
        }
    }
}

/// Records that happened and cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Since the last report.
    pub events: u64,
    /// Since the start.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_statuses_are_waits() {
        assert_eq!(End::from_wait_status(0), End::Exited(0));
        assert_eq!(End::from_wait_status(0x7f00), End::Exited(127));
        assert_eq!(End::from_wait_status(9), End::Killed(9));
        assert_eq!(End::from_wait_status(0x80 | 6), End::Killed(6), "with a core dump");
    }
}
