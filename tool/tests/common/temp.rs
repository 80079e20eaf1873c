//! Temporary files and folders.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// A path in the temporary folder that no other test process uses.
pub fn temp_path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("pfsnoop-{name}-{}", std::process::id()))
}

/// A new folder. Dropping it removes it with everything in it.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new(name: &str) -> Self {
        let path = temp_path(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes an executable shell script in the folder.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Makes a symbolic link in the folder to a program in /usr/bin.
    pub fn link(&self, program: &str) {
        symlink(Path::new("/usr/bin").join(program), self.join(program)).unwrap();
    }

    /// A `PATH` with this folder before those of the system.
    pub fn before_system_path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.0.display())
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
