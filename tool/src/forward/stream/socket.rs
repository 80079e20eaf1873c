//! A TCP socket with both directions in use.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_linger, socket_error};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep};

use crate::host::tcp;

/// How long a reset waits for the peer to take the data before it.
const UNSENT_TIMEOUT: Duration = Duration::from_secs(1);
/// How often it looks. No event tells when a peer has taken everything.
const UNSENT_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A TCP socket with both directions in use.
pub(in crate::forward) struct Socket(Arc<AsyncFd<OwnedFd>>);

impl Socket {
    pub(super) fn new(fd: Arc<AsyncFd<OwnedFd>>) -> Self {
        Self(fd)
    }

    /// Makes close(2) send a reset instead of a FIN, so that the peer does not mistake incomplete
    /// data for complete data.
    pub(in crate::forward) fn reset_on_close(&self) {
        // A connection that has ended already has nothing to reset.
        let _ = set_socket_linger(self.0.get_ref(), Some(Duration::ZERO));
    }

    /// Has the kernel reset the connection when this process exits: an observer then sees that the
    /// forwarder ended first.
    pub(in crate::forward) fn reset_at_exit(self) {
        self.reset_on_close();
        std::mem::forget(self);
    }

    /// Waits a moment until the peer has taken everything, since a close that resets the connection
    /// drops the rest.
    pub(in crate::forward) async fn flushed(&self) {
        let deadline = Instant::now() + UNSENT_TIMEOUT;
        while tcp::info(self).is_ok_and(|info| info.has_unsent) && Instant::now() < deadline {
            sleep(UNSENT_POLL_INTERVAL).await;
        }
    }

    /// Waits until the connection has failed, for example because the peer has reset it. Also
    /// returns while nobody reads or writes, and leaves the error to whoever does.
    pub(in crate::forward) async fn failed(&self) {
        // An error means that the runtime shuts down.
        let _ = self.0.ready(Interest::ERROR).await;
    }

    /// The error of a connection that has failed. A socket reports it once.
    pub(in crate::forward) fn error(&self) -> io::Error {
        match socket_error(self.0.get_ref()) {
            Ok(Err(errno)) => errno.into(),
            _ => Errno::CONNRESET.into(),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}
