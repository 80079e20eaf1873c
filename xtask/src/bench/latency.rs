//! The time from an exec to the tracer's line about it.

use std::io::{Read as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::clock::monotonic_ns;
use super::tracer::Running;

/// Without a line after this time, the tracer has missed the exec.
const LINE_TIMEOUT: Duration = Duration::from_secs(2);

/// Starts `count` processes, one after another with a pause between them. Returns for each the
/// milliseconds from just before its call of exec until its line is read.
pub(crate) fn samples(tracer: &Running, program: &str, count: u32) -> Result<Vec<f64>> {
    (0..count).map(|n| sample(tracer, program, n)).collect()
}

fn sample(tracer: &Running, program: &str, n: u32) -> Result<f64> {
    let marker = format!("latency-{n}-mark");
    let (mut reader, writer) = pipe()?;
    let mut command = Command::new(program);
    command.args(["--version", &marker]).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec the closure reads a clock and writes eight bytes to a pipe.
    unsafe {
        command.pre_exec(move || {
            let now = monotonic_ns().to_ne_bytes();
            rustix::io::write(&writer, &now).map(drop).map_err(Into::into)
        });
    }
    let deadline = Instant::now() + LINE_TIMEOUT;
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
    // An uneven pause, so that the execs do not fall into step with a tracer's timer.
    std::thread::sleep(Duration::from_micros(17_300 + u64::from(n % 7) * 1100));
    Ok(latency)
}
