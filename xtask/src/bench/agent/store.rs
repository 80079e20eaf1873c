//! The store alone: the agent's writer fills it, and `history` reads it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::bench::stats::percentile;
use crate::dist;

/// What the writer took.
pub(super) struct Filled {
    pub(super) per_second: f64,
    pub(super) dropped: u64,
    pub(super) first_mib: f64,
    pub(super) last_mib: f64,
}

/// Fills a store through the agent's writer, in a process of its own.
pub(super) fn fill(store: &Path, sessions: u64) -> Result<Filled> {
    let load = dist::build_example("store-load")?;
    let output = Command::new(load).arg(store).arg(sessions.to_string()).output()?;
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "store-load failed: {err}");
    // `N sessions in S s, D dropped`
    let words: Vec<&str> = out.split_whitespace().collect();
    let number = |n: usize| words.get(n).and_then(|word| word.parse::<f64>().ok());
    let mut memory = err.lines().filter_map(|line| line.rsplit(' ').nth(1)?.parse::<f64>().ok());
    let mut mib = || memory.next().context("no memory").map(|kib| kib / 1024.0);
    Ok(Filled {
        per_second: number(0).zip(number(3)).context("no time")?.0 / number(3).unwrap_or(1.0),
        dropped: words.get(5).and_then(|word| word.parse().ok()).context("no drops")?,
        first_mib: mib()?,
        last_mib: mib()?,
    })
}

/// Bytes of the file for each of its sessions.
pub(super) fn bytes_per_session(store: &Path, sessions: u64) -> Result<f64> {
    Ok(fs::metadata(store)?.len() as f64 / sessions as f64)
}

/// The median time of `pfsnoop history`, in ms.
pub(super) fn time_history(store: &Path, args: &[&str], rounds: usize) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        let mut history = Command::new(dist::binary());
        history.args(["history", "-o", "json", "--store"]).arg(store).args(args);
        let status = history.stdout(Stdio::null()).status()?;
        ensure!(status.success(), "history failed");
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(percentile(&times, 50.0))
}
