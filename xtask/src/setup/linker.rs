//! bpf-linker: makes one BPF object of LLVM bitcode.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::Outcome;
use crate::run::quiet;

/// The newest version that takes its LLVM (22) from the Rust toolchain that builds it; later ones
/// want an LLVM of their own on the machine.
const VERSION: &str = "0.10.4";

pub(super) fn ensure() -> Result<Outcome> {
    if quiet(Command::new("bpf-linker").arg("--version")).is_ok_and(|out| out.contains(VERSION)) {
        return Ok(Outcome::Present(VERSION.to_owned()));
    }
    let mut install = Command::new("cargo");
    install.args(["install", "bpf-linker", "--version", VERSION, "--locked", "--force"]);
    // The cargo alias that runs us sets variables for this workspace; they are not bpf-linker's.
    install.env_remove("CARGO_TARGET_DIR").current_dir("/");
    quiet(&mut install).context("cannot install bpf-linker")?;
    Ok(Outcome::Installed(VERSION.to_owned()))
}
