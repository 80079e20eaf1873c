//! The records on the ring buffers.
//!
//! Each record begins with its [`Kind`] as a `u32`, so that a reader can skip an unknown kind.

use bytemuck::{Pod, Zeroable};

/// Size of `task_struct.comm`, its NUL included (`TASK_COMM_LEN`, include/linux/sched.h).
pub const COMM_LEN: usize = 16;

/// Longest file name that a record carries: `PATH_MAX` with its NUL.
pub const MAX_FILENAME: usize = 4096;

/// Longest path of a cgroup that a record carries. What is longer loses its outer folders: a pod
/// inside kind inside Docker has about 400 bytes.
pub const MAX_CGROUP_PATH: usize = 1024;

/// A record carries at most this many bytes of arguments.
pub const MAX_ARGS: usize = 64 * 1024;

/// In the argument list of a failed exec, the length of an argument that could not be read.
pub const UNREADABLE: u32 = u32::MAX;

/// A user id that could not be read. No process has this one: -1 means "unchanged" (`setreuid`,
/// kernel/sys.c).
pub const UNKNOWN_UID: u32 = u32::MAX;

/// The ring buffer that a record goes to.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// For all other records.
    Events = 0,
    /// For nsenter, socat, and connections.
    Helpers = 1,
}

/// Index of a count of lost records. A program may interrupt another one in the middle of an addition,
/// so programs that interrupt each other have separate counts. What was lost of other shares than the
/// host's counts apart, [`OF_OTHERS`](Self::OF_OTHERS) further.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossCount {
    /// Programs on execs and exits, which do not interrupt each other.
    Processes = 0,
    /// The first program on sockets, which also runs in interrupts.
    Sockets = 1,
    /// The second program on sockets. Each of the two can run during a run of the other.
    SocketsWithin = 2,
    /// The program that checks a connection.
    Checks = 3,
}

impl LossCount {
    /// How far the count for other shares than the host's is from the host's.
    pub const OF_OTHERS: u32 = 4;
    /// The number of counts.
    pub const COUNT: u32 = 2 * Self::OF_OTHERS;
}

/// The kind of a record, in its first four bytes.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`ExecHeader`] of a successful exec, then the cgroup's path, the arguments, each followed by a
    /// NUL, and the file name.
    Exec = 1,
    /// [`ExecHeader`] of a failed exec, then the arguments, each as a `u32` length and that many bytes
    /// ([`UNREADABLE`] has none), the file name, and the cgroup's path. The last
    /// [`late_len`](ExecHeader::late_len) bytes of the arguments are a list of the same form: what
    /// could be read only when the call returned, for the first unreadable arguments before it.
    FailedExec = 2,
    /// [`ExitRecord`].
    Exit = 3,
    /// [`SockRecord`].
    Sock = 4,
}

impl Kind {
    /// The kind with this number, if it is known.
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
    /// The memory of the arguments could not be read: they are unknown, not empty.
    pub const ARGS_UNREADABLE: u32 = 1;
    /// The process has more arguments than the record.
    pub const ARGS_CUT: u32 = 2;
    /// One of the arguments is longer than its copy in the record.
    pub const ARG_CUT: u32 = 4;
    /// The file name of a failed exec could not be read: it is unknown, not empty.
    pub const FILENAME_UNREADABLE: u32 = 8;
}

/// An exec. Its arguments, file name and cgroup's path follow this header in the record, in the order
/// of its [`Kind`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ExecHeader {
    /// [`Kind`] as a number.
    pub kind: u32,
    /// See [`exec_flags`].
    pub flags: u32,
    /// `CLOCK_BOOTTIME` at exec return, ns.
    pub time_ns: u64,
    /// Start of the process, `CLOCK_BOOTTIME`, ns; 0 if it could not be read.
    pub start_ns: u64,
    /// cgroup v2 id of the process.
    pub cgroup_id: u64,
    /// Bytes of all arguments of the process.
    pub args_total: u64,
    /// Process (the kernel's tgid).
    pub pid: u32,
    /// Thread (the kernel's pid).
    pub tid: u32,
    /// Parent process; 0 if it could not be read.
    pub ppid: u32,
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// 0, or the negative errno of a failed exec.
    pub ret: i32,
    /// Inode of the network namespace; 0 if it could not be read.
    pub netns: u32,
    /// Inode of the mount namespace; 0 if it could not be read.
    pub mntns: u32,
    /// Inode of the pid namespace; 0 if it could not be read.
    pub pidns: u32,
    /// Bytes of arguments that follow.
    pub args_len: u32,
    /// Bytes of file name, without NUL, that follow.
    pub filename_len: u32,
    /// Bytes of the cgroup's path, without NUL, that follow.
    pub cgroup_len: u32,
    /// Real user id of the parent process; [`UNKNOWN_UID`] when it could not be read.
    pub parent_uid: u32,
    /// Bytes of the second list of arguments, which is the end of the first one's bytes; see
    /// [`Kind::FailedExec`].
    pub late_len: u32,
    /// The share that the process belongs to, where connections are traced: see
    /// [`shares`](crate::shares).
    pub share: u32,
    /// Keeps the size a multiple of eight.
    pub reserved: u32,
    /// Name of the process, padded with NULs. After a failed exec this is the caller's name.
    pub comm: [u8; COMM_LEN],
    /// Name of the parent process, padded with NULs.
    pub parent_comm: [u8; COMM_LEN],
}

/// The end of a process, with its last thread.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ExitRecord {
    /// [`Kind::Exit`] as a number.
    pub kind: u32,
    /// Process (the kernel's tgid).
    pub pid: u32,
    /// `CLOCK_BOOTTIME` at its end, ns.
    pub time_ns: u64,
    /// Start of the process, `CLOCK_BOOTTIME`, ns; 0 if it could not be read.
    pub start_ns: u64,
    /// The status of wait(2): the exit code in bits 8 to 15, the signal in bits 0 to 6.
    pub wait_status: u32,
    /// Parent process; 0 if it could not be read.
    pub ppid: u32,
    /// Real user id.
    pub uid: u32,
    /// Inode of the network namespace that it was in, where connections are traced; 0 if it could not be
    /// read.
    pub netns: u32,
    /// Name of the process, padded with NULs.
    pub comm: [u8; COMM_LEN],
}

/// The states of a connection in [`SockRecord::state`].
pub mod sock_states {
    /// The process asks for the connection (SYN).
    pub const CONNECTING: u32 = 1;
    /// The other side answered.
    pub const CONNECTED: u32 = 2;
    /// The connection is open; user space asked for its byte counts.
    pub const OPEN: u32 = 3;
    /// The connection is closed, or failed to open.
    pub const CLOSED: u32 = 4;
    /// The connection is closed, but how it ended was not seen. The byte counts may still be known.
    pub const GONE: u32 = 5;
    /// The process has closed its socket. What it wrote may still be on its way.
    pub const RELEASED: u32 = 6;
    /// The process had closed its socket before the server did. Now the server's socket is closed too:
    /// by the server or, with an error, because the server sent more data.
    pub const SERVER_CLOSED: u32 = 7;
}

/// Result of the program that checks a connection, if the connection is not followed.
pub const NOT_FOLLOWED: u32 = 1;

/// Bits of [`SockRecord::flags`].
pub mod sock_flags {
    /// The socket is in another network namespace than the home of the process that connects it.
    pub const FOREIGN: u32 = 1;
    /// The byte counts are known.
    pub const COUNTED: u32 = 2;
    /// The process closed its socket in a way that resets the connection: data had arrived that it
    /// had not read, or it had asked for a reset.
    pub const ABORTED: u32 = 4;
    /// The other side has answered, even if no record reported it.
    pub const ANSWERED: u32 = 8;
    /// The other side has ended: its FIN has arrived.
    pub const FIN_RECEIVED: u32 = 16;
    /// This side had ended before the connection was closed: its FIN was sent.
    pub const FIN_SENT: u32 = 32;
    /// The process has closed its socket.
    pub const RELEASED: u32 = 64;
    /// Data arrived after the process had closed its socket.
    pub const DATA_AFTER_RELEASE: u32 = 128;
    /// The process asked for a reset (`SO_LINGER` with a time of 0).
    pub const LINGER: u32 = 256;
    /// The loopback device of the socket's network namespace is down.
    pub const LOOPBACK_DOWN: u32 = 512;
    /// The process at the other end was ending when its socket was closed:
    /// [`SockRecord::server_status`](super::SockRecord::server_status) says how.
    pub const SERVER_ENDED: u32 = 1024;
}

/// A TCP connection in one of its states, seen from the side that connects.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct SockRecord {
    /// [`Kind::Sock`] as a number.
    pub kind: u32,
    /// See [`sock_states`].
    pub state: u32,
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Identifies the connection until it is closed.
    pub id: u64,
    /// The socket's `SO_COOKIE`; 0 if no process has asked for it yet.
    pub cookie: u64,
    /// Start of the process that connects, `CLOCK_BOOTTIME`, ns; 0 if it could not be read.
    pub start_ns: u64,
    /// Bytes of payload that the other side acknowledged.
    pub sent: u64,
    /// Bytes of payload that arrived.
    pub received: u64,
    /// Process that connects (the kernel's tgid).
    pub pid: u32,
    /// Thread that connects.
    pub tid: u32,
    /// Inode of the socket's network namespace; 0 if it could not be read.
    pub netns: u32,
    /// See [`sock_flags`].
    pub flags: u32,
    /// The errno that a closed connection ended with, or 0.
    pub error: u32,
    /// Real user id of the process that connects.
    pub uid: u32,
    /// Bytes that the process has written and the other side has not acknowledged.
    pub unsent: u32,
    /// How the process at the other end ended, as wait(2) has it; see
    /// [`SERVER_ENDED`](sock_flags::SERVER_ENDED).
    pub server_status: u32,
    /// Segments with data that had arrived when the process closed its socket.
    pub segments: u32,
    /// The share that the process belongs to: see [`shares`](crate::shares).
    pub share: u32,
    /// `AF_INET` or `AF_INET6`.
    pub family: u16,
    /// Destination port.
    pub port: u16,
    /// Source port; 0 until the connection is established.
    pub source_port: u16,
    /// Keeps the size a multiple of eight.
    pub reserved_16: u16,
    /// Source address. IPv4 uses the first four bytes.
    pub source: [u8; 16],
    /// Destination address, in the same form.
    pub destination: [u8; 16],
    /// Name of the process that connects, padded with NULs.
    pub comm: [u8; COMM_LEN],
}
