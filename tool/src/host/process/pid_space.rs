//! Which pid namespace the pids in /proc belong to. The pids in the kernel's records belong to the first
//! pid namespace.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::LazyLock;

/// Inode of the first pid namespace (`PROC_PID_INIT_INO`, include/linux/proc_ns.h).
const FIRST_PID_NAMESPACE: u32 = 0xefff_fffc;

/// Inode of the pid namespace that the pids in /proc belong to; `None` if it is not known. A process sees no other
/// pids in /proc, and /proc cannot change its namespace.
static NAMESPACE: LazyLock<Option<u32>> = LazyLock::new(|| {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key));
    let parent = field("PPid:").unwrap_or_default().trim();
    // Whoever sees a process of the first namespace sees all processes, by the pids of that namespace.
    // A container's /proc may hide process 1, or its namespaces.
    let seen = ["self", "1", parent].map(inode_of);
    if seen.contains(&Some(FIRST_PID_NAMESPACE)) {
        return Some(FIRST_PID_NAMESPACE);
    }
    // Our pid in the namespace of /proc, and in each namespace below, down to ours (proc_pid_status(5)).
    let levels = field("NSpid:").unwrap_or_default().split_whitespace().count();
    inode_of("self").filter(|_| levels == 1)
});

fn inode_of(process: &str) -> Option<u32> {
    let namespace = fs::metadata(format!("/proc/{process}/ns/pid")).ok()?;
    u32::try_from(namespace.ino()).ok()
}

/// Whether the pids in /proc are the kernel's own, and those of the kernel's records.
#[must_use]
pub fn proc_has_kernel_pids() -> bool {
    *NAMESPACE == Some(FIRST_PID_NAMESPACE)
}

/// Inode of the host's mount namespace: that of its first process, or of kthreadd if /proc hides the
/// first process. kthreadd is always process 2, and stays where the kernel started (`rest_init`,
/// init/main.c).
#[must_use]
pub fn host_mntns() -> Option<u32> {
    let of = |pid| fs::metadata(format!("/proc/{pid}/ns/mnt")).ok();
    let namespace = proc_has_kernel_pids().then(|| of(1).or_else(|| of(2)))??;
    u32::try_from(namespace.ino()).ok()
}

/// Whether the pids in /proc are those of the namespace with this inode. `None` is our own namespace.
#[must_use]
pub fn shows_pids_of(pidns: Option<u32>) -> bool {
    NAMESPACE.is_some() && *NAMESPACE == pidns.or_else(own_namespace)
}

/// Inode of our own pid namespace, if our pids are not the kernel's.
#[must_use]
pub fn foreign_namespace() -> Option<u32> {
    own_namespace().filter(|&inode| inode != FIRST_PID_NAMESPACE)
}

/// Inode of our own pid namespace.
fn own_namespace() -> Option<u32> {
    inode_of("self")
}
