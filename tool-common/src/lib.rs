//! What the kernel programs and user space agree on: the records on the ring buffers, the offsets of
//! kernel fields, the settings that user space loads the programs with, the limits of shares, the
//! names of cgroups, the sizes of the ring buffers, and the names of the maps.
//!
//! The records, the offsets and the settings are `repr(C)` without padding, so both sides agree on
//! every byte.
#![no_std]

pub mod cgroup;
pub mod offsets;
pub mod record;
pub mod settings;
pub mod shares;

pub use offsets::Offsets;
pub use record::{ExecHeader, ExitRecord, Kind, SockRecord};
pub use settings::Settings;

/// Sizes of the ring buffers. The reader maps each buffer twice, so that a record never wraps, and its
/// pages count twice in the reader's resident memory.
pub mod ring_bytes {
    /// `EVENTS`: room for about 5000 execs.
    pub const EXECS: u32 = 2 * 1024 * 1024;
    /// `EVENTS`, if connections are traced: then all records that matter use the other buffer.
    pub const HARDLY_ANY: u32 = 64 * 1024;
    /// `HELPER_EVENTS`: room for about 700 execs of helpers.
    pub const HELPERS: u32 = 256 * 1024;
    /// `HELPER_EVENTS`, if connections are traced: room for about 2200 connections.
    pub const CONNECTIONS: u32 = 1024 * 1024;
}

/// Names of the maps and globals in the object file.
pub mod names {
    /// Ring buffer for all other records, which wake only a sleeping reader.
    pub const EVENTS: &str = "EVENTS";
    /// Ring buffer for nsenter, socat and connections: the last records to be lost. A record of nsenter
    /// or socat always wakes the reader.
    pub const HELPER_EVENTS: &str = "HELPER_EVENTS";
    /// Threads inside an exec system call.
    pub const EXECS_UNDER_WAY: &str = "EXECS_UNDER_WAY";
    /// Records of execs that may fail.
    pub const FAILED_EXEC_SLOTS: &str = "FAILED_EXEC_SLOTS";
    /// The numbers of the free [`FAILED_EXEC_SLOTS`].
    pub const FREE_SLOTS: &str = "FREE_SLOTS";
    /// The programs that complete the record of a failed exec. They are the targets of tail calls.
    pub const FAILED_EXEC_PROGRAMS: &str = "FAILED_EXEC_PROGRAMS";
    /// One `u32`: 1 while all programs are attached. Otherwise no program makes or counts a record.
    pub const ALL_ATTACHED: &str = "ALL_ATTACHED";
    /// Processes to report the end of.
    pub const PASSED: &str = "PASSED";
    /// Processes with an end that was just reported.
    pub const ENDED: &str = "ENDED";
    /// Followed connections into other network namespaces.
    pub const FOREIGN_CONNECTIONS: &str = "FOREIGN_CONNECTIONS";
    /// Processes that are at home in another network namespace than the host's.
    pub const HOMES: &str = "HOMES";
    /// One `u32`: 1 while processes may be missing from [`HOMES`].
    pub const HOMES_INCOMPLETE: &str = "HOMES_INCOMPLETE";
    /// The host's connections of which the other end is noted too.
    pub const SERVER_ENDS: &str = "SERVER_ENDS";
    /// The same for all other shares.
    pub const SERVER_ENDS_OF_OTHERS: &str = "SERVER_ENDS_OF_OTHERS";
    /// How many connections of each share are followed.
    pub const SHARES: &str = "SHARES";
    /// One `u64`: when a process last left a connection before its server.
    pub const LAST_LEFT: &str = "LAST_LEFT";
    /// Followed connections of socat.
    pub const HELPER_CONNECTIONS: &str = "HELPER_CONNECTIONS";
    /// Per-CPU counts of records that were not sent, mostly because a ring buffer was full, indexed by
    /// [`LossCount`](super::record::LossCount).
    pub const LOST: &str = "LOST";
    /// One `u32`: 1 while the reader sleeps and must be woken.
    pub const READER_SLEEPS: &str = "READER_SLEEPS";
    /// The [`Offsets`](super::Offsets) global.
    pub const OFFSETS: &str = "OFFSETS";
    /// The [`Settings`](super::Settings) global.
    pub const SETTINGS: &str = "SETTINGS";
}
