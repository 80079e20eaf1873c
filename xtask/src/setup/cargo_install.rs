//! Development tools that are crates themselves.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::step::Outcome;
use crate::run::stdout_of;

/// Makes sure that this version of a crate's program, of the same name, is installed.
pub(super) fn ensure(name: &str, version: &str) -> Result<Outcome> {
    if stdout_of(Command::new(name).arg("--version")).is_ok_and(|out| out.contains(version)) {
        return Ok(Outcome::Present(version.to_owned()));
    }
    let mut install = Command::new("cargo");
    install.args(["install", name, "--version", version, "--locked", "--force"]);
    // The cargo alias that runs xtask sets variables for this workspace, which do not concern the tool.
    install.env_remove("CARGO_TARGET_DIR").current_dir("/");
    stdout_of(&mut install).with_context(|| format!("cannot install {name} {version}"))?;
    Ok(Outcome::Installed(version.to_owned()))
}
