//! The helper process of a connection: nsenter, which becomes socat.

use std::io;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::process::Pid;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr};
use tokio::sync::SetOnce;
use tokio::time::timeout;

use super::server_end::ServerEnd;
use crate::forward::failure::Failure;
use crate::host::process::{ProcessError, netns_of};
use crate::target::Target;

/// How much of a helper's stderr is kept.
const MAX_STDERR: u64 = 16 * 1024;

/// How long a helper's stderr may take to arrive once the helper has ended.
const STDERR_TIMEOUT: Duration = Duration::from_secs(1);

/// How soon the dialer checks again whether nsenter has entered; entering takes about as long. The interval
/// doubles after each check.
const FIRST_ENTER_INTERVAL: Duration = Duration::from_millis(1);

/// The interval does not grow beyond this.
const MAX_ENTER_INTERVAL: Duration = Duration::from_millis(250);

/// A helper process: an nsenter that becomes socat.
pub(in crate::forward) struct Helper {
    pub(super) child: Child,
    /// The port that socat connects to.
    pub(super) port: u16,
    /// How long socat may take to connect.
    pub(super) connect_timeout: Option<Duration>,
    stderr: tokio::task::JoinHandle<String>,
    pub(super) server: SetOnce<ServerEnd>,
    /// The server's FIN was seen before this side ended.
    pub(super) has_server_ended: AtomicBool,
}

impl Helper {
    /// The helper that runs as this child.
    pub(super) fn new(
        child: Child,
        port: u16,
        connect_timeout: Option<Duration>,
        stderr: ChildStderr,
    ) -> Self {
        Self {
            child,
            port,
            connect_timeout,
            stderr: tokio::spawn(read_stderr(stderr)),
            server: SetOnce::new(),
            has_server_ended: AtomicBool::new(false),
        }
    }

    /// Waits until the helper is in the target's network namespace. It gets no bytes before:
    /// between our check of the target and nsenter's open(2), another process may have got the pid.
    pub(super) async fn enter(&mut self, target: &Target) -> Result<(), Failure> {
        let outside = netns_of(std::process::id()).map_err(Failure::HelperUnreadable)?;
        let mut interval = FIRST_ENTER_INTERVAL;
        while let Some(pid) = self.pid() {
            let netns = match netns_of(pid) {
                Ok(netns) => netns,
                // A helper that has ended reports its own error.
                Err(ProcessError::Gone(_) | ProcessError::NotFound(_)) => break,
                Err(error) => {
                    let _ = self.child.kill().await;
                    return Err(Failure::HelperUnreadable(error));
                }
            };
            if netns == target.netns().inode() {
                break;
            }
            if netns != outside {
                let _ = self.child.kill().await;
                let pid = target.pid().unwrap_or_default();
                return Err(Failure::TargetGone(ProcessError::Gone(pid).into()));
            }
            tokio::time::sleep(interval).await;
            interval = (interval * 2).min(MAX_ENTER_INTERVAL);
        }
        Ok(())
    }

    /// The helper's pid, until it is reaped.
    pub(in crate::forward) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The same as the kernel's calls want it.
    pub(super) fn raw_pid(&self) -> Option<Pid> {
        self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()))
    }

    /// socat's connection, if it has one.
    pub(super) fn server_now(&self) -> Option<&ServerEnd> {
        if self.server.get().is_none()
            && let Some(pid) = self.raw_pid()
            && let Ok(server) = ServerEnd::now(pid, self.port)
        {
            let _ = self.server.set(server);
        }
        self.server.get()
    }

    /// Waits for socat's connection.
    pub(super) async fn server(&self) -> io::Result<ServerEnd> {
        ServerEnd::of(self.raw_pid().ok_or(io::ErrorKind::NotFound)?, self.port).await
    }

    /// Waits until the helper ends by itself, or ends it when the forward ends.
    pub(in crate::forward) async fn wait_or_end(
        mut self,
        ending: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let is_ending = tokio::select! {
            // `wait` below returns the same status again.
            _ = self.child.wait() => false,
            () = ending => true,
        };
        if is_ending {
            self.stop().await;
            return Err(Failure::Stopped);
        }
        self.wait().await
    }

    /// Waits until the helper ends by itself.
    pub(super) async fn wait(mut self) -> Result<(), Failure> {
        let status = self.child.wait().await.map_err(Failure::NotReaped)?;
        if status.success() {
            return Ok(());
        }
        // The helper has ended, but another process may hold its stderr. Do not wait for that one.
        let stderr = timeout(STDERR_TIMEOUT, self.stderr).await;
        let stderr = stderr.ok().and_then(Result::ok).unwrap_or_default();
        Err(Failure::HelperFailed { status, stderr })
    }

    /// Ends the helper and waits until it is reaped.
    pub(in crate::forward) async fn end(mut self) {
        // If the helper has ended already, there is nothing to kill, but it is still reaped.
        let _ = self.child.kill().await;
    }
}

/// Keeps the start of stderr, and reads the rest so that the helper never blocks.
async fn read_stderr(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    // A pipe that cannot be read has no text.
    let _ = (&mut stderr).take(MAX_STDERR).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).into_owned()
}
