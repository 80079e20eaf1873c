//! Where a process runs: on the node itself, or somewhere that its owner has made.
//!
//! Any process can call itself kubelet, and root of a container is root. What such a process says of
//! itself counts only for itself, so a process is the node's own only if everything says so.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;

use procfs::process::Process;
use rustix::fs::{OFlags, fstat};
use serde::{Deserialize, Serialize};

use crate::host::cgroup::placement_of;
use crate::host::proc_files;
use crate::host::process::{ProcessFacts, proc_has_kernel_pids};
use crate::host::root::Root;

/// Where a process runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// On the node, among the files that pfsnoop sees.
    Node,
    /// On the node, whose files pfsnoop does not see: pfsnoop runs in a container.
    NodeOutside,
    /// In a container on this node.
    Container {
        /// Its id, or its name.
        id: String,
        /// The runtime that writes such cgroups, or `unknown`.
        runtime: String,
    },
    /// In namespaces of its own, below another root, or as a program that is not root's.
    Elsewhere,
    /// That cannot be read.
    Unknown,
}

impl Place {
    /// Whether the process is the node's own.
    #[must_use]
    pub fn is_of_node(&self) -> bool {
        matches!(self, Self::Node | Self::NodeOutside)
    }

    /// A word for each kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::NodeOutside => "outside",
            Self::Container { .. } => "container",
            Self::Elsewhere => "elsewhere",
            Self::Unknown => "unknown",
        }
    }
}

/// The container that a process is in, by its cgroup, unless pfsnoop is in the same one. Asks only the
/// kernel. The nodes of kind are containers themselves: seen from inside, their daemons are in none.
#[must_use]
pub fn container_of(pid: u32) -> Option<Place> {
    let of = |pid: u32| placement_of(&ProcessFacts::now(pid)?)?.container;
    let container = of(pid)?;
    if of(std::process::id()).is_some_and(|own| own.id == container.id) {
        return None;
    }
    Some(Place::Container { id: container.id, runtime: container.runtime.to_owned() })
}

/// How many of the process's namespaces are not pfsnoop's own. Asks only the kernel.
#[must_use]
pub fn foreign_namespaces(pid: u32) -> usize {
    let is_foreign = |kind: &&str| namespace(&pid.to_string(), kind) != namespace("self", kind);
    ["user", "pid", "mnt"].into_iter().filter(is_foreign).count()
}

/// Where this process of root runs. `root` is what it sees. This asks the file systems of the
/// process, which may not answer.
pub(super) fn place(process: &Process, root: &io::Result<Root>) -> Place {
    let Ok(pid) = u32::try_from(process.pid()) else { return Place::Unknown };
    if let Some(container) = container_of(pid) {
        return container;
    }
    let Ok(root) = root else { return Place::Unknown };
    if !runs_program_of_root(process) {
        return Place::Elsewhere;
    }
    if !root.is_foreign() && shares_namespaces(pid, "self") {
        return Place::Node;
    }
    // In another pid namespace than the first, process 1 may be anybody's.
    let is_of_init = || {
        let init = Process::new(1).ok()?;
        Some(proc_has_kernel_pids() && root.is_same(&Root::of_process(&init).ok()?))
    };
    if is_of_init().unwrap_or(false) && shares_namespaces(pid, "1") {
        return Place::NodeOutside;
    }
    Place::Elsewhere
}

/// Whether a process is in the same user and pid namespace. Its mount namespace may be another one:
/// systemd hides folders from services in that way, and leaves them the node's root.
fn shares_namespaces(pid: u32, other: &str) -> bool {
    let pid = pid.to_string();
    ["user", "pid"].iter().all(|kind| {
        let own = namespace(&pid, kind);
        own.is_some() && own == namespace(other, kind)
    })
}

/// Inode of a namespace of a process.
fn namespace(process: &str, kind: &str) -> Option<u64> {
    fs::metadata(format!("/proc/{process}/ns/{kind}")).ok().map(|file| file.ino())
}

/// Whether the file of its program belongs to root, and nobody else may write to it.
fn runs_program_of_root(process: &Process) -> bool {
    let program = proc_files::open(process, "exe", OFlags::PATH).and_then(|file| Ok(fstat(file)?));
    program.is_ok_and(|program| program.st_uid == 0 && program.st_mode & 0o022 == 0)
}
