//! Newer versions of what a forward runs through, for the tests: unpacked from newer Debian releases, and
//! not installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::debian::Lists;
use super::step::Outcome;
use crate::run::{find_program, stdout_of, workspace_root};

/// Programs of a Debian release.
struct Part {
    /// The name of its folder, in which the tests look for it.
    name: &'static str,
    release: &'static str,
    /// The packages with the programs and, if these need it, with their C library.
    packages: &'static [&'static str],
    programs: &'static [&'static str],
    /// Whether the programs need the C library of their release.
    needs_own_libc: bool,
}

/// socat and nsenter, and the libraries of both.
const HELPERS: &[&str] = &[
    "socat",
    "util-linux",
    "libc6",
    "libssl3t64",
    "libwrap0",
    "libselinux1",
    "libpcre2-8-0",
    "libtirpc3t64",
    "libzstd1",
    "zlib1g",
];

/// dockerd, its client, and the containerd that it starts.
const DOCKER: &[&str] = &["docker.io", "docker-cli", "containerd"];
const DOCKER_PROGRAMS: &[&str] = &["dockerd", "docker", "containerd", "containerd-shim-runc-v2"];

/// socat 1.8.0 and nsenter 2.41, socat 1.8.1 and nsenter 2.42, containerd 1.7 and 2.1, Docker 26 and 28.
const PARTS: &[Part] = &[
    Part {
        name: "helpers-trixie",
        release: "trixie",
        packages: HELPERS,
        programs: &["socat", "nsenter"],
        needs_own_libc: true,
    },
    Part {
        name: "helpers-forky",
        release: "forky",
        packages: HELPERS,
        programs: &["socat", "nsenter"],
        needs_own_libc: true,
    },
    Part {
        name: "containerd-trixie",
        release: "trixie",
        packages: &["containerd"],
        programs: &["containerd", "containerd-shim-runc-v2"],
        needs_own_libc: false,
    },
    Part {
        name: "containerd-forky",
        release: "forky",
        packages: &["containerd"],
        programs: &["containerd", "containerd-shim-runc-v2"],
        needs_own_libc: false,
    },
    Part {
        name: "docker-trixie",
        release: "trixie",
        packages: DOCKER,
        programs: DOCKER_PROGRAMS,
        needs_own_libc: false,
    },
    Part {
        name: "docker-forky",
        release: "forky",
        packages: DOCKER,
        programs: DOCKER_PROGRAMS,
        needs_own_libc: false,
    },
];

/// Stores the programs of each part in `target/parts/NAME/bin`.
pub(super) fn ensure() -> Result<Outcome> {
    let parts = workspace_root().join("target/parts");
    let names = PARTS.iter().map(|part| part.name).collect::<Vec<_>>().join(" ");
    ensure_busybox(&parts.join(BUSYBOX).join("bin"))?;
    let missing: Vec<&Part> =
        PARTS.iter().filter(|part| !parts.join(part.name).join("bin").exists()).collect();
    if missing.is_empty() {
        return Ok(Outcome::Present(names));
    }
    for part in missing {
        let folder = parts.join(part.name);
        part.fetch(&folder).with_context(|| format!("cannot get {}", part.name))?;
    }
    Ok(Outcome::Installed(names))
}

/// The nsenter of busybox, beside the system's socat.
const BUSYBOX: &str = "helpers-busybox";

fn ensure_busybox(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for (name, program) in [("nsenter", "busybox"), ("socat", "socat")] {
        let link = folder.join(name);
        let program = find_program(program).with_context(|| format!("{program} is missing"))?;
        if !link.exists() {
            std::os::unix::fs::symlink(program, link)?;
        }
    }
    Ok(())
}

impl Part {
    fn fetch(&self, folder: &Path) -> Result<()> {
        let packages = folder.join("packages");
        fs::create_dir_all(&packages)?;
        let lists = Lists::of_release(self.release, &folder.join("apt"))?;
        for package in self.packages {
            lists.download(package, &packages)?;
        }
        let root = folder.join("root");
        let unpack =
            "for package in *.deb; do dpkg-deb --extract \"$package\" \"$1\" || exit; done";
        let mut shell = Command::new("sh");
        stdout_of(shell.args(["-c", unpack, "sh"]).arg(&root).current_dir(&packages))?;
        // The last step: setup takes the folder for a part that is complete.
        let unfinished = folder.join("bin.unfinished");
        fs::create_dir_all(&unfinished)?;
        for program in self.programs {
            let files = ["usr/bin", "usr/sbin"].map(|folder| root.join(folder).join(program));
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

/// Has a program use the dynamic linker and the libraries below this root.
fn use_own_libc(program: &Path, root: &Path) -> Result<()> {
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    let linkers = [libraries.clone(), root.join("usr/lib64")];
    let linker = linkers.iter().map(|folder| folder.join("ld-linux-x86-64.so.2"));
    let Some(linker) = linker.into_iter().find(|linker| linker.exists()) else {
        bail!("{} has no dynamic linker", root.display());
    };
    let mut patchelf = Command::new("patchelf");
    patchelf.arg("--set-interpreter").arg(linker);
    // The libraries need each other, too: the path must count for them as well.
    patchelf.arg("--force-rpath").arg("--set-rpath").arg(libraries);
    stdout_of(patchelf.arg(program)).map(drop)
}
