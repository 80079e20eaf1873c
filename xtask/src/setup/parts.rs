//! Newer versions of what a forward runs through, for the tests: unpacked from newer Debian releases, and
//! not installed.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::part::{self, Part};
use super::step::Outcome;
use crate::run::find_program;

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
    ensure_busybox(&part::folder(BUSYBOX).join("bin"))?;
    part::ensure_all(PARTS)
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
