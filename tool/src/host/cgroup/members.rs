//! Whether a process is in the cgroup of a container, by the container's first process.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::LazyLock;

use super::placement::{MAX_LEN, folders_of};
use crate::host::process::{ProcessFacts, proc_has_kernel_pids};
use crate::model::Placement;

/// Inode of the first cgroup namespace (`PROC_CGROUP_INIT_INO`, include/linux/proc_ns.h).
const FIRST_CGROUP_NAMESPACE: u64 = 0xefff_fffb;

/// Whether our paths of cgroups are the kernel's. In a cgroup namespace of our own, /proc shows only
/// the end of a path.
static HAS_WHOLE_PATHS: LazyLock<bool> = LazyLock::new(|| {
    fs::metadata("/proc/self/ns/cgroup").map_or(true, |file| file.ino() == FIRST_CGROUP_NAMESPACE)
});

/// Whether the cgroup of a placement is that of the container, of which this is the first process.
/// `None` if the process cannot tell: it has ended, or its cgroup is not named for the container.
#[must_use]
pub fn is_cgroup_of(placement: &Placement, id: &str, first_process: u32) -> Option<bool> {
    let process = proc_has_kernel_pids().then(|| ProcessFacts::now(first_process))??;
    let folders = folders_of(&process.read("cgroup", MAX_LEN)?, id);
    if folders.is_empty() {
        return None;
    }
    let path = placement.container_folder.path.as_deref();
    Some(path.is_some_and(|path| folders.iter().any(|folder| is_same(path, folder))))
}

fn is_same(path: &str, folder: &str) -> bool {
    path == folder || !*HAS_WHOLE_PATHS && path.ends_with(folder)
}
