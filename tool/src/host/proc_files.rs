//! Files in a process's folder of /proc. They belong to that process even if another process has
//! its pid by now.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;

use procfs::ProcError;
use procfs::process::Process;
use rustix::fs::OFlags;

/// At most this many bytes are read: a longer command line or environment is cut.
const MAX_READ: u64 = 1024 * 1024;

/// Opens a file of the folder, or the file that a link there leads to.
pub fn open(process: &Process, name: &str, flags: OFlags) -> io::Result<OwnedFd> {
    process.open_relative_flags(name, flags | OFlags::CLOEXEC).map(Into::into).map_err(plain)
}

/// The strings of `cmdline` or `environ`, each of which ends with a zero byte.
pub fn strings(process: &Process, name: &str) -> io::Result<Vec<OsString>> {
    let mut bytes = Vec::new();
    File::from(open(process, name, OFlags::RDONLY)?).take(MAX_READ).read_to_end(&mut bytes)?;
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
    Ok(bytes.split(|&byte| byte == 0).map(|one| OsString::from_vec(one.to_vec())).collect())
}

fn plain(error: ProcError) -> io::Error {
    match error {
        ProcError::PermissionDenied(_) => io::ErrorKind::PermissionDenied.into(),
        ProcError::NotFound(_) => io::ErrorKind::NotFound.into(),
        ProcError::Io(error, _) => error,
        other => io::Error::other(other),
    }
}
