//! Notices that a peer is gone while nothing is read from it: it has ended its direction, or the other
//! side takes no more data.

use std::future::pending;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::stream::Socket;
use crate::host::tcp::{self, TcpInfo};

/// How long after a reset the relay may still pass on what the peer had sent before.
pub(super) const RESET_GRACE: Duration = Duration::from_millis(500);

/// A peer that leaves data unacknowledged for so long has vanished. The same time as keepalive gives
/// a peer to which no data flows (`set_keepalive`).
const VANISHED_TIMEOUT: Duration = Duration::from_secs(150);

/// How often a peer is checked for that. The kernel itself gives up much later
/// (`net.ipv4.tcp_retries2`), and its `TCP_USER_TIMEOUT` would also end the connection of a living
/// peer that does not read (`tcp_probe_timer`, net/ipv4/tcp_timer.c).
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// Waits until the peer is gone, and returns the error. The relay usually ends before.
pub(super) async fn gone(peer: Option<&Socket>) -> io::Error {
    let Some(peer) = peer else { return pending().await };
    tokio::select! {
        () = peer.failed() => {}
        error = vanished(peer) => return error,
    }
    sleep(RESET_GRACE).await;
    peer.error()
}

/// Waits until the peer of a TCP connection has vanished while data flows, and returns the error.
pub(super) async fn vanished(peer: impl AsFd) -> io::Error {
    let mut next = Instant::now();
    loop {
        next += CHECK_INTERVAL;
        sleep_until(next).await;
        match tcp::info(&peer) {
            Ok(TcpInfo { awaits_answer: true, last_answer, .. })
                if last_answer >= VANISHED_TIMEOUT =>
            {
                return io::Error::from_raw_os_error(libc::ETIMEDOUT);
            }
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}
