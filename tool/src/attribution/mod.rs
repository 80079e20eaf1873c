//! Finds the pod and the container of a process or of a network namespace, in two steps:
//!
//! 1. `Locator` asks `host`, which reads /proc, at once, while the process is still there, and finds
//!    the container's id.
//! 2. `NameResolver` asks the runtimes for the names, on the thread for the runtimes, so that no event
//!    has to wait for a runtime. A runtime also confirms that the cgroup is the container's.
//!
//! [`Attribution`] joins both steps and remembers the names.

mod attribution;
mod budget;
mod cache;
mod connection;
mod delegations;
mod foreign_pids;
mod known;
mod kubelet_logs;
mod locator;
mod namespaces;
mod resolver;
mod scan;
mod search_budget;

pub use attribution::{Attribution, Naming};
pub use known::is_known;
