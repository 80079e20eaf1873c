//! A kubeconfig on disk: private, whole, and gone once the endpoint has ended.

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fchmod, fstat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

use super::error::KubeconfigError;
use crate::host::trusted::{Untrusted, check_trusted};

/// A folder is opened as what it is, not as what a link leads to.
const FOLDER: OFlags =
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A kubeconfig that exists until this value is dropped.
#[derive(Debug)]
pub struct Kubeconfig {
    path: PathBuf,
    folder: OwnedFd,
    name: OsString,
    /// Held open, so that no other file can get its inode.
    file: File,
}

impl Kubeconfig {
    /// Writes the text to a new file of mode 0600, and renames it to the path: the file appears whole.
    /// A file of the same user that is there, such as one that an earlier run has left, is replaced. A
    /// missing folder is made, with mode 0700.
    pub(in crate::serve) fn write(path: &Path, text: &str) -> Result<Self, KubeconfigError> {
        let path = std::path::absolute(path).map_err(|error| failed(path, error))?;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(KubeconfigError::NoFileName(path));
        };
        let folder = open_folder(folder).map_err(|error| match error {
            FolderError::Untrusted(untrusted) => KubeconfigError::Untrusted(untrusted),
            FolderError::Io(error) => failed(&path, error),
        })?;
        check_place(&folder, name, &path)?;
        let file = write_as(&folder, name, text).map_err(|error| failed(&path, error))?;
        Ok(Self { name: name.to_owned(), folder, file, path })
    }

    /// The path, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file at the path is still the one that was written.
    fn is_in_place(&self) -> bool {
        let there = statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        let identity = |stat: Stat| (stat.st_dev, stat.st_ino);
        matches!((there, fstat(&self.file)), (Ok(a), Ok(b)) if identity(a) == identity(b))
    }
}

/// Removes the file, unless another one has taken its place.
impl Drop for Kubeconfig {
    fn drop(&mut self) {
        if self.is_in_place() {
            // At the end there is nobody to tell. The token in it is worth nothing any more.
            let _ = unlinkat(&self.folder, &self.name, AtFlags::empty());
        }
    }
}

fn failed(path: &Path, source: io::Error) -> KubeconfigError {
    KubeconfigError::Io { path: path.to_owned(), source }
}

enum FolderError {
    Untrusted(Untrusted),
    Io(io::Error),
}

/// Opens the folder, and makes it if it is missing. No other user may be able to put a file there in the
/// place of ours.
fn open_folder(path: &Path) -> Result<OwnedFd, FolderError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(FolderError::Io(error));
        }
        _ => {}
    }
    check_trusted(path).map_err(FolderError::Untrusted)?;
    let real = path.canonicalize().map_err(FolderError::Io)?;
    openat(CWD, &real, FOLDER, Mode::empty()).map_err(|error| FolderError::Io(error.into()))
}

/// What is at the path may be replaced only if it is a file of our own.
fn check_place(folder: &OwnedFd, name: &OsStr, path: &Path) -> Result<(), KubeconfigError> {
    let taken = |what| Err(KubeconfigError::Taken { path: path.to_owned(), what });
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(failed(path, error.into())),
        Ok(found) => match FileType::from_raw_mode(found.st_mode) {
            FileType::Symlink => taken("a symbolic link"),
            FileType::RegularFile if found.st_uid == rustix::process::geteuid().as_raw() => Ok(()),
            FileType::RegularFile => taken("a file of another user"),
            _ => taken("not a regular file"),
        },
    }
}

fn write_as(folder: &OwnedFd, name: &OsStr, text: &str) -> io::Result<File> {
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    // Left by a process with the same pid that was killed.
    let _ = unlinkat(folder, &hidden, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let mut file = File::from(openat(folder, &hidden, flags, mode)?);
    // A umask may have taken rights away.
    let written = fchmod(&file, mode)
        .map_err(io::Error::from)
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| Ok(renameat(folder, &hidden, folder, name)?));
    if let Err(error) = written {
        let _ = unlinkat(folder, &hidden, AtFlags::empty());
        return Err(error);
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn folder(test: &str) -> PathBuf {
        let name = format!("pfsnoop-kubeconfig-{test}-{}", std::process::id());
        std::env::temp_dir().join(name)
    }

    #[test]
    fn it_is_private_and_ends_with_its_owner() {
        let folder = folder("private");
        let path = folder.join("kubeconfig");
        let written = Kubeconfig::write(&path, "secret").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        assert_eq!(fs::read_to_string(written.path()).unwrap(), "secret");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no other file is left");
        drop(written);
        assert!(!path.exists());
        fs::remove_dir(&folder).unwrap();
    }

    #[test]
    fn a_file_of_a_later_run_is_left_alone() {
        let folder = folder("later");
        let path = folder.join("kubeconfig");
        let first = Kubeconfig::write(&path, "first").unwrap();
        let second = Kubeconfig::write(&path, "second").unwrap();
        drop(first);
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        drop(second);
        fs::remove_dir(&folder).unwrap();
    }

    #[test]
    fn links_and_folders_of_others_are_refused() {
        let folder = folder("others");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("kubeconfig");
        let error = |path: &Path| Kubeconfig::write(path, "secret").unwrap_err().to_string();
        symlink("elsewhere", &path).unwrap();
        assert!(error(&path).contains("is a symbolic link"), "{}", error(&path));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(error(&path).contains("not a regular file"), "{}", error(&path));
        fs::remove_dir(&path).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        assert!(error(&path).contains("everybody may write to"), "{}", error(&path));
        assert!(error(&folder.join("a/b/c")).contains("cannot write"), "one folder is made");
        assert!(error(Path::new("/")).contains("no path of a file"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
