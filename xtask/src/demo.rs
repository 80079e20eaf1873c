//! `cargo xtask demo`: the main job on a machine that has nothing yet.

use anyhow::Result;

use crate::run::{cargo, shown, target_dir};
use crate::setup;

pub(crate) fn run(args: &[String]) -> Result<()> {
    setup::to_run()?;
    shown(&mut cargo(&["build", "--release", "--package", "pfsnoop"]))?;
    let mut demo = std::process::Command::new(target_dir().join("release/pfsnoop"));
    shown(demo.arg("demo").args(args))
}
