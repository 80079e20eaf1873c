//! A daemon of the node.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::progress::progress;
use super::wait::eventually;

/// Bounds how long a daemon takes until it answers.
const START_TIMEOUT: Duration = Duration::from_mins(2);
/// An error quotes this much of the log.
const LOG_LINES: usize = 15;

/// A running daemon. The guard of the node ends it.
pub(super) struct Daemon {
    name: &'static str,
    child: Child,
}

impl Daemon {
    /// Starts a daemon that is found in `PATH`.
    pub(super) fn start(name: &'static str, args: &[&str]) -> Result<Self> {
        progress(&format!("start {name}"));
        let log = File::create(log(name))?;
        let mut command = Command::new(name);
        command.args(args).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| name.to_owned())?;
        Ok(Self { name, child })
    }

    /// Waits for an answer.
    pub(super) fn wait_for<T>(&mut self, what: &str, ask: impl Fn() -> Option<T>) -> Result<T> {
        let name = self.name;
        let answer = eventually(what, START_TIMEOUT, || {
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} ended with {status}");
            }
            Ok(ask())
        });
        answer.with_context(|| format!("the last lines of {name}:\n{}", last_lines(name)))
    }
}

fn log(name: &str) -> PathBuf {
    PathBuf::from(format!("/var/log/{name}.log"))
}

fn last_lines(name: &str) -> String {
    let log = fs::read(log(name)).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
