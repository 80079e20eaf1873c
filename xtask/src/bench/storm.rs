//! Exec storms: one process after another, as fast as one core can.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

/// A program that does nothing, linked so that its start is almost nothing too.
pub(crate) const TRUE: &[&str] = &["/bin/busybox", "true"];

/// Runs a program so many times; `cargo xtask storm`, in a process of its own, so that forking
/// copies little.
pub(crate) fn run(count: u32, command: &[String]) -> Result<()> {
    let (program, args) = command.split_first().context("a storm of what?")?;
    for _ in 0..count {
        let status = Command::new(program).args(args).status()?;
        ensure!(status.success(), "{program} ended with {status}");
    }
    Ok(())
}

/// A storm in a process of its own; returns how long it took.
pub(crate) fn timed(count: u32, marker: &str) -> Result<Duration> {
    // As long as command lines of containers are.
    let filler = "x".repeat(200);
    let start = Instant::now();
    let mut storm = Command::new(std::env::current_exe()?);
    storm.args(["storm", &count.to_string()]).args(TRUE).args([marker, &filler]);
    let status = storm.status()?;
    ensure!(status.success(), "the storm ended with {status}");
    Ok(start.elapsed())
}
