//! The files of network namespaces.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::host::foreign_file::open_namespace;

/// The file of a process's network namespace.
#[must_use]
pub fn file_of(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join("ns/net")
}

/// The file of the node's own network namespace: the file of process 1 or, if that cannot be read,
/// our own.
#[must_use]
pub fn host_file() -> PathBuf {
    let first = PathBuf::from("/proc/1/ns/net");
    if first.metadata().is_ok() { first } else { PathBuf::from("/proc/self/ns/net") }
}

/// Inode of the node's own network namespace.
#[must_use]
pub fn host_inode() -> Option<u64> {
    inode_of(&host_file())
}

/// Whether this is the inode of the node's own network namespace. "Host network" is decided here.
/// The namespace that pfsnoop runs in counts too: its ports are those on which pfsnoop listens.
#[must_use]
pub fn is_host(inode: u64) -> bool {
    host_inode() == Some(inode) || is_ours(inode)
}

/// Whether this is the inode of the namespace that pfsnoop runs in.
#[must_use]
pub fn is_ours(inode: u64) -> bool {
    inode_of(Path::new("/proc/self/ns/net")) == Some(inode)
}

/// Inode of the namespace behind this file. `None` if there is no namespace behind it, for example
/// because the file's mount is not visible here.
#[must_use]
pub fn inode_of(path: &Path) -> Option<u64> {
    Some(open_namespace(path).ok()?.metadata().ok()?.ino())
}
