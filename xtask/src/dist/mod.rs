//! `cargo xtask dist`: what is shipped, in `target/dist`: the binary, which needs no library, its
//! man pages and completions, and a Debian package of all of it.

mod deb;

use std::fs;
use std::path::Path;

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
    build(&binary)?;
    shown(cargo(&["run", "--quiet", "--package", "pfsnoop", "--example", "pages"]).arg(&dist))?;
    let package = deb::build(&dist)?;
    for file in [&binary, &package] {
        println!("dist: {:>8} bytes  {}", fs::metadata(file)?.len(), file.display());
    }
    Ok(())
}

/// The static binary. Its build has a folder of its own, so that flags which differ do not make
/// cargo build everything anew each time.
fn build(binary: &Path) -> Result<()> {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let target = workspace_root().join("target/static");
    let mut build = cargo(&["build", "--quiet", "--profile", "dist", "--package", "pfsnoop"]);
    build.args(["--bin", "pfsnoop", "--target", &triple, "--target-dir"]).arg(&target);
    shown(build.env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    let built = target.join(triple).join("dist/pfsnoop");
    let len =
        fs::copy(&built, binary).with_context(|| format!("cannot copy {}", built.display()))?;
    anyhow::ensure!(len < MOST, "the binary has grown to {len} bytes; {MOST} are the limit");
    Ok(())
}
