//! From an exec to the line about it.

use std::io::{Read as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::time::{ClockId, clock_gettime};

use super::tracer::Running;

/// How long we wait for a line before we call the exec missed.
const PATIENCE: Duration = Duration::from_secs(2);

/// Milliseconds from just before a process calls exec to its line being read, for each of so many
/// processes, with a pause between them.
pub(crate) fn samples(tracer: &Running, program: &str, count: u32) -> Result<Vec<f64>> {
    (0..count).map(|n| sample(tracer, program, n)).collect()
}

fn sample(tracer: &Running, program: &str, n: u32) -> Result<f64> {
    let marker = format!("latency-{n}-mark");
    let (mut reader, writer) = pipe()?;
    let mut command = Command::new(program);
    command.args(["--version", &marker]).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec it reads a clock and writes eight bytes to a pipe.
    unsafe {
        command.pre_exec(move || {
            let now = monotonic_ns().to_ne_bytes();
            rustix::io::write(&writer, &now).map(drop).map_err(Into::into)
        });
    }
    let deadline = Instant::now() + PATIENCE;
    let mut child = command.spawn()?;
    let mut exec_at = [0; 8];
    reader.read_exact(&mut exec_at)?;
    let latency = loop {
        let Some(line) = tracer.next_line(deadline.saturating_duration_since(Instant::now()))
        else {
            bail!("the exec with {marker} was not shown");
        };
        if line.text.contains(&marker) {
            break line.at_ns.saturating_sub(u64::from_ne_bytes(exec_at)) as f64 / 1e6;
        }
    };
    child.wait()?;
    // An odd pause, so that no tracer's timer keeps step with it.
    std::thread::sleep(Duration::from_micros(17_300 + u64::from(n % 7) * 1100));
    Ok(latency)
}

/// `CLOCK_MONOTONIC`, which two processes share.
pub(crate) fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let nanoseconds = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec);
    u64::try_from(nanoseconds).unwrap_or(0)
}
