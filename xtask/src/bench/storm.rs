//! Exec storms: one process after another, as fast as one core allows.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

/// A program that does nothing. It is linked statically, so it also starts fast.
pub(crate) const TRUE: &[&str] = &["/bin/busybox", "true"];

/// Runs a program `count` times. This is `cargo xtask storm`: a process of its own is small, so
/// forking copies little.
pub(crate) fn run(count: u32, command: &[String]) -> Result<()> {
    let (program, args) = command
        .split_first()
        .context("no program to run: usage is `cargo xtask storm COUNT PROGRAM [ARG]...`")?;
    for _ in 0..count {
        let status = Command::new(program).args(args).status()?;
        ensure!(status.success(), "{program} ended with {status}");
    }
    Ok(())
}

/// Runs six storms at once, each of `count` programs with 32,000 arguments of one byte.
pub(crate) fn of_arguments(count: u32) -> Result<()> {
    let program = std::env::current_exe()?;
    let start = |_| {
        let mut storm = Command::new(&program);
        storm.args(["storm", &count.to_string()]).args(TRUE).args(vec!["x"; 32_000]);
        storm.spawn()
    };
    let storms: Vec<Child> = (0..6).map(start).collect::<Result<_, _>>()?;
    for mut storm in storms {
        let status = storm.wait()?;
        ensure!(status.success(), "a storm ended with {status}");
    }
    Ok(())
}

/// Runs a storm in a process of its own and returns how long it took.
pub(crate) fn timed(count: u32, marker: &str) -> Result<Duration> {
    // Makes the command line as long as that of a typical container.
    let filler = "x".repeat(200);
    let start = Instant::now();
    let mut storm = Command::new(std::env::current_exe()?);
    storm.args(["storm", &count.to_string()]).args(TRUE).args([marker, &filler]);
    let status = storm.status()?;
    ensure!(status.success(), "the storm ended with {status}");
    Ok(start.elapsed())
}
