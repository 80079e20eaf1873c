//! A running `kubectl port-forward`.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use anyhow::{Context as _, Result};
use rustix::process::getpid;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::program::Kubectl;
use crate::demo::pod::{NAME, PORT};
use crate::host::privileges::give_up_all_before_exec;
use crate::host::process::die_with;

/// What kubectl does next.
pub(super) enum Step {
    /// It prints a line, on stdout or stderr.
    Line(String),
    /// It has ended.
    Ended(ExitStatus),
}

/// A running kubectl. Dropping it kills it.
pub(super) struct PortForward {
    child: Child,
    stdout: Option<Lines<BufReader<ChildStdout>>>,
    stderr: Option<Lines<BufReader<ChildStderr>>>,
}

/// The command, as a user would type it with the kubeconfig in the environment.
pub(super) fn shown() -> String {
    format!("$ kubectl port-forward --address 127.0.0.1 pod/{NAME} :{PORT}")
}

impl PortForward {
    /// Starts it with this kubeconfig. What it remembers of the endpoint goes beside that.
    pub(super) fn start(Kubectl(program): &Kubectl, kubeconfig: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("--kubeconfig").arg(kubeconfig);
        command.arg("--cache-dir").arg(kubeconfig.with_file_name("cache"));
        command.args(["port-forward", "--address", "127.0.0.1"]);
        command.args([format!("pod/{NAME}"), format!(":{PORT}")]);
        // The user's own preferences could change what it does (kubectl 1.33 and newer).
        command.env("KUBERC", "off").env_remove("KUBECONFIG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // With a process group of its own, it gets no SIGINT from a Ctrl-C: the demo ends it.
        command.process_group(0).kill_on_drop(true);
        let parent = getpid();
        // SAFETY: between fork and exec, the closure makes system calls and neither allocates nor locks.
        unsafe {
            command.pre_exec(move || {
                give_up_all_before_exec()?;
                die_with(parent)
            })
        };
        let spawned = command.spawn();
        let mut child = spawned.with_context(|| format!("cannot run {}", program.display()))?;
        let stdout = child.stdout.take().map(lines);
        let stderr = child.stderr.take().map(lines);
        Ok(Self { child, stdout, stderr })
    }

    /// Waits for what it does next. Its end comes after its last line. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Step> {
        while self.stdout.is_some() || self.stderr.is_some() {
            let line = tokio::select! {
                line = next_line(&mut self.stdout) => line?,
                line = next_line(&mut self.stderr) => line?,
            };
            if let Some(line) = line {
                return Ok(Step::Line(line));
            }
        }
        Ok(Step::Ended(self.child.wait().await?))
    }

    /// Kills it and waits for its end.
    pub(super) async fn stop(mut self) {
        // `kill` fails if it has ended by itself, and reaps it all the same.
        let _ = self.child.kill().await;
    }
}

fn lines<T: AsyncRead>(of: T) -> Lines<BufReader<T>> {
    BufReader::new(of).lines()
}

/// The next line. At the end of the output, `lines` becomes `None`, which has no next line.
async fn next_line<T: AsyncRead + Unpin>(
    lines: &mut Option<Lines<BufReader<T>>>,
) -> Result<Option<String>> {
    let Some(open) = lines else { return std::future::pending().await };
    let line = open.next_line().await?;
    if line.is_none() {
        *lines = None;
    }
    Ok(line)
}

/// The local port in `Forwarding from 127.0.0.1:43019 -> 8080`.
pub(super) fn local_port(line: &str) -> Option<u16> {
    line.strip_prefix("Forwarding from 127.0.0.1:")?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_port_is_in_the_first_line() {
        assert_eq!(local_port("Forwarding from 127.0.0.1:43019 -> 8080"), Some(43019));
        assert_eq!(local_port("Handling connection for 43019"), None);
    }
}
