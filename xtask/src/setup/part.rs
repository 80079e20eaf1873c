//! Programs of a Debian release, unpacked from its packages and not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::debian::Lists;
use super::step::Outcome;
use crate::run::{stdout_of, workspace_root};

/// Programs of a Debian release.
pub(super) struct Part {
    /// The name of its folder, in which the tests look for it.
    pub(super) name: &'static str,
    pub(super) release: &'static str,
    /// Lists of the packages with the programs and, if these need it, with their libraries.
    pub(super) packages: &'static [&'static [&'static str]],
    pub(super) programs: &'static [&'static str],
    /// Whether the programs need the libraries of their release, the C library too.
    pub(super) needs_own_libc: bool,
}

/// Where packages have programs.
const FOLDERS: [&str; 4] = ["usr/bin", "usr/sbin", "usr/lib/podman", "usr/lib/go-1.19/bin"];

/// The folder of the part with that name. Its programs are in `bin`.
pub(crate) fn folder(name: &str) -> PathBuf {
    workspace_root().join("target/parts").join(name)
}

/// Stores the programs of each part in `target/parts/NAME/bin`.
pub(super) fn ensure_all(parts: &[Part]) -> Result<Outcome> {
    let names = parts.iter().map(|part| part.name).collect::<Vec<_>>().join(" ");
    let missing: Vec<&Part> =
        parts.iter().filter(|part| !folder(part.name).join("bin").exists()).collect();
    if missing.is_empty() {
        return Ok(Outcome::Present(names));
    }
    for part in missing {
        part.fetch(&folder(part.name)).with_context(|| format!("cannot get {}", part.name))?;
    }
    Ok(Outcome::Installed(names))
}

impl Part {
    fn fetch(&self, folder: &Path) -> Result<()> {
        let packages = folder.join("packages");
        fs::create_dir_all(&packages)?;
        let lists = Lists::of_release(self.release, &folder.join("apt"))?;
        lists.download(&self.packages.concat(), &packages)?;
        let root = folder.join("root");
        let unpack =
            "for package in *.deb; do dpkg-deb --extract \"$package\" \"$1\" || exit; done";
        let mut shell = Command::new("sh");
        stdout_of(shell.args(["-c", unpack, "sh"]).arg(&root).current_dir(&packages))?;
        // The last step: setup takes the folder for a part that is complete.
        let unfinished = folder.join("bin.unfinished");
        fs::create_dir_all(&unfinished)?;
        for program in self.programs {
            let files = FOLDERS.map(|folder| root.join(folder).join(program));
            let file = files.iter().find_map(|file| file.canonicalize().ok());
            let file = file.with_context(|| format!("no package has {program}"))?;
            if self.needs_own_libc {
                use_own_libc(&file, &root)?;
            }
            std::os::unix::fs::symlink(&file, unfinished.join(program))?;
        }
        fs::rename(unfinished, folder.join("bin"))?;
        fs::remove_dir_all(&packages)?;
        fs::remove_dir_all(folder.join("apt")).map_err(Into::into)
    }
}

/// Folders of libraries; the second one in releases before `usr-is-merged`.
const LIBRARIES: [&str; 2] = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];

/// Has a program use the dynamic linker and the libraries below this root. A static program needs
/// neither.
fn use_own_libc(program: &Path, root: &Path) -> Result<()> {
    let patchelf = || Command::new("patchelf");
    if stdout_of(patchelf().arg("--print-interpreter").arg(program)).is_err() {
        return Ok(());
    }
    let folders = LIBRARIES.map(|folder| root.join(folder));
    let mut linkers = folders.iter().map(|folder| folder.join("ld-linux-x86-64.so.2"));
    let Some(linker) = linkers.find(|linker| linker.exists()) else {
        bail!("{} has no dynamic linker", root.display());
    };
    let path = folders.map(|folder| folder.display().to_string()).join(":");
    let mut change = patchelf();
    change.arg("--set-interpreter").arg(linker);
    // The libraries need each other, too: the path must count for them as well.
    change.args(["--force-rpath", "--set-rpath", &path]);
    stdout_of(change.arg(program)).map(drop)
}
