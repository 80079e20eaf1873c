//! The helper process of a connection: nsenter, which becomes socat.

use std::future::pending;
use std::io;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use rustix::process::Pid;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr};
use tokio::time::timeout;

use super::server_end::ServerEnd;
use crate::forward::failure::Failure;
use crate::forward::relay::Relayed;
use crate::host::process::{ProcessError, netns_of};
use crate::host::socat::connection_of;
use crate::target::Target;

/// How much of a helper's stderr is kept.
const MAX_STDERR: u64 = 16 * 1024;

/// How long a helper's stderr may take to arrive once the helper has ended.
const STDERR_TIMEOUT: Duration = Duration::from_secs(1);

/// How often the dialer checks whether nsenter has entered; entering takes about as long.
const ENTER_POLL_INTERVAL: Duration = Duration::from_millis(1);

/// A helper process: an nsenter that becomes socat.
pub(in crate::forward) struct Helper {
    child: Child,
    /// The port that socat connects to.
    port: u16,
    stderr: tokio::task::JoinHandle<String>,
}

impl Helper {
    /// The helper that runs as this child.
    pub(super) fn new(child: Child, port: u16, stderr: ChildStderr) -> Self {
        Self { child, port, stderr: tokio::spawn(read_stderr(stderr)) }
    }

    /// Waits until the helper is in the target's network namespace. It gets no bytes before:
    /// between our check of the target and nsenter's open(2), another process may have got the pid.
    pub(super) async fn enter(&mut self, target: &Target) -> Result<(), Failure> {
        let outside = netns_of(std::process::id()).ok();
        // A helper that has ended reports its own error.
        while let Some(netns) = self.pid().and_then(|pid| netns_of(pid).ok()) {
            if netns == target.netns().inode() {
                break;
            }
            if Some(netns) != outside {
                let _ = self.child.kill().await;
                let pid = target.pid().unwrap_or_default();
                return Err(Failure::TargetGone(ProcessError::Gone(pid)));
            }
            tokio::time::sleep(ENTER_POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// The helper's pid, until it is reaped.
    pub(in crate::forward) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until the server has sent everything and socat has read it. If that cannot be seen,
    /// waits for ever: socat then exits after its own half second.
    pub(in crate::forward) async fn server_ended(&self, relayed: &Relayed) {
        let ended = async {
            let server = self.server().await?;
            // A server that has sent nothing may still read. socat gives it half a second.
            relayed.first_from_pod().await;
            server.wait().await
        };
        if let Err(error) = ended.await {
            log::debug!("cannot watch socat's connection: {error}");
            pending::<()>().await;
        }
    }

    /// Waits for socat's connection.
    async fn server(&self) -> io::Result<ServerEnd> {
        let pid = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        ServerEnd::of(pid.ok_or(io::ErrorKind::NotFound)?, self.port).await
    }

    /// Waits until socat is connected, and then ends it, or until socat ends by itself.
    pub(in crate::forward) async fn connected(mut self) -> Result<(), Failure> {
        let pid = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let connected = async {
            let server = ServerEnd::of(pid.ok_or(io::ErrorKind::NotFound)?, self.port);
            server.await.map(drop)
        };
        tokio::select! {
            ended = self.child.wait() => {
                ended.map_err(Failure::NotReaped)?;
                self.wait().await
            }
            Ok(()) = connected => {
                self.end().await;
                Ok(())
            }
        }
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
            self.end().await;
            return Err(Failure::Stopped);
        }
        self.wait().await
    }

    /// Waits until the helper ends by itself.
    async fn wait(mut self) -> Result<(), Failure> {
        let status = self.child.wait().await.map_err(Failure::NotReaped)?;
        if status.success() {
            return Ok(());
        }
        // The helper has ended, but another process may hold its stderr. Do not wait for that one.
        let stderr = timeout(STDERR_TIMEOUT, self.stderr).await;
        let stderr = stderr.ok().and_then(Result::ok).unwrap_or_default();
        Err(Failure::HelperFailed { status, stderr })
    }

    /// Ends the helper as [`end`](Self::end) does, and has the kernel reset its connection: the
    /// server must not take a part of the data for all of it.
    pub(in crate::forward) async fn reset(self) {
        let pid = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        // Without a connection, there is nothing to reset.
        if let Some(Ok(socket)) = pid.map(|pid| connection_of(pid, self.port)) {
            let _ = set_socket_linger(&socket, Some(Duration::ZERO));
        }
        self.end().await;
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
