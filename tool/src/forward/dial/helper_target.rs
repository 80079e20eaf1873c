//! How a connection through a helper ends on the side of the target: with an end or with a reset.

use std::future::pending;
use std::io;
use std::os::fd::AsFd as _;
use std::sync::atomic::Ordering;

use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

use super::helper::Helper;
use super::helper_end::EXIT_TIMEOUT;
use super::server_end::ServerEnd;
use crate::forward::kernel_ends::KernelEnd;
use crate::forward::relay_end::TargetEnd;
use crate::forward::relayed::Relayed;
use crate::host::tcp::TcpEnds;

impl Helper {
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

    /// Waits until the server has vanished while data flows, and returns the error. The kernel would
    /// let socat wait for a quarter of an hour (`net.ipv4.tcp_retries2`).
    pub(in crate::forward) async fn server_vanished(&self) -> io::Error {
        self.server.wait().await.vanished().await
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
        relayed: &Relayed,
        kernel: Option<&KernelEnd>,
    ) -> TargetEnd {
        let has_fin = |server: &ServerEnd| server.has_fin_after(relayed.bytes().1);
        let has_server_ended = || self.has_server_ended.load(Ordering::Relaxed);
        if has_server_ended() || self.server.get().is_some_and(has_fin) {
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
}
