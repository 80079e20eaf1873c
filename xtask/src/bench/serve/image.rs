//! A container image that is made of this machine's busybox: no registry is needed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::run::{find_program, stdout_of};

/// The image's name.
pub(super) const IMAGE: &str = "pfsnoop.bench/busybox:1";

/// Makes the image in that folder, in the form that `docker save` writes. By default its containers
/// sleep.
pub(super) fn archive(folder: &Path) -> Result<PathBuf> {
    let root = folder.join("root");
    fs::create_dir_all(root.join("bin"))?;
    fs::copy(find_program("busybox").context("no busybox")?, root.join("bin/busybox"))?;
    symlink("busybox", root.join("bin/sleep"))?;
    let layer = tar(&root, &folder.join("root.tar"), &["."])?;
    let digest = stdout_of(Command::new("sha256sum").arg(&layer))?;
    let digest = digest.split(' ').next().unwrap_or_default();
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/bin/sleep", "100000"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    let manifest = json!([{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["root.tar"]}]);
    fs::write(folder.join("config.json"), config.to_string())?;
    fs::write(folder.join("manifest.json"), manifest.to_string())?;
    tar(folder, &folder.join("image.tar"), &["manifest.json", "config.json", "root.tar"])
}

fn tar(from: &Path, to: &Path, files: &[&str]) -> Result<PathBuf> {
    stdout_of(Command::new("tar").arg("-C").arg(from).arg("-cf").arg(to).args(files))?;
    Ok(to.to_owned())
}
