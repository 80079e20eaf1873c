//! `cargo xtask setup`: from a machine with rustup and a C linker to one that builds, runs and
//! tests pfsnoop. Each step looks first, acts only when something is missing, and prints its time.

mod kernels;
mod linker;
mod packages;
mod toolchain;

use std::time::Instant;

use anyhow::Result;

/// Everything: to build, to run and to test.
pub(crate) fn everything() -> Result<()> {
    to_run()?;
    step("packages for the tests", || packages::ensure(packages::TEST))?;
    step("kernels for the tests", kernels::ensure)
}

/// What the build and the demo need.
pub(crate) fn to_run() -> Result<()> {
    step("packages for a forward", || packages::ensure(packages::RUN))?;
    step("eBPF compiler", toolchain::ensure)?;
    step("bpf-linker", linker::ensure)
}

/// What a step found or did, in a few words.
enum Outcome {
    Present(String),
    Installed(String),
}

/// Runs one step and prints a line about it.
fn step(name: &str, action: impl FnOnce() -> Result<Outcome>) -> Result<()> {
    let start = Instant::now();
    let outcome = action()?;
    let seconds = start.elapsed().as_secs_f32();
    let (verb, what) = match outcome {
        Outcome::Present(what) => ("present", what),
        Outcome::Installed(what) => ("installed", what),
    };
    println!("setup: {name:<24} {verb:<9} {seconds:>6.1} s  {what}");
    Ok(())
}
