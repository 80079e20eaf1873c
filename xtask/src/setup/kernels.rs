//! Other kernels for the tests to boot: the kernel files of Debian's cloud images.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::debian::Lists;
use super::packages;
use super::step::Outcome;
use crate::run::{stdout_of, workspace_root};

/// A kernel to install.
struct Wanted {
    /// The name that the tests use.
    version: &'static str,
    /// The Debian release that has it; `None` if the machine's own package lists have it.
    release: Option<&'static str>,
    /// Matches the names of its packages. The newest one is taken.
    pattern: &'static str,
}

const fn wanted(
    version: &'static str,
    release: Option<&'static str>,
    pattern: &'static str,
) -> Wanted {
    Wanted { version, release, pattern }
}

/// The oldest kernel that pfsnoop supports, those of the last two Debian releases, and the next one's.
const WANTED: &[Wanted] = &[
    wanted("5.10", Some("bullseye"), r"^linux-image-5\.10\.[^ ]*-cloud-amd64-unsigned$"),
    wanted("6.1", None, r"^linux-image-6\.1\.[^ ]*-cloud-amd64-unsigned$"),
    wanted("6.12", None, r"^linux-image-6\.12\.[^ ]*-cloud-amd64-unsigned$"),
    wanted("7.2", Some("forky"), r"^linux-binary-unsigned-7\.2\.[^ ]*-cloud-amd64$"),
];

/// Stores each as `target/kernels/VERSION`, where the tests look for it.
pub(super) fn ensure() -> Result<Outcome> {
    let kernels = workspace_root().join("target/kernels");
    let missing: Vec<_> =
        WANTED.iter().filter(|wanted| !kernels.join(wanted.version).is_file()).collect();
    let names: Vec<&str> = WANTED.iter().map(|wanted| wanted.version).collect();
    if missing.is_empty() {
        return Ok(Outcome::Present(names.join(" ")));
    }
    for wanted in missing {
        fetch(wanted, &kernels).with_context(|| format!("cannot get Linux {}", wanted.version))?;
    }
    Ok(Outcome::Installed(names.join(" ")))
}

fn fetch(wanted: &Wanted, kernels: &Path) -> Result<()> {
    let scratch = kernels.join(format!("{}.unpacked", wanted.version));
    fs::create_dir_all(&scratch)?;
    let lists = match wanted.release {
        Some(release) => Lists::of_release(release, &scratch.join("apt"))?,
        None => Lists::default(),
    };
    let mut found = lists.search(wanted.pattern)?;
    if found.is_empty() {
        packages::update()?;
        found = lists.search(wanted.pattern)?;
    }
    // A mirror may no longer have the newest package of an old release.
    if !found.iter().any(|package| lists.download(&[package], &scratch).is_ok()) {
        bail!("none of the packages that match {} can be downloaded", wanted.pattern);
    }
    // From Linux 7 on, Debian's packages have the file among the modules.
    let unpack = "dpkg-deb --extract *.deb . \
                  && cp $(ls boot/vmlinuz-* usr/lib/modules/*/vmlinuz.unsigned 2>&-) \"$1\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", unpack, "sh"]).arg(kernels.join(wanted.version)).current_dir(&scratch);
    stdout_of(&mut shell)?;
    fs::remove_dir_all(&scratch)?;
    Ok(())
}
