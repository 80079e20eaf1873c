//! The cgroups of a node of its own, below a folder of their own in each hierarchy.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use procfs::process::Process;

/// A cgroup of the same name in each hierarchy.
pub(crate) struct Cgroups {
    name: String,
    folders: Vec<PathBuf>,
}

impl Cgroups {
    /// Makes them for `what`. A kubelet wants the cgroup of its pods in all hierarchies.
    pub(crate) fn make(what: &str) -> Result<Self> {
        // A second run at the same time has the same pod, with the same uid.
        let name = format!("pfsnoop-{what}-{}", std::process::id());
        let mounts = Process::myself()?.mountinfo()?.into_iter();
        let hierarchies = mounts.filter(|mount| mount.fs_type.starts_with("cgroup"));
        let folders = hierarchies.map(|mount| mount.mount_point.join(&name)).collect();
        let cgroups = Self { name, folders };
        for folder in &cgroups.folders {
            fs::create_dir(folder).with_context(|| folder.display().to_string())?;
        }
        Ok(cgroups)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Removes them. No process may be left in them.
    pub(crate) fn remove(self) -> Result<()> {
        for folder in &self.folders {
            remove_tree(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        Ok(())
    }
}

/// Files of a cgroup cannot be removed, but vanish with it.
fn remove_tree(cgroup: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(cgroup)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(cgroup)
}
