//! Cgroups for tests.

use std::path::{Path, PathBuf};

/// Where cgroup v2 is mounted.
pub fn root() -> PathBuf {
    ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
        .map(PathBuf::from)
        .into_iter()
        .find(|root| root.join("cgroup.procs").is_file())
        .expect("a cgroup v2 hierarchy")
}

/// Where each hierarchy is mounted: cgroup v2, and those of v1 where there are any.
pub fn mounts() -> Vec<PathBuf> {
    let mounts = procfs::process::Process::myself().unwrap().mountinfo().unwrap().0;
    let is_cgroup = |fs_type: &str| matches!(fs_type, "cgroup" | "cgroup2");
    mounts.into_iter().filter(|it| is_cgroup(&it.fs_type)).map(|it| it.mount_point).collect()
}

/// A cgroup. Dropping it removes it, once no process is in it.
pub struct Cgroup(PathBuf);

impl Cgroup {
    pub fn create(name: &str) -> Self {
        Self::named(&format!("pfsnoop-{name}-{}", std::process::id()))
    }

    /// A cgroup with exactly that name.
    pub fn named(name: &str) -> Self {
        Self::at(root().join(name))
    }

    /// A cgroup with that path.
    pub fn at(path: PathBuf) -> Self {
        std::fs::create_dir(&path).unwrap();
        // A cpuset of cgroup v1 begins without CPUs and memory, and takes no process.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let Ok(of_parent) = std::fs::read(path.join("..").join(file)) {
                std::fs::write(path.join(file), of_parent).unwrap();
            }
        }
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A process that has just ended stays in its cgroup for a moment.
        let is_removed = (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            std::fs::remove_dir(&self.0).is_ok()
        });
        assert!(is_removed || std::thread::panicking(), "{} is in use", self.0.display());
    }
}
