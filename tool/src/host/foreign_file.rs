//! Opens files at paths that somebody else has chosen, such as a container or its runtime.
//!
//! A path may lead to a pipe, on which open(2) waits, or to a device, where opening alone can have
//! effects: a watchdog is started, a tape is rewound. So the path is opened only to refer to the
//! file (`O_PATH`), the file's kind is checked, and only then the same file is opened for reading.
//! A file system in user space may still not answer: look at foreign files in a process that can be
//! given up.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, fstatfs, openat, openat2};

/// File systems in which reading alone can have effects: `/proc/kmsg` and `trace_pipe` are regular
/// files, and whoever reads them takes the lines away from everybody else. (The magic numbers of procfs,
/// sysfs, debugfs and tracefs, include/uapi/linux/magic.h.)
const KERNELS_OWN: [i64; 4] = [0x9fa0, 0x6265_6572, 0x6462_6720, 0x7472_6163];

/// Opens a file only to refer to it.
pub const REFERENCE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// Opens a path below `root` as if `root` were `/`, also for absolute symbolic links (openat2(2)),
/// only to refer to the file.
pub fn refer_in(root: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    Ok(openat2(root, path, REFERENCE, Mode::empty(), ResolveFlags::IN_ROOT)?)
}

/// Opens a regular file below `root` for reading. Any other file is not opened.
pub fn open_regular_in(root: impl AsFd, path: &Path) -> io::Result<File> {
    open_regular(&refer_in(root, path)?)
}

/// Opens the regular file that `file` refers to for reading. Any other file is not opened.
pub fn open_regular(file: &OwnedFd) -> io::Result<File> {
    let is_file = FileType::from_raw_mode(fstat(file)?.st_mode).is_file();
    if is_file && !KERNELS_OWN.contains(&fstatfs(file)?.f_type) {
        return open(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
}

/// Opens the file that was checked, whatever is at its path now.
fn open(file: &OwnedFd) -> io::Result<File> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // A lease of another process would have open(2) wait too (fcntl(2)).
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(openat(CWD, path, flags, Mode::empty())?.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn only_regular_files_below_the_root_are_opened() {
        let dir = std::env::temp_dir().join(format!("pfsnoop-foreign-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("etc")).unwrap();
        std::fs::write(dir.join("etc/text"), "inside").unwrap();
        symlink("/etc/text", dir.join("link")).unwrap();
        symlink("/etc/passwd", dir.join("outside")).unwrap();
        symlink("../../../../../etc/passwd", dir.join("climbing")).unwrap();
        assert!(Command::new("mkfifo").arg(dir.join("pipe")).status().unwrap().success());
        let root = openat(CWD, &dir, REFERENCE, Mode::empty()).unwrap();
        let mut text = String::new();
        open_regular_in(&root, Path::new("/link")).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "inside");
        for missing in ["outside", "climbing"] {
            let error = open_regular_in(&root, Path::new(missing)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{missing}");
        }
        // Without a writer, open(2) would wait for ever.
        for other in ["pipe", "etc", "."] {
            let error = open_regular_in(&root, Path::new(other)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{other}");
        }
        std::fs::remove_dir_all(&dir).unwrap();
        let node = openat(CWD, "/", REFERENCE, Mode::empty()).unwrap();
        for other in ["/proc/version", "/dev/null", "/sys/kernel/notes"] {
            let error = open_regular_in(&node, Path::new(other)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{other}");
        }
    }
}
