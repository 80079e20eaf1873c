//! `cargo xtask dist`: builds what is shipped into `target/dist`: the binary, which is linked
//! statically, its man pages and completions, a Debian package with all of them and the agent's
//! service, a container image with the binary alone, and the hashes of these files.

mod checksums;
mod deb;
mod image;
mod sha256;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::run::{cargo, run_visibly, stdout_of, target_dir, workspace_root};
use crate::setup;

/// The binary's size must stay below this many bytes.
const SIZE_LIMIT: u64 = 16_000_000;

/// Static, and still at a random address. The addresses in the binary's data must then be adjusted at
/// each start. Packed, their list takes 6 KB instead of 490 KB, which each process would read.
const RUSTFLAGS: &str = "-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs";

pub(crate) fn run() -> Result<()> {
    setup::to_run()?;
    let dist = target_dir().join("dist");
    // An earlier version may have left pages that this one does not have.
    let _ = fs::remove_dir_all(&dist);
    fs::create_dir_all(&dist)?;
    let binary = dist.join("pfsnoop");
    let len = fs::copy(build_binary()?, &binary).context("cannot copy the binary")?;
    anyhow::ensure!(
        len < SIZE_LIMIT,
        "the binary has grown to {len} bytes; the limit is {SIZE_LIMIT}"
    );
    run_visibly(
        cargo(&["run", "--quiet", "--package", "pfsnoop", "--example", "pages"]).arg(&dist),
    )?;
    let architecture = stdout_of(Command::new("dpkg").arg("--print-architecture"))
        .context("the Debian package is built with dpkg-deb, which is not installed")?;
    let package = deb::build(&dist, architecture.trim())?;
    let image = image::build(&dist, architecture.trim())?;
    let checksums = checksums::write(&dist, &[&binary, &package, &image])?;
    for file in [&binary, &package, &image, &checksums] {
        println!("dist: {:>8} bytes  {}", fs::metadata(file)?.len(), file.display());
    }
    Ok(())
}

/// The static binary that is shipped, once [`build_binary`] has built it. This build has its own
/// target folder: its different flags would make cargo rebuild everything each time.
pub(crate) fn binary() -> PathBuf {
    static_dir().join(triple()).join("dist/pfsnoop")
}

/// Builds the static binary and returns its path.
pub(crate) fn build_binary() -> Result<PathBuf> {
    let mut build = cargo(&["build", "--quiet", "--profile", "dist", "--package", "pfsnoop"]);
    build.args(["--bin", "pfsnoop", "--target", &triple(), "--target-dir"]).arg(static_dir());
    run_visibly(build.env("RUSTFLAGS", RUSTFLAGS))?;
    Ok(binary())
}

/// Builds an example in the same way, and returns its path.
pub(crate) fn build_example(name: &str) -> Result<PathBuf> {
    let mut build = cargo(&["build", "--quiet", "--profile", "dist", "--package", "pfsnoop"]);
    build.args(["--example", name, "--target", &triple(), "--target-dir"]).arg(static_dir());
    run_visibly(build.env("RUSTFLAGS", RUSTFLAGS))?;
    Ok(static_dir().join(triple()).join("dist/examples").join(name))
}

fn static_dir() -> PathBuf {
    workspace_root().join("target/static")
}

fn triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}
