//! A cgroup for one test.

use std::path::{Path, PathBuf};

/// Where cgroup v2 is mounted.
pub fn root() -> PathBuf {
    ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
        .map(PathBuf::from)
        .into_iter()
        .find(|root| root.join("cgroup.procs").is_file())
        .expect("a cgroup v2 hierarchy")
}

/// A cgroup right below the root. Dropping it removes it, once no process is in it.
pub struct Cgroup(PathBuf);

impl Cgroup {
    pub fn create(name: &str) -> Self {
        Self::named(&format!("pfsnoop-{name}-{}", std::process::id()))
    }

    /// A cgroup with exactly that name.
    pub fn named(name: &str) -> Self {
        let path = root().join(name);
        std::fs::create_dir(&path).unwrap();
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
