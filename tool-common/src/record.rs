//! The records on the ring buffers.
//!
//! Each begins with its [`Kind`] as a `u32`, so that a reader can tell an unknown kind and skip it.

use bytemuck::{Pod, Zeroable};

/// Size of `task_struct.comm`, its NUL included (`TASK_COMM_LEN`, include/linux/sched.h).
pub const COMM_LEN: usize = 16;

/// Longest file name that a record carries: `PATH_MAX` with its NUL.
pub const MAX_FILENAME: usize = 4096;

/// Longest name of a cgroup that a record carries, its NUL included. The longest of a container is
/// `kubepods-besteffort-pod<36>.slice:cri-containerd:<64>`.
pub const MAX_CGROUP_NAME: usize = 256;

/// Most bytes of arguments that a record carries.
pub const MAX_ARGS: usize = 64 * 1024;

/// Length that marks an argument whose memory could not be read, in the list of a failed exec.
pub const UNREADABLE: u32 = u32::MAX;

/// A user id that could not be read. No process has this one: -1 means "unchanged" (`setreuid`,
/// kernel/sys.c).
pub const UNKNOWN_UID: u32 = u32::MAX;

/// Which ring buffer a record takes.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Everything but helpers.
    Events = 0,
    /// nsenter and socat.
    Helpers = 1,
}

/// Index of a count of lost records: a program that interrupts another in the midst of counting must
/// not add to the same one.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossCount {
    /// By the programs on execs and exits, which do not interrupt one another.
    Processes = 0,
    /// By the first program on sockets, some of whose states change in interrupts.
    Sockets = 1,
    /// By the second, which runs for what comes within the first, and the other way round.
    SocketsWithin = 2,
    /// By the look at a connection.
    Looks = 3,
}

impl LossCount {
    /// How many there are.
    pub const COUNT: u32 = 4;
}

/// What a record is, in its first four bytes.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`ExecHeader`] of a successful exec, then the cgroup's name, the arguments, each ended by a
    /// NUL, and the file name.
    Exec = 1,
    /// [`ExecHeader`] of a failed exec, then the cgroup's name, the arguments, each a `u32` length
    /// and its bytes ([`UNREADABLE`] and none), and the file name.
    FailedExec = 2,
    /// [`ExitRecord`].
    Exit = 3,
    /// [`SockRecord`].
    Sock = 4,
}

impl Kind {
    /// The kind that a record's first four bytes name, if this side knows it.
    #[must_use]
    pub const fn from_raw(raw: u32) -> Option<Self> {
        match raw {
            1 => Some(Self::Exec),
            2 => Some(Self::FailedExec),
            3 => Some(Self::Exit),
            4 => Some(Self::Sock),
            _ => None,
        }
    }
}

/// Bits of [`ExecHeader::flags`].
pub mod exec_flags {
    /// The arguments' memory could not be read: they are unknown, not empty.
    pub const ARGS_UNREADABLE: u32 = 1;
    /// There were more arguments than the record holds.
    pub const ARGS_CUT: u32 = 2;
    /// One of the arguments was longer than what the record holds of it.
    pub const ARG_CUT: u32 = 4;
}

/// An exec, without its file name and arguments, which follow it in the record.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ExecHeader {
    /// [`Kind`] as a number.
    pub kind: u32,
    /// See [`exec_flags`].
    pub flags: u32,
    /// `CLOCK_BOOTTIME` at exec return, ns.
    pub time_ns: u64,
    /// Start of the process, `CLOCK_BOOTTIME`, ns; 0 when the kernel does not tell.
    pub start_ns: u64,
    /// cgroup v2 id of the process.
    pub cgroup_id: u64,
    /// Bytes of arguments that the process has, all of them.
    pub args_total: u64,
    /// Process (the kernel's tgid).
    pub pid: u32,
    /// Thread (the kernel's pid).
    pub tid: u32,
    /// Parent process; 0 when the kernel does not tell.
    pub ppid: u32,
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// 0, or the negative errno of a failed exec.
    pub ret: i32,
    /// Inode of the network namespace; 0 when the kernel does not tell.
    pub netns: u32,
    /// Inode of the mount namespace; 0 when the kernel does not tell.
    pub mntns: u32,
    /// Inode of the pid namespace; 0 when the kernel does not tell.
    pub pidns: u32,
    /// Bytes of arguments that follow the cgroup's name.
    pub args_len: u32,
    /// Bytes of file name, without NUL, that follow the arguments.
    pub filename_len: u32,
    /// Bytes of the cgroup's name, without NUL, that follow this header.
    pub cgroup_len: u32,
    /// Real user id of the parent process; [`UNKNOWN_UID`] when it could not be read.
    pub parent_uid: u32,
    /// Keeps the size a multiple of eight.
    pub reserved: u32,
    /// Name of the process (of a failed exec: the caller's), ended by NUL.
    pub comm: [u8; COMM_LEN],
    /// Name of the parent process, ended by NUL.
    pub parent_comm: [u8; COMM_LEN],
}

/// The end of a process: of its last thread.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ExitRecord {
    /// [`Kind::Exit`] as a number.
    pub kind: u32,
    /// Process (the kernel's tgid).
    pub pid: u32,
    /// `CLOCK_BOOTTIME` at its end, ns.
    pub time_ns: u64,
    /// Start of the process, `CLOCK_BOOTTIME`, ns; 0 when the kernel does not tell.
    pub start_ns: u64,
    /// As `wait(2)` has it: the exit code in bits 8 to 15, the signal in bits 0 to 6.
    pub wait_status: u32,
    /// Parent process; 0 when the kernel does not tell.
    pub ppid: u32,
    /// Real user id.
    pub uid: u32,
    /// Keeps the size a multiple of eight.
    pub reserved: u32,
    /// Name of the process, ended by NUL.
    pub comm: [u8; COMM_LEN],
}

/// What a TCP connection has come to: the states of [`SockRecord::state`].
pub mod sock_states {
    /// It is being made.
    pub const CONNECTING: u32 = 1;
    /// The other side answered.
    pub const CONNECTED: u32 = 2;
    /// It is open, and somebody asked for its counts.
    pub const OPEN: u32 = 3;
    /// It is over, or never came about.
    pub const CLOSED: u32 = 4;
    /// It is over, and how it ended was not seen; what it has carried may have been.
    pub const GONE: u32 = 5;
}

/// What the program that looks at a connection returns for one that is not followed.
pub const NOT_FOLLOWED: u32 = 1;

/// Bits of [`SockRecord::flags`].
pub mod sock_flags {
    /// The socket is in another network namespace than the process that connects it.
    pub const FOREIGN: u32 = 1;
    /// The counts of bytes are known.
    pub const COUNTED: u32 = 2;
    /// It was open in both directions until the moment of its end.
    pub const BROKEN_OFF: u32 = 4;
    /// The other side has answered, also where that was not reported.
    pub const ANSWERED: u32 = 8;
}

/// A TCP connection that somebody makes, in one of its states.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct SockRecord {
    /// [`Kind::Sock`] as a number.
    pub kind: u32,
    /// See [`sock_states`].
    pub state: u32,
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Names the connection until it is closed.
    pub id: u64,
    /// What its owner knows the socket by, `SO_COOKIE`; 0 when nobody had asked for it before.
    pub cookie: u64,
    /// Start of the process that connects, `CLOCK_BOOTTIME`, ns; 0 when the kernel does not tell.
    pub start_ns: u64,
    /// Payload that the other side acknowledged, bytes.
    pub sent: u64,
    /// Payload that arrived, bytes.
    pub received: u64,
    /// Process that connects (the kernel's tgid).
    pub pid: u32,
    /// Thread that connects.
    pub tid: u32,
    /// Inode of the socket's network namespace; 0 when the kernel does not tell.
    pub netns: u32,
    /// See [`sock_flags`].
    pub flags: u32,
    /// Only when closed: the errno that the connection ended with, or 0.
    pub error: u32,
    /// Real user id of the process that connects.
    pub uid: u32,
    /// Keeps the size a multiple of eight.
    pub reserved: u32,
    /// `AF_INET` or `AF_INET6`.
    pub family: u16,
    /// Port that it leads to.
    pub port: u16,
    /// Address that it comes from; of IPv4 the first four bytes.
    pub source: [u8; 16],
    /// Address that it leads to.
    pub destination: [u8; 16],
    /// Name of the process that connects, ended by NUL.
    pub comm: [u8; COMM_LEN],
}
