//! Starting and stopping the pod.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use rustix::process::getpid;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::host::process::{die_with, netns_of};

/// The pod's name, which is its host name too, as in Kubernetes.
pub(super) const NAME: &str = "pfsnoop-demo";

/// The line that a process of the pod prints when it is ready.
pub(super) const READY: &str = "ready";

/// The port of the web page, on every address of the pod.
pub const PORT: u16 = 8080;

/// A running pod. Dropping it kills its processes; [`Pod::stop`] also waits for them.
pub struct Pod {
    pause: Child,
    web: Child,
    pause_pid: u32,
    netns: u64,
}

impl Pod {
    /// Starts the pause process, then the web page in its namespaces.
    pub async fn start() -> Result<Self> {
        let (pause, pause_pid) = spawn(&["demo-pause"]).await.context("cannot start the pod")?;
        let netns = netns_of(pause_pid)?;
        let (web, _) = spawn(&["demo-web", &pause_pid.to_string()])
            .await
            .context("cannot start the web page in the pod")?;
        Ok(Self { pause, web, pause_pid, netns })
    }

    /// The pid of the pause process: the target of nsenter.
    #[must_use]
    pub fn pause_pid(&self) -> u32 {
        self.pause_pid
    }

    /// The inode of the pod's network namespace.
    #[must_use]
    pub fn netns(&self) -> u64 {
        self.netns
    }

    /// Kills both processes and waits for their end. The namespace ends with them.
    pub async fn stop(mut self) {
        for child in [&mut self.web, &mut self.pause] {
            // `kill` fails if the process has ended by itself, and reaps it all the same.
            let _ = child.kill().await;
        }
    }
}

/// Starts this binary as one of the pod's processes and waits until it is ready.
async fn spawn(args: &[&str]) -> Result<(Child, u32)> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("pfsnoop").args(args).stdin(Stdio::null()).stdout(Stdio::piped());
    // With a process group of its own, the process gets no SIGINT from a Ctrl-C: the demo ends it.
    command.process_group(0).kill_on_drop(true);
    let parent = getpid();
    // SAFETY: between fork and exec, the closure makes two system calls and neither allocates nor
    // locks.
    unsafe { command.pre_exec(move || die_with(parent)) };
    let mut child = command.spawn()?;
    let pid = child.id().context("the process ended at once")?;
    let stdout = child.stdout.take().context("the stdout of the process is missing")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).await?;
    if line.trim() != READY {
        // The process has already printed its error to stderr.
        bail!("the process ended before it was ready");
    }
    Ok((child, pid))
}
