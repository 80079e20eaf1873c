//! From a process or a network namespace to the pod and container that it belongs to.
//!
//! Two steps. `Locator` reads /proc at once, while the process is still there: it finds the
//! container's id. `NameResolver` asks the runtimes for names, in a task of its own, so that no
//! event has to wait for a runtime. [`Attribution`] joins both and remembers the names.

mod attribution;
mod cache;
mod kubelet_logs;
mod locator;
mod namespaces;
mod resolver;

pub use attribution::{Attribution, Naming};
