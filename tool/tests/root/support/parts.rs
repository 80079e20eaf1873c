//! Newer versions of what a forward runs through, as `cargo xtask setup` stores them.

use std::path::{Path, PathBuf};

/// Folders with an nsenter and a socat: the system's, those of newer Debian releases, and busybox's
/// nsenter. Only the system's in the quick tier.
pub fn helpers() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("/usr/bin")];
    if !is_quick() {
        folders.extend(["helpers-busybox", "helpers-trixie", "helpers-forky"].map(part));
    }
    folders
}

/// Folders with a containerd and its shim, in the same way.
pub fn containerds() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("/usr/bin")];
    if !is_quick() {
        folders.extend(["containerd-trixie", "containerd-forky"].map(part));
    }
    folders
}

fn is_quick() -> bool {
    std::env::var("PFSNOOP_TEST_TIER").is_ok_and(|tier| tier == "quick")
}

fn part(name: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = workspace.join("target/parts").join(name).join("bin");
    assert!(folder.is_dir(), "{} is missing; run `cargo xtask setup`", folder.display());
    folder
}
