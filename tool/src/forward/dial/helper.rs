//! The helper process of a connection: nsenter, which becomes socat.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::net::sockopt::set_tcp_user_timeout;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, pidfd_open, waitid,
};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, Interest};
use tokio::process::{Child, ChildStderr};
use tokio::sync::SetOnce;
use tokio::time::timeout;

use super::server_end::ServerEnd;
use crate::forward::failure::{Failure, no_answer};
use crate::forward::kernel_ends::KernelEnd;
use crate::forward::relay_end::TargetEnd;
use crate::forward::relayed::Relayed;
use crate::forward::stream::Duplex;
use crate::host::process::{ProcessError, netns_of};
use crate::host::socat::connecting_of;
use crate::host::tcp::TcpEnds;
use crate::target::Target;

/// How much of a helper's stderr is kept.
const MAX_STDERR: u64 = 16 * 1024;

/// How long a helper's stderr may take to arrive once the helper has ended.
const STDERR_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a helper that has closed its stdout, or got a signal, may take to exit.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// How often the dialer checks whether nsenter has entered; entering takes about as long.
const ENTER_POLL_INTERVAL: Duration = Duration::from_millis(1);

/// How long socat may wait for an answer in a test connection. With the kernel's own limit, it
/// waits for two minutes.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(4500);

/// How long socat may take to leave after a test connection: twice the half second that it waits
/// for a server that does not hang up.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// A helper process: an nsenter that becomes socat.
pub(in crate::forward) struct Helper {
    child: Child,
    /// The port that socat connects to.
    port: u16,
    /// How long socat may take to connect.
    connect_timeout: Option<Duration>,
    stderr: tokio::task::JoinHandle<String>,
    server: SetOnce<ServerEnd>,
    /// The server's FIN was seen before this side ended.
    has_server_ended: AtomicBool,
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
            tokio::time::sleep(ENTER_POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// The helper's pid, until it is reaped.
    pub(in crate::forward) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for socat's connection, keeps a duplicate of it, and notes the server's FIN. Never
    /// returns.
    pub(in crate::forward) async fn watch_server<T>(&self) -> T {
        if let Err(error) = self.see_server().await {
            log::debug!("cannot watch socat's connection: {error}");
        }
        pending().await
    }

    async fn see_server(&self) -> io::Result<()> {
        // Only one call sets it.
        let _ = self.server.set(self.server().await?);
        // socat itself shuts the socket down when it gives up.
        let is_fin = self.server.wait().await.hung_up().await? == TcpEnds::PeerEnded;
        self.has_server_ended.store(is_fin, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until the server has ended its direction and everything that it sent is relayed. If that
    /// cannot be seen, waits for ever: socat then ends its side after its own half second.
    pub(in crate::forward) async fn server_ended(&self, relayed: &Relayed) {
        if let Err(error) = self.server.wait().await.wait(relayed).await {
            log::debug!("socat's connection: {error}");
            pending::<()>().await;
        }
    }

    /// Waits until the helper has exited, but does not reap it.
    pub(in crate::forward) async fn exited(&self) {
        self.exit_code().await;
    }

    /// What socat has left out, once it has closed its stdout. `kernel` is the kernel's view, if there
    /// is one.
    pub(in crate::forward) async fn target_end(
        &self,
        has_client_ended: bool,
        kernel: Option<&KernelEnd>,
    ) -> TargetEnd {
        if self.has_server_ended.load(Ordering::Relaxed) {
            return TargetEnd::Complete;
        }
        let ends = || self.server.get().map(ServerEnd::ends);
        match (ends(), has_client_ended) {
            (Some(Ok(TcpEnds::PeerEnded)), _) => return TargetEnd::Complete,
            (Some(Ok(TcpEnds::Over | TcpEnds::PeerOpen)), false) => return TargetEnd::Reset,
            _ => {}
        }
        // socat exits now.
        match timeout(EXIT_TIMEOUT, self.exit_code()).await {
            Ok(Some(0)) => {}
            Ok(_) => return TargetEnd::Reset,
            Err(_) => return TargetEnd::Complete,
        }
        match (kernel, ends()) {
            (_, Some(Ok(TcpEnds::PeerOpen))) => TargetEnd::GivenUp,
            (Some(kernel), _) if kernel.is_reset().await => TargetEnd::Reset,
            _ => TargetEnd::Complete,
        }
    }

    /// Waits until the helper ends, and returns its exit code, but does not reap it. `None` if a
    /// signal ended it.
    async fn exit_code(&self) -> Option<i32> {
        let ended = async {
            let pid = self.raw_pid().ok_or(io::ErrorKind::NotFound)?;
            // The child is not reaped yet, so the pid is still its own.
            let pidfd = pidfd_open(pid, PidfdFlags::NONBLOCK)?;
            // SAFETY: the descriptor is owned, and stays the same while it is registered.
            let pidfd = unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE)? };
            let _ready = pidfd.readable().await?;
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let status = waitid(WaitId::PidFd(pidfd.get_ref().as_fd()), options)?;
            io::Result::Ok(status.and_then(|status| status.exit_status()))
        };
        ended.await.unwrap_or_default()
    }

    fn raw_pid(&self) -> Option<Pid> {
        self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()))
    }

    /// socat's connection, if it has one.
    fn server_now(&self) -> Option<&ServerEnd> {
        if self.server.get().is_none()
            && let Some(pid) = self.raw_pid()
            && let Ok(server) = ServerEnd::now(pid, self.port)
        {
            let _ = self.server.set(server);
        }
        self.server.get()
    }

    /// Waits until socat has taken too long to connect. If it connects in time, waits for ever.
    pub(in crate::forward) async fn connects_too_late(&self) -> Failure {
        if let Some(limit) = self.connect_timeout
            && timeout(limit, self.server()).await.is_err()
        {
            return Failure::NotConnected { port: self.port, source: no_answer(limit) };
        }
        // socat has connected, or its exit says why it cannot.
        pending().await
    }

    /// Waits for socat's connection.
    async fn server(&self) -> io::Result<ServerEnd> {
        ServerEnd::of(self.raw_pid().ok_or(io::ErrorKind::NotFound)?, self.port).await
    }

    /// Waits until socat is connected, or until it ends by itself. After a failure, it has ended.
    pub(in crate::forward) async fn connected(mut self) -> Result<Option<Self>, Failure> {
        let (pid, port) = (self.raw_pid(), self.port);
        let connected = async {
            let server = ServerEnd::of(pid.ok_or(io::ErrorKind::NotFound)?, port);
            server.await.map(drop)
        };
        let timed_out = async {
            tokio::time::sleep(ANSWER_TIMEOUT).await;
            if let Some(Err(error)) = pid.map(time_out) {
                log::debug!("cannot time out socat's attempt: {error}");
            }
            pending::<Infallible>().await
        };
        tokio::select! {
            ended = self.child.wait() => {
                ended.map_err(Failure::NotReaped)?;
                self.wait().await.map(|()| None)
            }
            Ok(()) = connected => Ok(Some(self)),
            never = timed_out => match never {},
        }
    }

    /// Has a connected socat leave, as a client without data does. A signal would make its session
    /// one that was killed.
    pub(in crate::forward) async fn leave(mut self, Duplex { from, to }: Duplex) {
        drop(to);
        // The server may send until it has seen the end. Without a reader, socat would fail.
        let left = async { tokio::join!(self.child.wait(), from.discard()) };
        if timeout(LEAVE_TIMEOUT, left).await.is_err() {
            self.reset(0).await;
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
            self.stop().await;
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

    /// Ends the helper as [`end`](Self::end) does, once the client's bytes have arrived at the server,
    /// and has the kernel reset its connection: the server must not take a part of the data for all of
    /// it. The helper's stdin must still be open.
    pub(in crate::forward) async fn reset(self, bytes_to_pod: u64) {
        if let Some(server) = self.server_now() {
            server.arrived(bytes_to_pod).await;
            server.reset_on_close();
        }
        self.end().await;
    }

    /// Ends the helper because the forward ends: has its connection reset, and sends SIGTERM, by
    /// which an observer tells this end from a client's reset.
    pub(in crate::forward) async fn stop(mut self) {
        if let Some(server) = self.server_now() {
            server.reset_on_close();
        }
        let terminated = self.raw_pid().is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
        if terminated {
            // The kernel kills what is left.
            let _ = timeout(EXIT_TIMEOUT, self.child.wait()).await;
        }
        self.end().await;
    }

    /// Ends the helper and waits until it is reaped.
    pub(in crate::forward) async fn end(mut self) {
        // If the helper has ended already, there is nothing to kill, but it is still reaped.
        let _ = self.child.kill().await;
    }
}

/// Makes socat's attempt to connect time out when the kernel would send the next SYN: a second later
/// or, before 6.5, seven seconds after the first (tcp_write_timeout, net/ipv4/tcp_timer.c).
fn time_out(socat: Pid) -> io::Result<()> {
    Ok(set_tcp_user_timeout(connecting_of(socat)?, 1)?)
}

/// Keeps the start of stderr, and reads the rest so that the helper never blocks.
async fn read_stderr(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    // A pipe that cannot be read has no text.
    let _ = (&mut stderr).take(MAX_STDERR).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).into_owned()
}
