//! Runs one step of the setup, and prints a line about its result.

use std::time::Instant;

use anyhow::Result;

/// What a step found or did, in a few words.
pub(super) enum Outcome {
    Present(String),
    Installed(String),
}

/// Runs one step and prints a line about it.
pub(super) fn step(name: &str, action: impl FnOnce() -> Result<Outcome>) -> Result<()> {
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
