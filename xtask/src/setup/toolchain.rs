//! The compiler for the kernel programs: any Rust with the sources of its library. It is linked as a
//! rustup toolchain with a fixed name, so `tool/build.rs` does not depend on where it came from.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::packages;
use super::step::Outcome;
use crate::run::{find_program, stdout_of, succeeds};

/// The rustup toolchain that `tool/build.rs` asks for.
const NAME: &str = "pfsnoop-ebpf";

/// A nightly with LLVM 22, which the pinned bpf-linker reads. The fuzz targets need a nightly too.
pub(crate) const NIGHTLY: &str = "nightly-2026-05-20";

/// Debian 12's Rust 1.96 with its sources, also with LLVM 22.
const DEBIAN: &[&str] = &["rustc-web", "rust-web-src", "cargo-web"];

pub(super) fn ensure() -> Result<Outcome> {
    if find_program("rustup").is_none() {
        bail!("rustup is not in PATH; install it from https://rustup.rs, then run this again");
    }
    if let Ok(version) = usable() {
        return Ok(Outcome::Present(version));
    }
    let nightly = link_nightly();
    let debian = if nightly.is_ok() { Ok(()) } else { link_debian() };
    match (nightly, debian) {
        (Ok(()), _) | (_, Ok(())) => Ok(Outcome::Installed(usable()?)),
        (Err(nightly), Err(debian)) => bail!(
            "no compiler for the kernel programs. Install one of these and run this again:\n\
             - rustup toolchain install {NIGHTLY} --component rust-src   (tried: {nightly:#})\n\
             - apt-get install {}   (tried: {debian:#})",
            DEBIAN.join(" "),
        ),
    }
}

/// Makes sure that the nightly itself is there.
pub(super) fn ensure_nightly() -> Result<Outcome> {
    if let Ok(version) = stdout_of(rustc(NIGHTLY).arg("--version")) {
        return Ok(Outcome::Present(version.trim().to_owned()));
    }
    stdout_of(&mut rustup(&["toolchain", "install", NIGHTLY, "--profile", "minimal"]))?;
    Ok(Outcome::Installed(NIGHTLY.to_owned()))
}

/// The version of the linked toolchain, if it exists and has the library's sources.
fn usable() -> Result<String> {
    let sysroot = stdout_of(rustc(NAME).args(["--print", "sysroot"]))?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core/src/lib.rs");
    if !library.is_file() {
        bail!("{} is missing", library.display());
    }
    Ok(stdout_of(rustc(NAME).arg("--version"))?.trim().to_owned())
}

fn link_nightly() -> Result<()> {
    let mut install = rustup(&["toolchain", "install", NIGHTLY, "--profile", "minimal"]);
    stdout_of(install.args(["--component", "rust-src"]))?;
    let sysroot = stdout_of(rustc(NIGHTLY).args(["--print", "sysroot"]))?;
    link(sysroot.trim())
}

fn link_debian() -> Result<()> {
    packages::apt_install(DEBIAN)?;
    link("/usr")
}

fn link(sysroot: &str) -> Result<()> {
    // A link to a removed toolchain makes `link` fail. Removing a link that does not exist does no harm.
    succeeds(&mut rustup(&["toolchain", "uninstall", NAME]));
    stdout_of(&mut rustup(&["toolchain", "link", NAME, sysroot]))
        .with_context(|| format!("cannot link {sysroot} as {NAME}"))?;
    usable().map(drop)
}

fn rustup(args: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(args);
    command
}

fn rustc(toolchain: &str) -> Command {
    rustup(&["run", toolchain, "rustc"])
}
