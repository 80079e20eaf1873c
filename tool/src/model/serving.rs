//! An endpoint that listens.

use std::net::SocketAddr;
use std::path::PathBuf;

/// An endpoint for Kubernetes clients that listens, and what they can reach.
#[derive(Clone, Debug)]
pub struct Serving {
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Where it listens.
    pub address: SocketAddr,
    /// The kubeconfig that clients need, absolute.
    pub kubeconfig: PathBuf,
    /// How many pods they see.
    pub pods: usize,
    /// How many containers without a pod they see.
    pub containers: usize,
    /// The names of the runtimes of both.
    pub runtimes: Vec<&'static str>,
}
