//! `cargo xtask demo`: the main job on a machine that has nothing yet.

use anyhow::Result;

use crate::run::{cargo, shown, workspace_root};
use crate::setup;

pub(crate) fn run(args: &[String]) -> Result<()> {
    setup::to_run()?;
    shown(&mut cargo(&["build", "--release", "--package", "pfsnoop"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace_root().join("target"), std::path::PathBuf::from);
    let mut demo = std::process::Command::new(target.join("release/pfsnoop"));
    shown(demo.arg("demo").args(args))
}
