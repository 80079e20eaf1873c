//! Finds a process by its pid in another pid namespace, such as that of a node in a container (kind).

use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};

use procfs::process::Process;
use rustix::fs::OFlags;

use super::facts::{ProcessFacts, all_processes};
use super::pid_space::proc_has_kernel_pids;
use crate::host::proc_files;

/// `NS_GET_PARENT` (include/uapi/linux/nsfs.h).
const NS_GET_PARENT: libc::Ioctl = 0xb702;

/// More than `status` has before the line with the pids: a process has 65,536 groups at most.
const MAX_STATUS: u64 = 1024 * 1024;

/// The process that has this pid in the pid namespace with that inode, below the one of /proc. Searches
/// all processes.
#[must_use]
pub fn find_in_pidns(pid: u32, pidns: u32) -> Option<ProcessFacts> {
    if !proc_has_kernel_pids() {
        return None;
    }
    all_processes().find(|facts| has_pid_in(facts, pid, pidns))
}

/// Whether a process has this pid in the pid namespace with that inode.
#[must_use]
pub fn has_pid_in(facts: &ProcessFacts, pid: u32, pidns: u32) -> bool {
    let pids = pids_of(facts);
    // The first pid is that in /proc, and the last one that in the process's own namespace.
    let is_it = |(level, &of_level): (usize, &u32)| {
        of_level == pid && inode_at(facts.process(), pids.len() - 1 - level) == Some(pidns)
    };
    pids.iter().enumerate().skip(1).any(is_it)
}

/// The pids of a process in all of its pid namespaces, the outermost first (`NStgid`,
/// proc_pid_status(5)).
fn pids_of(facts: &ProcessFacts) -> Vec<u32> {
    let status = facts.read("status", MAX_STATUS).unwrap_or_default();
    let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"NStgid:"));
    let line = String::from_utf8_lossy(line.unwrap_or_default());
    line.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The inode of the pid namespace so many levels above that of the process.
fn inode_at(process: &Process, levels: usize) -> Option<u32> {
    let mut namespace = proc_files::open(process, "ns/pid", OFlags::RDONLY).ok()?;
    for _ in 0..levels {
        namespace = parent(&namespace)?;
    }
    u32::try_from(rustix::fs::fstat(namespace.as_fd()).ok()?.st_ino).ok()
}

fn parent(namespace: &OwnedFd) -> Option<OwnedFd> {
    // SAFETY: the call takes an open descriptor and no argument, and returns a new descriptor.
    unsafe {
        let parent = libc::ioctl(namespace.as_raw_fd(), NS_GET_PARENT);
        (parent >= 0).then(|| OwnedFd::from_raw_fd(parent))
    }
}
