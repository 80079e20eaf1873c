//! `cargo xtask dist`: what is shipped, in `target/dist`: the binary, which needs no library, its
//! man pages and completions, and a Debian package of all of it.

mod deb;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::run::{cargo, shown, target_dir, workspace_root};
use crate::setup;

/// What it is to be smaller than, bytes.
const MOST: u64 = 8_000_000;

pub(crate) fn run() -> Result<()> {
    setup::to_run()?;
    let dist = target_dir().join("dist");
    // Of an earlier version there may be pages that this one does not have.
    let _ = fs::remove_dir_all(&dist);
    fs::create_dir_all(&dist)?;
    let binary = dist.join("pfsnoop");
    let len = fs::copy(build_binary()?, &binary).context("cannot copy the binary")?;
    anyhow::ensure!(len < MOST, "the binary has grown to {len} bytes; {MOST} are the limit");
    shown(cargo(&["run", "--quiet", "--package", "pfsnoop", "--example", "pages"]).arg(&dist))?;
    let package = deb::build(&dist)?;
    for file in [&binary, &package] {
        println!("dist: {:>8} bytes  {}", fs::metadata(file)?.len(), file.display());
    }
    Ok(())
}

/// The static binary that is shipped, once [`build_binary`] has built it. Its build has a folder of its
/// own, so that flags which differ do not make cargo build everything anew each time.
pub(crate) fn binary() -> PathBuf {
    static_dir().join(triple()).join("dist/pfsnoop")
}

/// Builds it; returns where it is.
pub(crate) fn build_binary() -> Result<PathBuf> {
    let mut build = cargo(&["build", "--quiet", "--profile", "dist", "--package", "pfsnoop"]);
    build.args(["--bin", "pfsnoop", "--target", &triple(), "--target-dir"]).arg(static_dir());
    shown(build.env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    Ok(binary())
}

fn static_dir() -> PathBuf {
    workspace_root().join("target/static")
}

fn triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}
