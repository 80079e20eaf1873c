//! The root daemons on this node that may carry out a `kubectl port-forward`.

mod daemon;
mod evidence;
mod flags;
mod kubelet;
mod kubelet_config;
mod kubelet_program;
mod mode;

pub use daemon::{Daemon, OpenFiles, spawner};
pub use kubelet_config::endpoint_in;
pub use mode::{is_daemon, unit_of};
