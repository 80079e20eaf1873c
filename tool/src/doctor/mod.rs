//! Finds out why port-forwards fail, on this node or for one target. It reads facts and reports
//! findings, and changes nothing on the node.
//!
//! ```text
//! the node:    kernel, runtimes, helpers (nsenter and socat), leftovers, limits
//! one target:  found -> process -> namespace -> loopback -> localhost -> history -> listeners
//!              -> connection
//! ```

mod as_daemon;
mod checks;
mod dial;
pub mod facts;
mod grouped;
mod helper_fix;
mod helper_monitor;
mod listening;
mod localhost;
mod node;
mod not_found;
mod open_ports;
mod past_forwards;
mod ports;
mod process;
mod search_path;
mod shell;
mod target;

pub use checks::{DoctorOptions, check};
