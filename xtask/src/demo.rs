//! `cargo xtask demo`: from a machine that has nothing yet to a forwarded port.

use anyhow::Result;

use crate::run::{cargo, run_visibly, target_dir};
use crate::setup;

/// Builds with the dev profile, which is the fastest from nothing: it shares proc macros and other
/// dependencies with xtask, and has no link-time optimisation.
pub(crate) fn run(args: &[String]) -> Result<()> {
    setup::to_run()?;
    run_visibly(&mut cargo(&["build", "--package", "pfsnoop"]))?;
    let mut demo = std::process::Command::new(target_dir().join("debug/pfsnoop"));
    run_visibly(demo.arg("demo").args(args))
}
