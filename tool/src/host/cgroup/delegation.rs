//! Who may make cgroups where a folder is.
//!
//! A cgroup may be delegated: its folder then belongs to a user, who may make folders in it, with any
//! names, and move own processes there (cgroups(7)). systemd does so for its users' managers and for
//! units with `Delegate=`.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use procfs::process::Process;

/// Where the hierarchies are mounted: cgroup v2, and those of v1 where there are any.
static MOUNTS: LazyLock<Vec<PathBuf>> = LazyLock::new(|| {
    let mounts = Process::myself().and_then(|own| own.mountinfo());
    let is_whole =
        |fs_type: &str, root: &str| matches!(fs_type, "cgroup" | "cgroup2") && root == "/";
    let mounts = mounts.map(|mounts| mounts.0).unwrap_or_default().into_iter();
    mounts.filter(|one| is_whole(&one.fs_type, &one.root)).map(|one| one.mount_point).collect()
});

/// Whether others than root may make folders beside the cgroup with this path, in any hierarchy.
#[must_use]
pub fn is_delegated(path: &str) -> bool {
    let Some((above, _)) = path.rsplit_once('/') else { return false };
    // A path that leads out of our cgroup namespace is not found below the mounts.
    let folders: Vec<&str> = above.split('/').filter(|name| !name.is_empty()).collect();
    !folders.contains(&"..") && MOUNTS.iter().any(|mount| has_foreign_folder(mount, &folders))
}

fn has_foreign_folder(mount: &Path, folders: &[&str]) -> bool {
    let mut at = mount.to_owned();
    let mut names = folders.iter();
    loop {
        // The folders of a container that has ended are gone. What is left of the path still counts.
        let Ok(folder) = at.symlink_metadata() else { return false };
        if folder.uid() != 0 || is_writable_for_others(folder.mode(), folder.gid()) {
            return true;
        }
        match names.next() {
            Some(name) => at.push(name),
            None => return false,
        }
    }
}

fn is_writable_for_others(mode: u32, gid: u32) -> bool {
    mode & 0o002 != 0 || mode & 0o020 != 0 && gid != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_below_a_users_is_delegated() {
        let dir = std::env::temp_dir().join(format!("pfsnoop-delegation-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("a/b")).unwrap();
        let ours = dir.metadata().unwrap().uid() == 0;
        assert_eq!(has_foreign_folder(&dir, &["a", "b"]), !ours);
        assert_eq!(has_foreign_folder(&dir, &["a", "nothing", "b"]), !ours);
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(is_writable_for_others(0o757, 0) && is_writable_for_others(0o775, 1));
        assert!(!is_writable_for_others(0o755, 1) && !is_writable_for_others(0o775, 0));
        assert!(!is_delegated("docker-x.scope") && !is_delegated("/../docker-x.scope"));
    }
}
