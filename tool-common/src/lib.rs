//! What the kernel programs and user space agree on: the records on the ring buffers, the layout
//! of this kernel's structures, and what user space asks for when it loads the programs.
//!
//! Everything here is `repr(C)` without padding, so that its bytes are its meaning on both sides.
#![no_std]

pub mod offsets;
pub mod record;
pub mod settings;

pub use offsets::Offsets;
pub use record::{ExecHeader, ExitRecord, Kind, SockRecord};
pub use settings::Settings;

/// Sizes of the ring buffers. Their pages count twice in the reader's resident memory, which maps them
/// twice so that a record never wraps.
pub mod ring_bytes {
    /// Of the one with most of the records: some five thousand execs, or as many connections.
    pub const MOST: u32 = 2 * 1024 * 1024;
    /// Of the other.
    pub const FEW: u32 = 512 * 1024;
}

/// Names of the maps and globals, as they stand in the object file.
pub mod names {
    /// Ring buffer for ordinary records; the reader is woken only when it sleeps.
    pub const EVENTS: &str = "EVENTS";
    /// Ring buffer for nsenter and socat alone: the last to be lost, and always announced at once.
    pub const HELPER_EVENTS: &str = "HELPER_EVENTS";
    /// Threads inside an exec system call.
    pub const EXECS_UNDER_WAY: &str = "EXECS_UNDER_WAY";
    /// Records of failed execs in the making, one for each CPU.
    pub const FAILED_EXEC_SCRATCH: &str = "FAILED_EXEC_SCRATCH";
    /// The program that copies the arguments of a failed exec, for tail calls.
    pub const FAILED_EXEC_PROGRAMS: &str = "FAILED_EXEC_PROGRAMS";
    /// Processes whose end is wanted.
    pub const PASSED: &str = "PASSED";
    /// Ends that were reported a moment ago.
    pub const ENDED: &str = "ENDED";
    /// Connections that are followed into other network namespaces.
    pub const FOREIGN_CONNECTIONS: &str = "FOREIGN_CONNECTIONS";
    /// Connections that are followed of socat.
    pub const HELPER_CONNECTIONS: &str = "HELPER_CONNECTIONS";
    /// Per-CPU counts of records that were not sent, mostly since their ring buffer was full, by
    /// [`LossCount`](super::record::LossCount).
    pub const LOST: &str = "LOST";
    /// One `u32`: 1 while the reader sleeps and wants to be woken.
    pub const READER_SLEEPS: &str = "READER_SLEEPS";
    /// The [`Offsets`](super::Offsets) global.
    pub const OFFSETS: &str = "OFFSETS";
    /// The [`Settings`](super::Settings) global.
    pub const SETTINGS: &str = "SETTINGS";
}
