//! Finds the pod and the container of a process or of a network namespace, in two steps:
//!
//! 1. `Locator` reads /proc at once, while the process is still there, and finds the container's
//!    id.
//! 2. `NameResolver` asks the runtimes for the names, in a separate task, so that no event has to
//!    wait for a runtime.
//!
//! [`Attribution`] joins both steps and remembers the names.

mod attribution;
mod budget;
mod cache;
mod foreign_pids;
mod known;
mod kubelet_logs;
mod locator;
mod namespaces;
mod resolver;
mod scan;

pub use attribution::{Attribution, Naming};
pub use known::is_known;
