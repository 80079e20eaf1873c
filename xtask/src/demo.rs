//! `cargo xtask demo`: from a machine that has nothing yet to a forwarded port.

use std::path::PathBuf;

use anyhow::Result;

use crate::run::{cargo, run_visibly, target_dir};
use crate::setup;

pub(crate) fn run(args: &[String]) -> Result<()> {
    setup::to_run()?;
    let mut demo = std::process::Command::new(build()?);
    run_visibly(demo.arg("demo").args(args))
}

/// Builds with the dev profile, which is the fastest from nothing: it shares proc macros and other
/// dependencies with xtask, and has no link-time optimisation. Returns the binary's path.
pub(crate) fn build() -> Result<PathBuf> {
    run_visibly(&mut cargo(&["build", "--package", "pfsnoop"]))?;
    Ok(target_dir().join("debug/pfsnoop"))
}
