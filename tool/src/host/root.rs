//! The files that a process sees. They may differ from the files that pfsnoop sees.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use procfs::process::Process;
use rustix::fs::{CWD, FileType, Mode, fstat, openat};

use super::foreign_file::{REFERENCE, open_regular_in, refer_in};
use super::proc_files;

/// At most this many bytes of a file are read. The files that pfsnoop reads have a page or two.
const MAX_READ: u64 = 1024 * 1024;

/// The files that a process sees: its mount namespace, below its root. They are held: they stay the
/// same after the process has ended, even if another process gets its pid.
#[derive(Debug)]
pub struct Root {
    top: OwnedFd,
    is_foreign: bool,
    is_our_namespace: bool,
}

impl Root {
    /// The files that pfsnoop sees.
    pub fn own() -> io::Result<Self> {
        let top = openat(CWD, "/", REFERENCE, Mode::empty())?;
        Ok(Self { top, is_foreign: false, is_our_namespace: true })
    }

    /// The files that this process sees. An error if it has ended or cannot be read.
    pub fn of_process(process: &Process) -> io::Result<Self> {
        let top = proc_files::open(process, "root", REFERENCE)?;
        let namespace = proc_files::open(process, "ns/mnt", REFERENCE)?;
        let our_namespace = openat(CWD, "/proc/self/ns/mnt", REFERENCE, Mode::empty())?;
        let is_foreign = !is_same(&top, Self::own()?.top)?;
        Ok(Self { top, is_foreign, is_our_namespace: is_same(namespace, our_namespace)? })
    }

    /// Whether it is the same folder as another root.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        is_same(&self.top, &other.top).unwrap_or(false)
    }

    /// Whether pfsnoop sees the same files.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        !self.is_foreign && self.is_our_namespace
    }

    /// Whether the root is another one, as in a container. A service for which systemd hides a few
    /// folders still has the node's root.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// The first executable file of that name in a PATH, as Go's `exec.LookPath` finds it.
    #[must_use]
    pub fn look_up(&self, program: &str, path: &OsStr) -> Option<PathBuf> {
        let dirs = std::env::split_paths(path).filter(|dir| dir.is_absolute());
        dirs.map(|dir| dir.join(program)).find(|file| self.is_executable(file))
    }

    /// A small text file; `None` when it cannot be read.
    #[must_use]
    pub fn read(&self, path: &Path) -> Option<String> {
        let mut text = Vec::new();
        self.open(path).ok()?.take(MAX_READ).read_to_end(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// Opens a regular file for reading.
    pub fn open(&self, path: &Path) -> io::Result<File> {
        open_regular_in(&self.top, path)
    }

    /// Whether there is a file at this path.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        refer_in(&self.top, path).is_ok()
    }

    fn is_executable(&self, path: &Path) -> bool {
        let file = refer_in(&self.top, path);
        let Ok(stat) = file.and_then(|file| Ok(fstat(file)?)) else { return false };
        FileType::from_raw_mode(stat.st_mode).is_file() && stat.st_mode & 0o111 != 0
    }
}

fn is_same(one: impl AsFd, other: impl AsFd) -> io::Result<bool> {
    let (one, other) = (fstat(one)?, fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn finds_only_files_below_the_root() {
        let dir = std::env::temp_dir().join(format!("pfsnoop-root-{}", std::process::id()));
        fs::create_dir_all(dir.join("bin")).unwrap();
        fs::copy("/bin/true", dir.join("bin/real")).unwrap();
        // The target exists on the node, but not below that root.
        std::os::unix::fs::symlink("/bin/sh", dir.join("bin/outside")).unwrap();
        std::os::unix::fs::symlink("/bin/real", dir.join("bin/inside")).unwrap();
        fs::write(dir.join("bin/text"), "x").unwrap();
        let top = openat(CWD, &dir, REFERENCE, Mode::empty()).unwrap();
        let root = Root { top, is_foreign: true, is_our_namespace: true };
        let find = |name: &str, path: &str| root.look_up(name, OsStr::new(path));
        assert_eq!(find("real", "/nowhere:/bin"), Some("/bin/real".into()));
        assert_eq!(find("inside", "/bin"), Some("/bin/inside".into()));
        for missing in ["outside", "text", "sh"] {
            assert_eq!(find(missing, "/bin:bin:."), None, "{missing}");
        }
        assert_eq!(root.read(Path::new("/bin/text")).as_deref(), Some("x"));
        assert!(root.has(Path::new("/bin/text")) && !root.has(Path::new("/etc")));
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_root_still_works_after_its_process_has_ended() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::new(child.id().cast_signed()).unwrap();
        let root = Root::of_process(&process).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(root.is_ours() && !root.is_foreign() && root.has(Path::new("/proc")));
        assert!(Root::of_process(&process).is_err());
    }
}
