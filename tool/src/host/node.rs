//! This node's name, and its boot.

/// The name by which a kubelet would know this node: its host name in lower case
/// (pkg/util/node, `GetHostname`).
#[must_use]
pub fn node_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().trim().to_lowercase()
}

/// Identifies the boot of the node (random(4)); empty if it cannot be read. Times since the boot and ids
/// of sessions count only within it.
#[must_use]
pub fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}
