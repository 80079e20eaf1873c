//! The daemons of root that answer a `kubectl port-forward` on this node, or might.

mod daemon;
mod mode;

pub use daemon::{Daemon, OpenFiles, ProgramSearch, running};
