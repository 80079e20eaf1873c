//! The kubelet's dialer: `nsenter -t PID -n socat - TCP4:localhost:PORT`, with its checks in its
//! order and its error texts (dockershim and cri-dockerd, `portForward`).

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, getpid};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use super::dialer::{Connection, Dialer, Dialing};
use super::server_end::ServerEnd;
use crate::forward::failure::Failure;
use crate::forward::relay::Relayed;
use crate::forward::stream::Duplex;
use crate::host::path::look_up;
use crate::host::process::{ProcessError, die_with, netns_of};
use crate::model::Via;
use crate::target::Target;

/// How much of a helper's stderr is kept.
const MAX_STDERR: u64 = 16 * 1024;

/// How long a helper's stderr may take to arrive once the helper has ended.
const STDERR_TIMEOUT: Duration = Duration::from_secs(1);
/// How often the dialer checks whether nsenter has entered; entering takes about as long.
const ENTER_POLL_INTERVAL: Duration = Duration::from_millis(1);

/// nsenter or socat is not in `PATH`. The words before the semicolon are the kubelet's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "unable to do port forwarding: {program} not found; install the package {package} on this node"
)]
pub struct HelperMissing {
    /// Its name.
    pub program: &'static str,
    package: &'static str,
}

/// The two programs, found.
#[derive(Clone, Debug)]
pub struct Nsenter {
    nsenter: PathBuf,
    socat: PathBuf,
}

impl Nsenter {
    /// Looks socat up, then nsenter.
    pub fn look_up() -> Result<Self, HelperMissing> {
        let find = |program, package| look_up(program).ok_or(HelperMissing { program, package });
        let socat = find("socat", "socat")?;
        let nsenter = find("nsenter", "util-linux")?;
        Ok(Self { nsenter, socat })
    }

    /// Spawns the command for one connection.
    fn spawn(&self, target: &Target, port: u16) -> Result<Connection, Failure> {
        let pid = target.pid().ok_or(Failure::NoProcess)?;
        target.check().map_err(Failure::TargetGone)?;
        let mut command = Command::new(&self.nsenter);
        command.args(["-t", &pid.to_string(), "-n"]).arg(&self.socat);
        command.args(["-", &format!("TCP4:localhost:{port}")]);
        // Its stderr decides the outcome in records, so it must be in the C locale.
        command.env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A Ctrl-C on the terminal is for pfsnoop alone, which ends its helpers itself.
        command.process_group(0).kill_on_drop(true);
        let parent = getpid();
        // SAFETY: between fork and exec it makes two system calls and touches no memory of ours.
        unsafe { command.pre_exec(move || die_with(parent)) };
        let not_spawned = |source| {
            let program = self.nsenter.display().to_string();
            Failure::NotSpawned { program, source }
        };
        let child = command.spawn().map_err(not_spawned)?;
        Helper::connect(child, port).map_err(not_spawned)
    }
}

impl Dialer for Nsenter {
    fn via(&self) -> Via {
        Via::NsenterSocat
    }

    fn dial<'a>(&'a self, target: &'a Target, port: u16) -> Dialing<'a> {
        Box::pin(async move {
            let mut connection = self.spawn(target, port)?;
            if let Some(helper) = &mut connection.helper {
                helper.enter(target).await?;
            }
            // The helper finds out whether it can connect.
            Ok(connection)
        })
    }
}

/// A spawned nsenter, soon socat.
pub(in crate::forward) struct Helper {
    child: Child,
    /// The port that socat connects to.
    port: u16,
    stderr: tokio::task::JoinHandle<String>,
}

impl Helper {
    fn connect(mut child: Child, port: u16) -> io::Result<Connection> {
        let missing = || io::Error::other("its pipes are missing");
        let stdin = child.stdin.take().ok_or_else(missing)?.into_owned_fd()?;
        let stdout = child.stdout.take().ok_or_else(missing)?.into_owned_fd()?;
        let stderr = tokio::spawn(read_stderr(child.stderr.take().ok_or_else(missing)?));
        let duplex = Duplex::of_pipes(stdout, stdin)?;
        let helper = Some(Self { child, port, stderr });
        Ok(Connection { duplex, address: None, cookie: None, helper })
    }

    /// Waits until it is in the target's network namespace, so that no other process gets a byte:
    /// between our check of the target and nsenter's open(2), the pid may have become another
    /// process's.
    async fn enter(&mut self, target: &Target) -> Result<(), Failure> {
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

    /// Its pid, until it is reaped.
    pub(in crate::forward) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until the server has sent everything and socat has read it. Waits for ever where that
    /// cannot be seen: then socat's half second passes.
    pub(in crate::forward) async fn server_ended(&self, relayed: &Relayed) {
        let ended = async {
            let server = self.server().await?;
            // A server that has sent nothing may still read: socat waits half a second for that.
            relayed.first_from_pod().await;
            server.wait().await
        };
        if let Err(error) = ended.await {
            log::debug!("cannot watch socat's connection: {error}");
            pending::<()>().await;
        }
    }

    /// socat's connection, once it has one.
    async fn server(&self) -> io::Result<ServerEnd> {
        let pid = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        ServerEnd::of(pid.ok_or(io::ErrorKind::NotFound)?, self.port).await
    }

    /// Waits until socat is connected, and ends it; or until it ends by itself.
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

    /// Waits until it ends by itself, or ends it when the forward ends.
    pub(in crate::forward) async fn wait_or_end(
        mut self,
        ending: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let is_ending = tokio::select! {
            // Waiting again returns the same.
            _ = self.child.wait() => false,
            () = ending => true,
        };
        if is_ending {
            self.end().await;
            return Err(Failure::Stopped);
        }
        self.wait().await
    }

    /// Waits until it ends by itself.
    async fn wait(mut self) -> Result<(), Failure> {
        let status = self.child.wait().await.map_err(Failure::NotReaped)?;
        if status.success() {
            return Ok(());
        }
        // The helper is dead. If another process holds its stderr, that is not waited for.
        let stderr = timeout(STDERR_TIMEOUT, self.stderr).await;
        let stderr = stderr.ok().and_then(Result::ok).unwrap_or_default();
        Err(Failure::HelperFailed { status, stderr })
    }

    /// Ends it and waits until it is reaped.
    pub(in crate::forward) async fn end(mut self) {
        // If it has ended already, there is nothing to kill; it is reaped all the same.
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
