//! This node's name.

/// The name by which a kubelet would know this node: its host name in lower case
/// (pkg/util/node, `GetHostname`).
#[must_use]
pub fn node_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().trim().to_lowercase()
}
