//! `cargo xtask demo`: from a machine that has nothing yet to a forwarded port.

use anyhow::Result;

use crate::run::{cargo, run_visibly, target_dir};
use crate::setup;

pub(crate) fn run(args: &[String]) -> Result<()> {
    setup::to_run()?;
    run_visibly(&mut cargo(&["build", "--release", "--package", "pfsnoop"]))?;
    let mut demo = std::process::Command::new(target_dir().join("release/pfsnoop"));
    run_visibly(demo.arg("demo").args(args))
}
