//! What stands between this node and a working port-forward: facts go in, findings come out. It
//! changes nothing on the node.
//!
//! ```text
//! the node:    kernel, runtimes, helpers (nsenter and socat), leftovers, limits
//! one target:  found -> running -> namespace -> loopback -> localhost -> listeners -> dialed
//! ```

mod checks;
mod dial;
pub mod facts;
mod helpers;
mod kernel;
mod leftovers;
mod limits;
mod listening;
mod localhost;
mod not_found;
mod ports;
mod runtimes;
mod shell;
mod spawned;
mod target;

pub use checks::{Question, check};
