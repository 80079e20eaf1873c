//! Whether a program may be run with pfsnoop's rights: only if no user but root, or pfsnoop's own, can
//! have put it there.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, StatxAttributes, StatxFlags, readlinkat, statx};

/// How many symbolic links the kernel follows (`MAXSYMLINKS`, include/linux/namei.h).
const MAX_LINKS: usize = 40;

/// A file that another user could replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untrusted {
    /// The file.
    pub file: PathBuf,
    /// The file, or the folder or link on its path, that is not root's alone.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: Why,
}

/// Why a file or a folder is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It belongs to this user.
    Owner(u32),
    /// The members of this group may write to it.
    Group(u32),
    /// Everybody may write to it.
    Everybody,
    /// It is mounted in a folder in which every user may make files. A user's own file system (FUSE) may
    /// call every file root's.
    Mounted,
    /// It cannot be read, or its path has too many links.
    Unreadable,
}

/// Checks the file, and each folder and symbolic link on the way to it. An access control list counts
/// too: its rights never exceed those of the group (acl(5)). In a sticky folder such as /tmp, users cannot replace
/// files of other users (inode(7)).
pub fn check_trusted(file: &Path) -> Result<(), Untrusted> {
    walk(file).map_err(|Distrusted { path, why }| Untrusted { file: file.to_owned(), path, why })
}

/// The file, folder or link on a path that is not trusted.
struct Distrusted {
    path: PathBuf,
    why: Why,
}

fn walk(file: &Path) -> Result<(), Distrusted> {
    let mut rest = components(file);
    let (mut here, mut links) = (PathBuf::from("/"), 0);
    let mut is_sticky = check(&here, false)?.is_sticky_for_all();
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            // No link is left in this path, so its parent is the parent of the folder.
            here.pop();
            is_sticky = check(&here, false)?.is_sticky_for_all();
            continue;
        }
        let next = here.join(&name);
        let entry = check(&next, is_sticky)?;
        if !entry.is(FileType::Symlink) {
            is_sticky = entry.is_sticky_for_all();
            here = next;
            continue;
        }
        links += 1;
        let target = readlinkat(CWD, &next, Vec::new()).ok().filter(|_| links <= MAX_LINKS);
        let target = target.ok_or(Distrusted { path: next, why: Why::Unreadable })?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            here = PathBuf::from("/");
            is_sticky = check(&here, false)?.is_sticky_for_all();
        }
        let mut before = components(&target);
        before.append(&mut rest);
        rest = before;
    }
    Ok(())
}

fn components(path: &Path) -> VecDeque<OsString> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    names.collect()
}

/// What a path leads to, without following a link.
struct Entry {
    mode: u32,
    uid: u32,
    gid: u32,
    is_mounted: bool,
}

impl Entry {
    /// Asks no file system that may not answer: what the kernel knows is enough.
    fn of(path: &Path) -> Option<Self> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        let found = statx(CWD, path, flags, StatxFlags::BASIC_STATS).ok()?;
        Some(Self {
            mode: found.stx_mode.into(),
            uid: found.stx_uid,
            gid: found.stx_gid,
            is_mounted: found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
        })
    }

    fn is(&self, kind: FileType) -> bool {
        FileType::from_raw_mode(self.mode) == kind
    }

    /// Whether every user may make files in this folder, and remove only their own.
    fn is_sticky_for_all(&self) -> bool {
        let mode = Mode::from_raw_mode(self.mode);
        let others = Mode::WOTH | Mode::WGRP;
        self.is(FileType::Directory) && mode.contains(Mode::SVTX) && mode.intersects(others)
    }

    fn distrust(&self, is_parent_sticky: bool) -> Option<Why> {
        let own = rustix::process::geteuid().as_raw();
        let mode = Mode::from_raw_mode(self.mode);
        if is_parent_sticky && self.is_mounted {
            return Some(Why::Mounted);
        }
        if self.uid != 0 && self.uid != own {
            return Some(Why::Owner(self.uid));
        }
        // A link has no rights of its own (symlink(7)).
        if self.is(FileType::Symlink) || self.is_sticky_for_all() {
            return None;
        }
        if mode.contains(Mode::WOTH) {
            return Some(Why::Everybody);
        }
        mode.contains(Mode::WGRP).then_some(Why::Group(self.gid))
    }
}

fn check(path: &Path, is_parent_sticky: bool) -> Result<Entry, Distrusted> {
    let untrusted = |why| Distrusted { path: path.to_owned(), why };
    let entry = Entry::of(path).ok_or_else(|| untrusted(Why::Unreadable))?;
    match entry.distrust(is_parent_sticky) {
        Some(why) => Err(untrusted(why)),
        None => Ok(entry),
    }
}

/// `/tmp/x/socat could be replaced by other users: /tmp/x belongs to user 65534`
impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(f, "{} could be replaced by other users: ", self.file.display())?;
        match self.why {
            Why::Owner(uid) => write!(f, "{path} belongs to user {uid}"),
            Why::Group(gid) => write!(f, "group {gid} may write to {path}"),
            Why::Everybody => write!(f, "everybody may write to {path}"),
            Why::Mounted => write!(f, "{path} is a mount in a folder that everybody may write to"),
            Why::Unreadable => write!(f, "{path} cannot be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown, lchown, symlink};

    use super::*;

    const NOBODY: u32 = 65534;

    /// A folder of root's in a sticky one, with a program in it.
    fn folder(test: &str) -> (PathBuf, PathBuf) {
        let dir =
            std::env::temp_dir().join(format!("pfsnoop-trusted-{test}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let program = dir.join("nsenter");
        fs::write(&program, "").unwrap();
        for path in [&dir, &program] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        (dir, program)
    }

    fn why(file: &Path) -> Option<(PathBuf, Why)> {
        check_trusted(file).err().map(|Untrusted { path, why, .. }| (path, why))
    }

    #[test]
    #[ignore = "needs root: `cargo xtask test` runs it"]
    fn a_file_that_others_can_replace_is_not_trusted() {
        let (dir, program) = folder("file");
        assert_eq!(why(&program), None);
        for path in [&dir, &program] {
            for (mode, expected) in [(0o757, Why::Everybody), (0o775, Why::Group(0))] {
                fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
                assert_eq!(why(&program), Some((path.clone(), expected)));
            }
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
            chown(path, Some(NOBODY), None).unwrap();
            assert_eq!(why(&program), Some((path.clone(), Why::Owner(NOBODY))));
            chown(path, Some(0), None).unwrap();
        }
        assert_eq!(why(&program), None);
        let missing = dir.join("missing");
        assert_eq!(why(&missing), Some((missing.clone(), Why::Unreadable)));
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    #[ignore = "needs root: `cargo xtask test` runs it"]
    fn a_link_is_trusted_if_all_that_it_leads_through_is() {
        let (dir, program) = folder("link");
        let (others, _) = folder("link-others");
        chown(&others, Some(NOBODY), None).unwrap();
        let (good, bad, climbing, turning) =
            (dir.join("good"), dir.join("bad"), dir.join("climbing"), dir.join("turning"));
        symlink("nsenter", &good).unwrap();
        symlink(others.join("nsenter"), &bad).unwrap();
        let name = others.file_name().unwrap();
        symlink(Path::new("..").join(name).join("nsenter"), &climbing).unwrap();
        symlink("turning", &turning).unwrap();
        assert_eq!(why(&good), None);
        for link in [&bad, &climbing] {
            assert_eq!(why(link), Some((others.clone(), Why::Owner(NOBODY))), "{}", link.display());
        }
        assert_eq!(why(&turning), Some((turning.clone(), Why::Unreadable)));
        // The owner of a link in a sticky folder can replace it.
        let loose = dir.with_extension("loose");
        symlink(&program, &loose).unwrap();
        assert_eq!(why(&loose), None);
        lchown(&loose, Some(NOBODY), None).unwrap();
        assert_eq!(why(&loose), Some((loose.clone(), Why::Owner(NOBODY))));
        fs::remove_file(&loose).unwrap();
        for dir in [dir, others] {
            fs::remove_dir_all(&dir).unwrap();
        }
    }
}
