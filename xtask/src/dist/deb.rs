//! The Debian package. dpkg-deb packs a folder in which each file has the path that it will have in
//! the installed system.

mod scripts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::run::{stdout_of, workspace_root};

/// Path below `target/dist`, and path in the installed system.
const FILES: &[(&str, &str)] = &[
    ("completions/pfsnoop.bash", "usr/share/bash-completion/completions/pfsnoop"),
    ("completions/_pfsnoop", "usr/share/zsh/vendor-completions/_pfsnoop"),
    ("completions/pfsnoop.fish", "usr/share/fish/vendor_completions.d/pfsnoop.fish"),
];

/// The agent's service, disabled until somebody enables it.
const UNIT: &str = "pfsnoop-agent.service";

/// The pages of `docs/` that are not for people who use pfsnoop. All others are packed.
const OTHER_PAGES: &[&str] = &["ARCHITECTURE.md", "CONTRIBUTING.md", "article.md"];

const COPYRIGHT: &str = "\
pfsnoop is licensed under MIT (below) or Apache-2.0 (/usr/share/common-licenses/Apache-2.0), at
your choice; the kernel programs in it under MIT or GPL-2 (/usr/share/common-licenses/GPL-2).

";

/// Packs what is in `dist` and returns the package's path.
pub(super) fn build(dist: &Path, architecture: &str) -> Result<PathBuf> {
    let version = env!("CARGO_PKG_VERSION");
    let root = dist.join("deb");
    install(&dist.join("pfsnoop"), &root.join("usr/bin/pfsnoop"), "0755")?;
    for (from, to) in FILES {
        install(&dist.join(from), &root.join(to), "0644")?;
    }
    for page in fs::read_dir(dist.join("man"))? {
        let page = page?.path();
        let name = page.file_name().unwrap_or_default();
        compressed(&page, &root.join("usr/share/man/man1").join(name))?;
    }
    let unit = workspace_root().join("docs/deploy/systemd").join(UNIT);
    install(&unit, &root.join("usr/lib/systemd/system").join(UNIT), "0644")?;
    documents(&root.join("usr/share/doc/pfsnoop"))?;
    let folder = root.join("DEBIAN");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("control"), control(version, architecture))?;
    scripts::write(&folder)?;
    let package = dist.join(format!("pfsnoop_{version}_{architecture}.deb"));
    let mut pack = Command::new("dpkg-deb");
    stdout_of(pack.args(["--root-owner-group", "-Zxz", "--build"]).arg(&root).arg(&package))?;
    fs::remove_dir_all(&root)?;
    Ok(package)
}

fn documents(folder: &Path) -> Result<()> {
    let workspace = workspace_root();
    for page in fs::read_dir(workspace.join("docs"))? {
        let page = page?;
        let name = page.file_name();
        let is_for_users = !OTHER_PAGES.iter().any(|other| name == *other);
        if page.file_type()?.is_file() && is_for_users {
            install(&page.path(), &folder.join(name), "0644")?;
        }
    }
    compressed(&workspace.join("CHANGELOG.md"), &folder.join("changelog"))?;
    let licence = fs::read_to_string(workspace.join("LICENSE-MIT"))?;
    fs::write(folder.join("copyright"), format!("{COPYRIGHT}{licence}"))?;
    Ok(())
}

fn control(version: &str, architecture: &str) -> String {
    format!(
        "Package: pfsnoop\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: The pfsnoop authors <pfsnoop@localhost>\n\
         Section: admin\n\
         Priority: optional\n\
         Recommends: socat, util-linux\n\
         Homepage: {}\n\
         Description: see and make kubectl port-forwards on a node\n \
         Shows every nsenter and socat that kubectl port-forward starts on a Kubernetes or\n \
         Docker node, forwards ports in the same way or natively, and diagnoses what stops\n \
         a port-forward. An agent stores every port-forward, and exports metrics and traces.\n \
         The binary is static.\n",
        env!("CARGO_PKG_REPOSITORY")
    )
}

/// Copies a file and creates the folders above it.
fn install(from: &Path, to: &Path, mode: &str) -> Result<()> {
    stdout_of(Command::new("install").args(["-D", "-m", mode]).arg(from).arg(to)).map(drop)
}

/// Copies a file and compresses it, as Debian's policy asks: with the same bytes each time.
fn compressed(from: &Path, to: &Path) -> Result<()> {
    install(from, to, "0644")?;
    stdout_of(Command::new("gzip").args(["--best", "--no-name", "--force"]).arg(to)).map(drop)
}
