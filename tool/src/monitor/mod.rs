//! The only event loop: attaches the probe, reads, looks up, applies, reconciles and drains.
//! Options in, [`Update`](crate::model::Update)s out.
//!
//! ```text
//! reader thread: ring buffers -> decode -> Inbox (bounded in bytes)
//! Monitor:       Inbox -> filter -> placement -> SessionTable -> NamingQueue (order, 1 s) -> Update
//! ```
//!
//! The reader thread never waits: not for a runtime's answer, not for stdout, not for a disk.
//! Events that the monitor cannot take at once wait in the inbox; what does not fit is counted as
//! lost.

mod apply;
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
