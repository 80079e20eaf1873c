//! Opens the file of a namespace by a path that somebody else chose: a container runtime, or whoever made
//! a symbolic link in the path.
//!
//! Opening an arbitrary file is not harmless. A pipe without a writer and a file of a dead FUSE daemon
//! block, the latter beyond SIGKILL (fs/fuse/dev.c, `request_wait_answer`). A device may act. So each
//! folder is only referred to (`O_PATH`), nothing is looked up in a file system that asks another
//! process or machine, and only what is a namespace is opened.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Statx, StatxFlags, openat, readlinkat, statx,
};

/// At most this many symbolic links are followed, as by the kernel (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// At most this many bytes of the list of mounts are read.
const MAX_MOUNTS: u64 = 16 * 1024 * 1024;

/// Refers to a file without opening it.
const REFERENCE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// File systems that ask another process or another machine for each name.
const REMOTE: [&str; 14] = [
    "9p", "afs", "autofs", "ceph", "cifs", "coda", "fuse", "fuseblk", "gfs2", "lustre", "nfs",
    "nfs4", "ocfs2", "smb3",
];

/// The file of a namespace, opened; an error if the path leads to anything else.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let found = refer(path)?;
    let of_namespaces = openat(CWD, "/proc/self/ns/net", REFERENCE, Mode::empty())?;
    // All namespaces are in one file system (nsfs), which has one device number.
    if device(&status(&found)?) != device(&status(&of_namespaces)?) {
        return Err(rustix::io::Errno::INVAL.into());
    }
    let by_descriptor = format!("/proc/self/fd/{}", found.as_raw_fd());
    Ok(File::from(openat(CWD, by_descriptor, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?))
}

/// Follows a path, step by step.
fn refer(path: &Path) -> io::Result<OwnedFd> {
    if !path.is_absolute() {
        let from = std::env::current_dir()?;
        return refer(&from.join(path));
    }
    let root = || openat(CWD, "/", REFERENCE, Mode::empty());
    let (mut at, mut links, mut mounts) = (root()?, 0, Mounts::default());
    // The last name is the next one.
    let mut names = names(path.as_os_str());
    let mut before = OsString::new();
    while let Some(name) = names.pop() {
        let kind = mounts.kind_of(&at)?;
        if is_remote(kind) {
            let why = format!("it is in a file system that may not answer ({kind})");
            return Err(io::Error::other(why));
        }
        let is_proc = kind == "proc";
        let next = openat(&at, &name, REFERENCE | OFlags::NOFOLLOW, Mode::empty())?;
        if !is_link(&next)? {
            (at, before) = (next, name);
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(rustix::io::Errno::LOOP.into());
        }
        if names.is_empty() && before == "ns" && is_proc {
            // `/proc/PID/ns/net` has no path, but leads to the namespace itself.
            return Ok(openat(&at, &name, REFERENCE, Mode::empty())?);
        }
        let to = OsString::from_vec(readlinkat(&at, &name, Vec::new())?.into_bytes());
        if to.as_bytes().first() == Some(&b'/') {
            (at, before) = (root()?, OsString::new());
        }
        names.extend(self::names(&to));
    }
    Ok(at)
}

/// The names in a path, the last one first.
fn names(path: &OsStr) -> Vec<OsString> {
    let names = path.as_bytes().split(|&byte| byte == b'/').filter(|name| !name.is_empty());
    names.rev().map(|name| OsStr::from_bytes(name).to_owned()).collect()
}

/// What the kernel knows by itself: no file system is asked.
fn status(file: &OwnedFd) -> io::Result<Statx> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    Ok(statx(file.as_fd(), "", flags, StatxFlags::TYPE | StatxFlags::MNT_ID)?)
}

fn device(status: &Statx) -> (u32, u32) {
    (status.stx_dev_major, status.stx_dev_minor)
}

fn is_link(file: &OwnedFd) -> io::Result<bool> {
    Ok(FileType::from_raw_mode(status(file)?.stx_mode.into()) == FileType::Symlink)
}

/// `fuse.sshfs` is a FUSE.
fn is_remote(kind: &str) -> bool {
    REMOTE.contains(&kind.split('.').next().unwrap_or_default())
}

/// The kinds of mounted file systems, by the list of mounts (proc_pid_mountinfo(5)). statfs(2) would
/// ask the file system itself.
#[derive(Default)]
struct Mounts {
    /// The mount that was asked for last, and its kind. Most folders of a path are in the same.
    last: (u64, String),
}

impl Mounts {
    fn kind_of(&mut self, folder: &OwnedFd) -> io::Result<&str> {
        let id = status(folder)?.stx_mnt_id;
        if self.last.0 != id || self.last.1.is_empty() {
            let kind = kind_of_mount(id)?;
            let unknown = || io::Error::other("it is in a file system that is not mounted here");
            self.last = (id, kind.ok_or_else(unknown)?);
        }
        Ok(&self.last.1)
    }
}

fn kind_of_mount(id: u64) -> io::Result<Option<String>> {
    let mut mounts = Vec::new();
    File::open("/proc/self/mountinfo")?.take(MAX_MOUNTS).read_to_end(&mut mounts)?;
    let (mounts, id) = (String::from_utf8_lossy(&mounts), id.to_string());
    let line = mounts.lines().find(|line| line.split(' ').next() == Some(id.as_str()));
    // Behind a dash that stands alone.
    let kind = line.and_then(|line| line.split(" - ").nth(1)?.split(' ').next());
    Ok(kind.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn namespaces_are_opened_through_any_link() {
        let own = std::fs::metadata("/proc/self/ns/net").unwrap().ino();
        let dir = std::env::temp_dir().join(format!("pfsnoop-foreign-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("sub")).unwrap();
        symlink("/proc/self/ns/net", dir.join("absolute")).unwrap();
        symlink("../absolute", dir.join("sub/relative")).unwrap();
        symlink("sub", dir.join("folder")).unwrap();
        symlink("endless", dir.join("endless")).unwrap();
        let own_pid = format!("/proc/{}/ns/net", std::process::id());
        let paths = ["absolute", "sub/relative", "folder/../folder/./relative", "folder//relative"];
        let paths = paths.map(|path| dir.join(path));
        for path in paths.iter().map(PathBuf::as_path).chain([Path::new(&own_pid)]) {
            assert_eq!(open(path).unwrap().metadata().unwrap().ino(), own, "{}", path.display());
        }
        let kind = |path: &str| open(&dir.join(path)).unwrap_err().raw_os_error();
        assert_eq!(kind("endless"), Some(libc::ELOOP));
        assert_eq!(kind("nothing"), Some(libc::ENOENT));
        assert_eq!(kind("sub"), Some(libc::EINVAL));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_is_no_namespace_is_not_opened() {
        let dir = std::env::temp_dir().join(format!("pfsnoop-no-netns-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let pipe = dir.join("pipe");
        rustix::fs::mkfifoat(CWD, &pipe, Mode::from(0o600)).unwrap();
        std::fs::write(dir.join("file"), "").unwrap();
        let paths =
            [pipe, dir.join("file"), "/dev/tty".into(), "/proc/self/root".into(), "/".into()];
        for path in &paths {
            let error = open(path).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EINVAL), "{}", path.display());
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
