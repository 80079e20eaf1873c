//! Other kernels for the tests to boot: Debian's cloud images, of which only the kernel is kept.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Outcome, packages};
use crate::run::{quiet, workspace_root};

/// Version, and the pattern of the packages that hold it; the newest is taken.
const WANTED: &[(&str, &str)] = &[
    ("6.1", r"^linux-image-6\.1\.[^ ]*-cloud-amd64-unsigned$"),
    ("6.12", r"^linux-image-6\.12\.[^ ]*-cloud-amd64-unsigned$"),
];

/// Leaves each as `target/kernels/VERSION`, where the tests look.
pub(super) fn ensure() -> Result<Outcome> {
    let kernels = workspace_root().join("target/kernels");
    let missing = |version: &str| !kernels.join(version).is_file();
    let missing: Vec<_> = WANTED.iter().filter(|(version, _)| missing(version)).collect();
    let names: Vec<&str> = WANTED.iter().map(|&(version, _)| version).collect();
    if missing.is_empty() {
        return Ok(Outcome::Present(names.join(" ")));
    }
    for (version, pattern) in missing {
        fetch(version, pattern, &kernels).with_context(|| format!("cannot get Linux {version}"))?;
    }
    Ok(Outcome::Installed(names.join(" ")))
}

fn fetch(version: &str, pattern: &str, kernels: &Path) -> Result<()> {
    let package = if let Ok(package) = newest(pattern) {
        package
    } else {
        packages::update()?;
        newest(pattern)?
    };
    let scratch = kernels.join(format!("{version}.unpacked"));
    fs::create_dir_all(&scratch)?;
    // apt downloads as its own user, who must be able to write here, unless told otherwise.
    let mut download = Command::new("apt-get");
    download.args(["-o", "APT::Sandbox::User=root", "download", &package]);
    quiet(download.current_dir(&scratch))?;
    let unpack = "dpkg-deb --extract *.deb . && cp boot/vmlinuz-* \"$1\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", unpack, "sh"]).arg(kernels.join(version)).current_dir(&scratch);
    quiet(&mut shell)?;
    fs::remove_dir_all(&scratch)?;
    Ok(())
}

fn newest(pattern: &str) -> Result<String> {
    let script =
        "apt-cache search --names-only \"$1\" | cut -d' ' -f1 | sort --version-sort | tail -n 1";
    let name = quiet(Command::new("sh").args(["-c", script, "sh", pattern]))?;
    let name = name.trim();
    anyhow::ensure!(!name.is_empty(), "no package matches {pattern}");
    Ok(name.to_owned())
}
