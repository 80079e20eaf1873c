//! A cgroup of the test's own.

use std::path::{Path, PathBuf};

use super::eventually;

/// Where cgroup v2 is mounted.
pub fn root() -> PathBuf {
    ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
        .map(PathBuf::from)
        .into_iter()
        .find(|root| root.join("cgroup.procs").is_file())
        .expect("a cgroup v2 hierarchy")
}

/// A folder right below the root; dropping it removes it, once nobody is in it.
pub struct Cgroup(PathBuf);

impl Cgroup {
    pub fn create(name: &str) -> Self {
        let path = root().join(format!("pfsnoop-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A process that has just ended is in there for a moment longer.
        if !std::thread::panicking() {
            eventually("an empty cgroup", || std::fs::remove_dir(&self.0).ok());
        }
    }
}
