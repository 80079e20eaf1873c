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

/// Folders with a Podman and what it starts: 4.3, and outside of the quick tier 5.4 and 5.8.
pub fn podmans() -> Vec<PathBuf> {
    let newer = if is_quick() { &[][..] } else { &["podman-trixie", "podman-forky"] };
    std::iter::once(podman()).chain(newer.iter().copied().map(part)).collect()
}

/// The folder of Podman 4.3.
pub fn podman() -> PathBuf {
    part("podman-bookworm")
}

/// A version of Docker.
pub struct DockerVersion {
    /// The folder of its programs.
    pub programs: PathBuf,
    /// Options of dockerd: its storage driver, and what it needs.
    pub options: &'static [&'static str],
}

impl Default for DockerVersion {
    fn default() -> Self {
        Self { programs: PathBuf::from("/usr/bin"), options: &["--storage-driver=vfs"] }
    }
}

/// Docker 20.10, 26 and 28, and 28 with containerd's image store.
pub fn dockers() -> Vec<DockerVersion> {
    let mut versions = vec![DockerVersion::default()];
    if !is_quick() {
        let vfs: &[&str] = &["--storage-driver=vfs"];
        let store: &[&str] = &["--storage-driver=native", "--feature=containerd-snapshotter=true"];
        let newer = [("docker-trixie", vfs), ("docker-forky", vfs), ("docker-forky", store)];
        versions
            .extend(newer.map(|(name, options)| DockerVersion { programs: part(name), options }));
    }
    versions
}

/// Docker 28, in every tier: the first one in Debian that knows CAP_BPF is 26.
pub fn newest_docker() -> DockerVersion {
    DockerVersion { programs: part("docker-forky"), ..DockerVersion::default() }
}

/// Debian releases with a kubectl: 1.20, 1.32 and 1.36.
pub const KUBECTLS: [&str; 3] = ["bookworm", "trixie", "forky"];

/// The kubectl of a Debian release.
pub fn kubectl(release: &str) -> PathBuf {
    part(&format!("kubectl-{release}")).join("kubectl")
}

/// The folder with the client for a language, `python` or `javascript`.
pub fn client(language: &str) -> PathBuf {
    let folder = folder(&format!("client-{language}"));
    assert!(folder.is_dir(), "{} is missing; run `cargo xtask setup`", folder.display());
    folder
}

/// The OpenAPI document of the kube-apiserver 1.20.
pub fn openapi() -> PathBuf {
    let file = folder("openapi-bookworm").join("swagger.json");
    assert!(file.is_file(), "{} is missing; run `cargo xtask setup`", file.display());
    file
}

fn is_quick() -> bool {
    std::env::var("PFSNOOP_TEST_TIER").is_ok_and(|tier| tier == "quick")
}

fn part(name: &str) -> PathBuf {
    let folder = folder(name).join("bin");
    assert!(folder.is_dir(), "{} is missing; run `cargo xtask setup`", folder.display());
    folder
}

fn folder(name: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    workspace.join("target/parts").join(name)
}
