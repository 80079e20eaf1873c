//! System packages, by apt where the machine has it.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::step::Outcome;
use crate::run::{find_program, quiet};

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

/// Peers to compare with and parts that the tests start themselves.
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
];

/// Installs the packages of those programs that are not in `PATH`.
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

/// Where Debian keeps programs that are not in every root's `PATH`, or in nobody's.
const BESIDE_PATH: [&str; 2] = ["/usr/sbin", "/usr/lib/cni"];

/// By program, not by package: any way of having installed it will do. The Docker client is one
/// that machines often have without its daemon.
fn is_installed(needed: &Needed) -> bool {
    let is_there = |dir: &str| std::path::Path::new(dir).join(needed.program).is_file();
    find_program(needed.program).is_some() || BESIDE_PATH.into_iter().any(is_there)
}

/// `apt-get install`, after an update when the lists do not know the packages yet.
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

/// `apt-get update`.
pub(super) fn update() -> Result<()> {
    apt_get(&["update"]).context("`apt-get update` failed; check the package sources").map(drop)
}

fn install(packages: &[&str]) -> Result<String> {
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

fn apt_get(args: &[&str]) -> Result<String> {
    let mut command = Command::new("apt-get");
    // Packages that start a service on installation must not start one here: policy-rc.d would
    // need a file on the system, RUNLEVEL=1 tells invoke-rc.d the same and leaves nothing.
    quiet(command.args(args).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1"))
}
