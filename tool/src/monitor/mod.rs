//! The event loop for the kernel's events: attaches the probe, reads, looks up, applies, reconciles
//! and drains. It takes options and returns [`Update`](crate::model::Update)s.
//!
//! ```text
//! reader thread:  ring buffers -> decode -> Inbox (bounded in bytes)
//! Monitor:        Inbox -> lookup -> SessionTable ---------+-> NamingQueue (order, 1 s)
//!   exec rows:    Inbox -> filter -> placement ------------+       -> Update
//! ```
//!
//! Each event first updates the sessions. The filter and the placement are only for exec rows.
//!
//! The reader thread never waits: not for a runtime's answer, not for stdout, not for a disk.
//! Events that the monitor cannot take at once wait in the inbox. The inbox drops events that do
//! not fit, and counts them as lost.

mod apply;
mod follow_cgroup;
mod foreign_pids;
mod inbox;
mod monitor;
mod naming;
mod options;
mod reader;
mod reconciler;
mod run;

pub use monitor::Monitor;
pub use options::MonitorOptions;
pub use run::{Limit, run};
