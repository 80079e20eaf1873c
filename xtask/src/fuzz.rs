//! `cargo xtask fuzz`: the fuzz targets of `tool/fuzz`, each for a number of inputs.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::run::{run_visibly, stdout_of, target_dir, workspace_root};
use crate::setup;

/// Longest input, bytes. The parsers read no more than a few KiB that depend on each other.
const MAX_LEN: usize = 4096;

/// An input that takes longer than this is a failure, seconds.
const INPUT_TIMEOUT: u32 = 10;

/// Runs these targets, or all of them, with so many inputs each.
pub(crate) fn run(targets: &[String], runs: u64) -> Result<()> {
    setup::to_fuzz()?;
    let all = stdout_of(&mut cargo_fuzz(&["list"]))?;
    let all: Vec<&str> = all.lines().collect();
    if let Some(unknown) = targets.iter().find(|target| !all.contains(&target.as_str())) {
        bail!("there is no target {unknown}; the targets are {}", all.join(", "));
    }
    let is_wanted =
        |target: &&&str| targets.is_empty() || targets.iter().any(|one| one == **target);
    let wanted: Vec<&str> = all.iter().filter(is_wanted).copied().collect();
    let mut lines = Vec::new();
    for target in wanted {
        let start = Instant::now();
        run_visibly(&mut fuzzing(target, runs)?)?;
        lines.push(format!("{target}: {runs} inputs in {} s", start.elapsed().as_secs()));
    }
    println!("No input made a target fail.\n{}", lines.join("\n"));
    Ok(())
}

/// The command that fuzzes a target. What it learns stays in the target folder for the next run.
fn fuzzing(target: &str, runs: u64) -> Result<Command> {
    let learned = target_dir().join("fuzz-corpus").join(target);
    let failed = target_dir().join("fuzz-failures").join(target);
    for folder in [&learned, &failed] {
        std::fs::create_dir_all(folder)?;
    }
    let mut command = cargo_fuzz(&["run"]);
    command.args(["--sanitizer", "none"]);
    command.arg("--target-dir").arg(target_dir().join("fuzz")).arg(target).arg(learned);
    let seeds = fuzz_dir().join("seeds").join(target);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    command.args(["--", &format!("-runs={runs}"), &format!("-max_len={MAX_LEN}")]);
    command.arg(format!("-timeout={INPUT_TIMEOUT}"));
    command.arg(format!("-artifact_prefix={}/", failed.display()));
    Ok(command)
}

fn fuzz_dir() -> PathBuf {
    workspace_root().join("tool/fuzz")
}

/// cargo-fuzz with the nightly compiler of the kernel programs. The targets have no `unsafe` code, so a
/// sanitizer would only make them slower; debug assertions and overflow checks are on.
fn cargo_fuzz(args: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", setup::NIGHTLY, "cargo", "fuzz"]).args(args);
    command.arg("--fuzz-dir").arg(fuzz_dir());
    command.current_dir(workspace_root());
    // The cargo that runs xtask sets these for its own compiler.
    command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO_TARGET_DIR");
    command
}
