//! System packages, installed with apt.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::services;
use super::step::Outcome;
use crate::run::{find_program, stdout_of};

/// A program and the Debian package that holds it.
pub(crate) struct Needed {
    program: &'static str,
    package: &'static str,
}

const fn needed(program: &'static str, package: &'static str) -> Needed {
    Needed { program, package }
}

/// What `pfsnoop forward` and `pfsnoop demo` spawn.
pub(crate) const RUN: &[Needed] = &[needed("nsenter", "util-linux"), needed("socat", "socat")];

/// What the pictures of the documentation show sessions of: a server in a network namespace.
pub(crate) const SCREENSHOTS: &[Needed] = &[
    needed("bash", "bash"),
    needed("busybox", "busybox-static"),
    needed("ip", "iproute2"),
    needed("unshare", "util-linux"),
];

/// The C++ compiler that libFuzzer is built with.
pub(crate) const FUZZ: &[Needed] = &[needed("g++", "g++")];

/// Peers for the benchmarks, and daemons, servers, clients and programs that the tests start.
pub(crate) const TEST: &[Needed] = &[
    needed("execsnoop", "libbpf-tools"),
    needed("busybox", "busybox-static"),
    needed("dockerd", "docker.io"),
    needed("containerd", "containerd"),
    needed("host-local", "containernetworking-plugins"),
    needed("iptables", "iptables"),
    needed("curl", "curl"),
    needed("setpriv", "util-linux"),
    needed("ip", "iproute2"),
    needed("qemu-system-x86_64", "qemu-system-x86"),
    needed("cpio", "cpio"),
    needed("bpftrace", "bpftrace"),
    needed("bpftool", "bpftool"),
    needed("strace", "strace"),
    needed("systemd-analyze", "systemd"),
    needed("patchelf", "patchelf"),
    needed("python3", "python3"),
    needed("node", "nodejs"),
    needed("npm", "npm"),
    needed("postgres", "postgresql"),
    needed("psql", "postgresql-client"),
    needed("openssl", "openssl"),
    needed("prometheus", "prometheus"),
    needed("promtool", "prometheus"),
    needed("redis-server", "redis-server"),
    needed("redis-cli", "redis-tools"),
    needed("sshd", "openssh-server"),
    needed("ssh", "openssh-client"),
];

/// What unpacks the sources of Kubernetes.
pub(crate) const ARTICLE: &[Needed] = &[needed("dpkg-source", "dpkg-dev")];

/// Installs the package of each program that is missing.
pub(super) fn ensure(wanted: &[Needed]) -> Result<Outcome> {
    let missing: Vec<&str> =
        wanted.iter().filter(|needed| !is_installed(needed)).map(|needed| needed.package).collect();
    if missing.is_empty() {
        let names: Vec<&str> = wanted.iter().map(|needed| needed.program).collect();
        return Ok(Outcome::Present(names.join(" ")));
    }
    apt_install(&missing)?;
    Ok(Outcome::Installed(missing.join(" ")))
}

/// Folders of Debian's programs that a `PATH` often lacks.
const BESIDE_PATH: [&str; 2] = ["/usr/sbin", "/usr/lib/cni"];

/// Debian's versions of PostgreSQL have their servers in folders of their own.
const POSTGRESQL: &str = "/usr/lib/postgresql";

/// Looks for the program and not for the package, since it may have been installed in another way.
/// For Docker the program is the daemon: machines often have the client without it.
fn is_installed(needed: &Needed) -> bool {
    let versions = std::fs::read_dir(POSTGRESQL).into_iter().flatten().flatten();
    let folders = BESIDE_PATH.into_iter().map(PathBuf::from);
    let mut folders = folders.chain(versions.map(|version| version.path().join("bin")));
    find_program(needed.program).is_some()
        || folders.any(|folder| folder.join(needed.program).is_file())
}

/// Runs `apt-get install`, and once more after an update if the lists do not know the packages yet.
pub(super) fn apt_install(packages: &[&str]) -> Result<()> {
    if find_program("apt-get").is_none() {
        bail!(
            "this machine has no apt-get; install with its own package manager: {}",
            packages.join(" ")
        );
    }
    if install(packages).is_err() {
        update()?;
        install(packages)
            .with_context(|| format!("install by hand: apt-get install {}", packages.join(" ")))?;
    }
    Ok(())
}

/// Runs `apt-get update`.
pub(super) fn update() -> Result<()> {
    apt_get(&["update"]).context("`apt-get update` failed; check the package sources").map(drop)
}

fn install(packages: &[&str]) -> Result<()> {
    let _none_starts = services::NoneStarts::begin()?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())?;
    services::disable(packages);
    Ok(())
}

fn apt_get(args: &[&str]) -> Result<String> {
    let mut command = Command::new("apt-get");
    stdout_of(command.args(args).env("DEBIAN_FRONTEND", "noninteractive"))
}
