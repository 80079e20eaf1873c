//! What a daemon or a runtime does with a port-forward.

use serde::{Deserialize, Serialize};

/// How a daemon or a container runtime carries out a port-forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForwardingMode {
    /// It spawns nsenter and socat, or its CRI shim does.
    Helpers,
    /// It dials from a thread inside the pod.
    Native,
    /// No kubelet forwards through it.
    None,
}
