//! What stands between this node and a working port-forward: facts of `node` and `resolve` go in,
//! [`Finding`]s come out. It changes nothing on the node.
//!
//! ```text
//! the node:    kernel, runtimes, helpers (nsenter and socat), leftovers, limits
//! one target:  road: found -> running -> namespace -> loopback -> listeners -> localhost -> dialed
//! ```

mod dial;
mod finding;
mod helpers;
mod kernel;
mod leftovers;
mod limits;
mod listening;
mod localhost;
mod not_found;
mod ports;
mod road;
mod runtimes;
mod shell;
mod spawned;

pub use finding::{Finding, Severity};
pub use helpers::helpers;
pub use kernel::kernel;
pub use leftovers::leftovers;
pub use limits::limits;
pub use road::road;
pub use runtimes::runtimes;
